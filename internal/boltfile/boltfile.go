// Package boltfile opens bbolt files with care, for all that keep data in one: the store
// of a lake on one machine, and the queue of an edge. It finds damage when a file is
// opened, and says why a file cannot be opened or written in the words of its caller.
package boltfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

// LockWait is how long a file may be locked by a process that is about to end.
const LockWait = time.Second

// Errors are the caller's errors of a file that cannot be opened.
type Errors struct {
	InUse   error // another process has the file open
	Damaged error // the file is not, or no longer, what was written
}

// Inspect reads a file with read, so that damage is found when the file is opened: bbolt
// itself finds some of it by a panic, in the middle of its work. read must look at all
// that the file holds. A file that does not exist, or is empty, needs no inspection.
func (e Errors) Inspect(path string, read func(*bbolt.Tx) error) (err error) {
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
			err = e.Damaged // bbolt's panics have words for its authors
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: LockWait})
	if err != nil {
		return e.Opening(err)
	}
	defer db.Close()
	return db.View(read)
}

// Opening translates an error of bbolt's Open. Any other error stays as it is.
func (e Errors) Opening(err error) error {
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return e.InUse
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum), errors.Is(err, bbolterrors.ErrVersionMismatch):
		return e.Damaged
	case strings.HasPrefix(err.Error(), "file size too small"): // bbolt has no type for it
		return e.Damaged
	}
	return err
}

// DiskFull reports whether a write to any file failed because there was no room. err may
// be nil.
func DiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// NoRoom reports whether a commit of bbolt failed because there was no room. err may be
// nil.
func NoRoom(err error) bool {
	// bbolt has no type for a file that cannot grow.
	return DiskFull(err) || err != nil && strings.HasPrefix(err.Error(), "file resize error")
}
