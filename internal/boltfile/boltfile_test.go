package boltfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"hl7lake/internal/boltfile"
)

var (
	errInUse   = errors.New("in use")
	errDamaged = errors.New("damaged")
)

func inspect(path string) error {
	return boltfile.Errors{InUse: errInUse, Damaged: errDamaged}.Inspect(path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(_, _ []byte) error { return nil })
		})
	})
}

func TestAFileIsSaidToBeMissingWholeInUseOrDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := inspect(path); err != nil {
		t.Errorf("missing: %v", err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("bucket"))
		if err != nil {
			return err
		}
		return b.Put([]byte("key"), make([]byte, 100_000))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := inspect(path); !errors.Is(err, errInUse) {
		t.Errorf("in use: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := inspect(path); err != nil {
		t.Errorf("whole: %v", err)
	}
	if err := os.Truncate(path, 9000); err != nil {
		t.Fatal(err)
	}
	if err := inspect(path); !errors.Is(err, errDamaged) {
		t.Errorf("cut off: %v", err)
	}
}

func TestWritesWithoutRoomAreRecognized(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, fmt.Errorf("write: %w", syscall.EDQUOT), syscall.EFBIG} {
		if !boltfile.DiskFull(err) || !boltfile.NoRoom(err) {
			t.Errorf("%v: not recognized", err)
		}
	}
	if grown := errors.New("file resize error: truncate"); boltfile.DiskFull(grown) || !boltfile.NoRoom(grown) {
		t.Error("a file that cannot grow is not bbolt's")
	}
	if boltfile.NoRoom(nil) || boltfile.NoRoom(syscall.EIO) {
		t.Error("another error is taken for no room")
	}
}
