package store

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"hl7lake/internal/boltfile"
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

// fileErrors returns the store's errors of a file that cannot be opened.
func fileErrors() boltfile.Errors { return boltfile.Errors{InUse: ErrInUse, Damaged: ErrDamaged} }

// inspect reads the whole structure of a file, so that damage is reported when the file
// is opened.
func inspect(path string) error {
	return fileErrors().Inspect(path, func(tx *bbolt.Tx) error {
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

// Writing translates an error of a write to the data folder: ErrFull if there was no
// room, else err itself, which may be nil.
func Writing(err error) error {
	if boltfile.DiskFull(err) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

// committing translates an error of a commit.
func committing(err error) error {
	switch {
	case errors.Is(err, ErrFull):
		return err
	case boltfile.NoRoom(err):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return fmt.Errorf("commit: %w", err)
}
