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

// expire deletes a few objects that are older than the bucket keeps them. Each
// write does, so that more goes than comes.
func (s *Service) expire(b *bucket) error {
	if b.expiry == 0 {
		return nil
	}
	const few = 4
	until := s.now().Add(-b.expiry)
	var old []age
	err := s.store.View(func(tx *bbolt.Tx) error {
		cursor := b.in(tx).ages.Cursor()
		end := binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli()))
		for entry, _ := cursor.First(); entry != nil && len(old) < few && string(entry) < string(end); entry, _ = cursor.Next() {
			old = append(old, age{append([]byte(nil), entry...), string(entry[8:])})
		}
		return nil
	})
	for _, a := range old {
		if err == nil {
			err = s.expireOne(b, a, until)
		}
	}
	return err
}

// expireOne deletes an object, unless it was written again since.
func (s *Service) expireOne(b *bucket, a age, until time.Time) error {
	lock := b.locks.of(a.key)
	lock.Lock()
	defer lock.Unlock()
	latest, err := s.latest(b, a.key)
	if err != nil {
		return err
	}
	if latest != nil && !latest.Marker && latest.Modified.Before(until) {
		if _, err := s.deleteLocked(b, a.key, ""); err != nil {
			return err
		}
	}
	return s.store.Update(func(tx *bbolt.Tx) error { return b.in(tx).ages.Delete(a.entry) })
}
