package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"hl7lake/local/store"
)

// full names the variable that has the test run in a process whose files cannot
// grow beyond a megabyte.
const full = "STORE_TEST_FULL"

// TestAFullDiskIsAnErrorAndLosesNothing fills the disk until a write is refused,
// makes room, and goes on.
func TestAFullDiskIsAnErrorAndLosesNothing(t *testing.T) {
	if os.Getenv(full) == "" {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), full+"=1")
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(t.TempDir(), "db"))
	limit(t, syscall.Rlimit{Cur: 1 << 20, Max: before.Max})
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
	limit(t, before)
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

func limit(t *testing.T, size syscall.Rlimit) {
	t.Helper()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &size); err != nil {
		t.Fatal(err)
	}
}
