package queue

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"hl7lake/internal/boltfile"
)

// The buckets of the file.
var (
	lanesBucket = []byte("lanes") // one bucket for each lane: id, sealed message
	metaBucket  = []byte("meta")
	checkKey    = []byte("key check") // sealed, so that a wrong key is noticed when the file is opened
)

// fileErrors returns the queue's errors of a file that cannot be opened.
func fileErrors() boltfile.Errors { return boltfile.Errors{InUse: ErrInUse, Damaged: ErrDamaged} }

// Open opens the file at path, and makes it if there is none, and counts its messages.
// The errors wrap [ErrInUse], [ErrDamaged] or [ErrWrongKey].
func Open(path string, key Key, limits Limits) (*Queue, error) {
	q := &Queue{key: key, limits: limits, pending: make(chan change, maxGroup), lanes: map[string]*lane{}}
	if err := fileErrors().Inspect(path, q.countAll); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// The list of free pages is not kept in the file: it is long after a long outage, and
	// each commit would write all of it.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: boltfile.LockWait, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fileErrors().Opening(err))
	}
	q.db = db
	if err := errors.Join(db.Update(q.prepare), syncFolder(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(committing(err), db.Close()))
	}
	q.finished.Go(q.commitAll)
	return q, nil
}

// prepare makes a new file's buckets.
func (q *Queue) prepare(tx *bbolt.Tx) error {
	if _, err := tx.CreateBucketIfNotExists(lanesBucket); err != nil {
		return err
	}
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil || meta.Get(checkKey) != nil {
		return err
	}
	return meta.Put(checkKey, q.key.Seal(nil, string(checkKey)))
}

// countAll counts the messages of all lanes, and compares the key with the one that the
// file was made with.
func (q *Queue) countAll(tx *bbolt.Tx) error {
	meta, lanes := tx.Bucket(metaBucket), tx.Bucket(lanesBucket)
	if meta == nil || lanes == nil {
		return nil // it ended before its first commit
	}
	if sealed := meta.Get(checkKey); sealed != nil {
		if _, err := q.key.Open(sealed, string(checkKey)); err != nil {
			return err
		}
	}
	return lanes.ForEachBucket(func(name []byte) error {
		l := q.lane(string(name))
		return lanes.Bucket(name).ForEach(func(key, sealed []byte) error {
			if len(key) != len(idKey(0)) || len(sealed) < header+overhead {
				return ErrDamaged
			}
			for _, u := range []*Usage{&q.all, &l.usage} {
				u.Messages++
				u.Bytes += int64(len(sealed))
			}
			return nil
		})
	})
}

// syncFolder makes the entry of a new file durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
