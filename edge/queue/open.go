package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// The buckets of the file.
var (
	lanesBucket = []byte("lanes") // one bucket for each lane: id, sealed message
	metaBucket  = []byte("meta")
	checkKey    = []byte("key check") // sealed, so that a wrong key is noticed when the file is opened
)

// lockWait is how long a file may be locked by a process that is about to end.
const lockWait = time.Second

// Open opens the file at path, and makes it if there is none, and counts its messages.
// The errors wrap [ErrInUse], [ErrDamaged] or [ErrWrongKey].
func Open(path string, key Key, limits Limits) (*Queue, error) {
	q := &Queue{key: key, limits: limits, pending: make(chan change, maxGroup), lanes: map[string]*lane{}}
	if err := q.inspect(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// The list of free pages is not kept in the file: it is long after a long outage, and
	// each commit would write all of it.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, opening(err))
	}
	q.db = db
	if err := errors.Join(db.Update(q.prepare), syncFolder(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, errors.Join(committing(err), db.Close()))
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

// inspect reads the whole structure of a file and counts its messages, so that damage is
// reported when the file is opened: bbolt finds some of it by a panic, in the middle of
// its work.
func (q *Queue) inspect(path string) (err error) {
	switch info, statErr := os.Stat(path); {
	case errors.Is(statErr, fs.ErrNotExist):
		return nil
	case statErr != nil:
		return statErr
	case info.Size() == 0:
		return nil
	}
	// Reading beyond the end of a file that was cut off is a memory fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if found := recover(); found != nil {
			err = ErrDamaged // bbolt's panics have words for its authors
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return opening(err)
	}
	defer db.Close()
	return db.View(q.countAll)
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

// opening translates an error of bbolt's Open.
func opening(err error) error {
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrInUse
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return ErrDamaged
	}
	return err
}

// syncFolder makes the entry of a new file durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
