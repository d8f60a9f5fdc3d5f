package edge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

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

// TestAConnectionGoesOnAfterWhatWasNotRead sends a second request after a body of which
// the handler read a part.
func TestAConnectionGoesOnAfterWhatWasNotRead(t *testing.T) {
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 10)
		w.WriteHeader(http.StatusPreconditionFailed)
	}))
	const size = 1_000_000
	first := fmt.Sprintf("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
	last := "PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
	if got := statuses(t, exchange(t, addr, first+last)); len(got) != 2 {
		t.Errorf("answered %v", got)
	}
}
