// Package fulldisk lets a test write to a full disk. It limits the size of files, and
// that limit holds for a whole process, so such a test runs in a process of its own.
package fulldisk

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// alone is set in a process that runs one test only.
const alone = "FULL_DISK_TEST"

// Alone reports whether this process runs t only. If it does not, Alone runs t in a new
// process and fails t if that process fails; the caller then returns.
func Alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(alone) != "" {
		return true
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), alone+"=1")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	return false
}

// Fill lets no file grow beyond size bytes until makeRoom is called.
func Fill(t *testing.T, size uint64) (makeRoom func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit(t, syscall.Rlimit{Cur: size, Max: before.Max})
	return func() {
		t.Helper()
		limit(t, before)
	}
}

func limit(t *testing.T, size syscall.Rlimit) {
	t.Helper()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &size); err != nil {
		t.Fatal(err)
	}
}
