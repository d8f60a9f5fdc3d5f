package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"hl7lake/internal/testing/fulldisk"
	"hl7lake/local/store"
)

// TestAFullDiskIsAnErrorAndLosesNothing fills the disk until a write is refused, makes
// room, and goes on.
func TestAFullDiskIsAnErrorAndLosesNothing(t *testing.T) {
	if !fulldisk.Alone(t) {
		return
	}
	s := open(t, filepath.Join(t.TempDir(), "db"))
	makeRoom := fulldisk.Fill(t, 1<<20)
	kept := 0
	var err error
	for ; kept < 1000 && err == nil; kept++ {
		err = write(s, fmt.Sprint(kept), bytes.Repeat([]byte("x"), 10_000))
	}
	kept-- // the last was refused
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d writes: %v", kept, err)
	}
	if err := write(s, "again", bytes.Repeat([]byte("x"), 1<<20)); !errors.Is(err, store.ErrFull) {
		t.Errorf("the disk is still full: %v", err)
	}
	makeRoom()
	if err := write(s, "room", nil); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	err = s.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket([]byte("b")).Stats().KeyN; n != kept+1 {
			t.Errorf("%d writes are there, want the %d that were acknowledged", n, kept+1)
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}
