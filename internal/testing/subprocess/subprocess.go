// Package subprocess helps tests that run programs: it finds a free address for one,
// keeps its output, and lets it not outlive the test.
package subprocess

import (
	"bytes"
	"net"
	"sync"
	"testing"
)

// FreeAddress returns an address, host:port, of the loopback interface that nobody
// listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Output keeps what a program writes. The program may still write while it is read. The
// zero value is empty.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the output.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// Tail returns the last n bytes, or all if there are fewer.
func (o *Output) Tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.String()
	return text[max(0, len(text)-n):]
}
