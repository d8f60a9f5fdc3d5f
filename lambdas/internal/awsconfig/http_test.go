package awsconfig

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// stream hides what a reader is, as the SDK's readers do.
type stream struct{ io.Reader }

func (stream) Close() error { return nil }

// TestAShortRequestLeavesInOneWrite looks at what the other end reads first. A header
// without its body would sooner or later be read alone by a waiting reader.
func TestAShortRequestLeavesInOneWrite(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reads := make(chan []byte)
	ended := make(chan error, 1)
	go func() { ended <- readAndAnswer(t.Context(), listener, reads) }()
	defer func() {
		listener.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}()
	c := newClient()
	body := strings.Repeat("x", 3000)
	for range 50 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+listener.Addr().String(), stream{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = int64(len(body))
		answered := make(chan error, 1)
		go func() {
			answer, err := c.Do(request)
			if err == nil {
				err = errors.Join(err, answer.Body.Close())
			}
			answered <- err
		}()
		if first := <-reads; !bytes.HasSuffix(first, []byte("\r\n\r\n"+body)) {
			t.Fatalf("the first of several reads has %d bytes", len(first))
		}
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
	}
}

// readAndAnswer tells what the first read of each connection brings, and takes it for a
// whole request. It ends with the listener.
func readAndAnswer(ctx context.Context, listener net.Listener, reads chan<- []byte) error {
	for {
		c, err := listener.Accept()
		if err != nil {
			return err
		}
		buffer := make([]byte, inOneWrite)
		n, err := c.Read(buffer)
		if err == nil {
			select {
			case reads <- buffer[:n]:
				_, err = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err = errors.Join(err, c.Close()); err != nil {
			return err
		}
	}
}
