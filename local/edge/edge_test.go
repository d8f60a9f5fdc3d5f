package edge

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serve serves handler until the test ends.
func serve(tb testing.TB, handler http.Handler) (addr string) {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{Handler: Handler(handler)}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	tb.Cleanup(func() {
		if err := server.Close(); err != nil {
			tb.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			tb.Error(err)
		}
	})
	return listener.Addr().String()
}

func BenchmarkARequest(b *testing.B) {
	addr := serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	c, err := new(net.Dialer).DialContext(b.Context(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	from := bufio.NewReader(c)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		answer, err := http.ReadResponse(from, nil)
		if err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
	}
}

// refusing answers without a look at what is sent.
var refusing = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusPreconditionFailed)
	_, _ = io.WriteString(w, "no")
})

// TestWhoSendsWhileRefusedHearsTheRefusal sends at once, without waiting for 100
// Continue, what the handler does not read.
func TestWhoSendsWhileRefusedHearsTheRefusal(t *testing.T) {
	addr := serve(t, refusing)
	transport := &http.Transport{ExpectContinueTimeout: time.Nanosecond}
	defer transport.CloseIdleConnections()
	for _, size := range []int{2_000_001, 5_000_000, 20_000_000} {
		for _, expect := range []string{"", "100-continue"} {
			for range 10 {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+addr, bytes.NewReader(make([]byte, size)))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Expect", expect)
				answer, err := transport.RoundTrip(request)
				if err != nil {
					t.Errorf("%d bytes, Expect %q: %v", size, expect, err)
					continue
				}
				body, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if answer.StatusCode != http.StatusPreconditionFailed || string(body) != "no" || err != nil {
					t.Errorf("%d bytes, Expect %q: %d %q, %v", size, expect, answer.StatusCode, body, err)
				}
			}
		}
	}
}

func TestWhoWaitsForContinueIsRefusedWithoutSending(t *testing.T) {
	addr := serve(t, refusing)
	const head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n"
	begin := time.Now()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusPreconditionFailed || !answer.Close || time.Since(begin) > leftoverWait/2 {
		t.Errorf("after %s: %d, closes: %t", time.Since(begin), answer.StatusCode, answer.Close)
	}
}

// TestAConnectionGoesOnAfterWhatWasNotRead sends a second request after a body that the
// handler read only in part.
func TestAConnectionGoesOnAfterWhatWasNotRead(t *testing.T) {
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 10)
		w.WriteHeader(http.StatusPreconditionFailed)
	}))
	const size = 1_000_000
	first := fmt.Sprintf("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
	last := "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, first+last); err != nil {
		t.Fatal(err)
	}
	answers, err := io.ReadAll(c)
	if n := strings.Count(string(answers), "HTTP/1.1 412 "); n != 2 || err != nil {
		t.Errorf("%d answers, %v: %q", n, err, answers)
	}
}
