package s3

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// age is an entry of the bucket's ages.
type age struct {
	entry []byte
	key   string
}

// expire deletes a few objects that have expired. Each write calls it, so that more
// objects are removed than added. If a template's rule is shortened, it applies to what
// is written from then on, unlike in S3.
func (s *Service) expire(b *bucket) error {
	if len(b.rules) == 0 {
		return nil
	}
	const few = 4
	now := s.now()
	var old []age
	err := s.store.View(func(tx *bbolt.Tx) error {
		cursor := b.in(tx).ages.Cursor()
		end := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli()))
		for entry, _ := cursor.First(); entry != nil && len(old) < few && string(entry) < string(end); entry, _ = cursor.Next() {
			old = append(old, age{append([]byte(nil), entry...), string(entry[8:])})
		}
		return nil
	})
	for _, a := range old {
		if err == nil {
			err = s.expireOne(b, a, now)
		}
	}
	return err
}

// expireOne deletes an object, unless it was written again since or the bucket's rules
// have changed: then it expires at another time.
func (s *Service) expireOne(b *bucket, a age, now time.Time) error {
	lock := b.locks.of(a.key)
	lock.Lock()
	defer lock.Unlock()
	latest, err := s.latest(b, a.key)
	if err != nil {
		return err
	}
	var later []byte
	if after := b.expiry(a.key); after > 0 && latest != nil && !latest.Marker {
		if expires := latest.Modified.Add(after); !expires.Before(now) {
			later = ageKey(expires, a.key)
		} else if _, err := s.deleteLocked(b, a.key, ""); err != nil {
			return err
		}
	}
	return s.store.Update(func(tx *bbolt.Tx) error {
		ages := b.in(tx).ages
		if err := ages.Delete(a.entry); err != nil || later == nil {
			return err
		}
		return ages.Put(later, nil)
	})
}
