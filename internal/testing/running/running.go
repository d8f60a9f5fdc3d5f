// Package running runs a lake on this machine as long as a test runs.
package running

import (
	"testing"

	"hl7lake/client"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
)

// Lake runs a lake with the options until the test ends, and returns how to reach it. The
// test fails if the lake cannot be started or does not end well.
func Lake(t testing.TB, o local.Options, tests ...testbed.Options) (*local.Lake, client.Connection) {
	t.Helper()
	running, err := local.Start(t.Context(), o, tests...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	connection, err := client.ConnectionTo(running)
	if err != nil {
		t.Fatal(err)
	}
	return running, connection
}
