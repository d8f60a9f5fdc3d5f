package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// The ways in which a file fails that its owner can do something about.
var (
	// ErrInUse: another process has the file open.
	ErrInUse = errors.New("the file is in use by another process, perhaps another lake on the same data folder: stop that one, or name another folder")
	// ErrDamaged: the file is not, or no longer, what the store wrote.
	ErrDamaged = errors.New("the file is damaged and cannot be repaired: put a copy of the whole data folder in its place, or start with another folder")
	// ErrFull: there is no room for a write, which has not happened.
	ErrFull = errors.New("the disk has no room for the write, which has not happened: make room, and try again")
)

// lockWait is how long a file may be held by a process that is about to end.
const lockWait = time.Second

// inspect reads all of a file's structure, so that damage is told when the file
// is opened. bbolt itself finds some of it by a panic, in the middle of its work.
func inspect(path string) (err error) {
	switch info, statErr := os.Stat(path); {
	case errors.Is(statErr, fs.ErrNotExist):
		return nil
	case statErr != nil:
		return statErr
	case info.Size() == 0:
		return nil
	}
	// What lies beyond the end of a file that was cut off is a fault of the memory.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if found := recover(); found != nil {
			err = ErrDamaged // what bbolt panics with are words for its authors
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return opening(err)
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
	})
}

// walk visits every key of a bucket and of those in it, and holds them against
// the order that bbolt keeps: it would search in vain for one that is out of it.
func walk(b *bbolt.Bucket) error {
	var last []byte
	return b.ForEach(func(key, value []byte) error {
		if last != nil && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("%w (keys out of order)", ErrDamaged)
		}
		last = key // it stays valid as long as the transaction
		if value != nil {
			return nil
		}
		return walk(b.Bucket(key))
	})
}

// opening says what an error of bbolt's Open is in our terms.
func opening(err error) error {
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrInUse
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return ErrDamaged
	}
	return err
}

// Writing says what an error of a write to the data folder is in our terms:
// ErrFull where there was no room, else err itself, which may be nil.
func Writing(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) && !errors.Is(err, ErrFull) {
			return fmt.Errorf("%w (%w)", ErrFull, err)
		}
	}
	return err
}

// committing says what an error of a commit is in our terms.
func committing(err error) error {
	if full := Writing(err); errors.Is(full, ErrFull) {
		return full
	}
	// bbolt has no type for a file that cannot grow.
	if strings.HasPrefix(err.Error(), "file resize error") {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return fmt.Errorf("commit: %w", err)
}
