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

// The failures of a file about which its owner can do something.
var (
	// ErrInUse: another process has the file open.
	ErrInUse = errors.New("the file is in use by another process, perhaps another lake on the same data folder: stop that one, or name another folder")
	// ErrDamaged: the file is not, or no longer, what the store wrote.
	ErrDamaged = errors.New("the file is damaged and cannot be repaired: put a copy of the whole data folder in its place, or start with another folder")
	// ErrFull: there is no room for a write, which has not happened.
	ErrFull = errors.New("the disk has no room for the write, which has not happened: make room, and try again")
)

// lockWait is how long a file may be locked by a process that is about to end.
const lockWait = time.Second

// inspect reads the whole structure of a file, so that damage is reported when the file
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
	return db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) })
	})
}

// walk visits every key of a bucket and of those in it, and checks the order that bbolt
// keeps: bbolt would not find a key that is out of order.
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

// Writing translates an error of a write to the data folder: ErrFull if there was no
// room, else err itself, which may be nil.
func Writing(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) && !errors.Is(err, ErrFull) {
			return fmt.Errorf("%w (%w)", ErrFull, err)
		}
	}
	return err
}

// committing translates an error of a commit.
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
