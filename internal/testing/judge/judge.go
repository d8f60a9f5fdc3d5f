// Package judge ends tests that need a program by others which is not installed. Such a
// test is skipped, and says so. Where .ci/run has installed the program, the test fails:
// a judge that silently stayed away would pass everything.
package judge

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Required reports whether the program must be there: whether the environment variable
// JUDGES has its name. .ci/run lists there, separated by spaces, what it has installed.
func Required(name string) bool {
	return slices.Contains(strings.Fields(os.Getenv("JUDGES")), name)
}

// Missing ends the test because a program is not installed. The message says which one,
// and how to install it.
func Missing(t testing.TB, name, message string) {
	t.Helper()
	if Required(name) {
		t.Fatal(message)
	}
	t.Skip("SKIPPED: " + message)
}
