package edge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve serves handler until the test ends.
func serve(tb testing.TB, handler http.Handler) (addr string) {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	ended := make(chan error)
	go func() { ended <- Serve(server, listener) }()
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

// exchange writes text and returns all that is answered until the server closes.
func exchange(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	answers, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(answers)
}

// statuses are those of answers that follow each other.
func statuses(t *testing.T, answers string) (all []int) {
	t.Helper()
	from := bufio.NewReader(strings.NewReader(answers))
	for {
		answer, err := http.ReadResponse(from, nil)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %q", err, answers)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		all = append(all, answer.StatusCode)
	}
}

func TestAHeadThatTheServerDoesNotUnderstandIsABadRequest(t *testing.T) {
	addr := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was asked") }))
	for _, head := range []string{
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \xff\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
		"GET / HTTP/0.9\r\nHost: h\r\n\r\n",
	} {
		if got := exchange(t, addr, head); got != refusal {
			t.Errorf("%q is answered %q", head, got)
		}
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(refusal)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); string(body) != `{"message":"Bad Request"}` || err != nil {
		t.Errorf("its body is %q, %v", body, err)
	}
}

func TestABadHeadIsRefusedAfterGoodOnesOnTheSameConnection(t *testing.T) {
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	good, bad := "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"
	if diff := cmp.Diff([]int{503, 503, 400}, statuses(t, exchange(t, addr, good+good+bad))); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAHandlerAnswersIsNotTouched(t *testing.T) {
	// Like the server's own, at the beginning of its own write, too long to be buffered.
	alike := "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nUnsupported transfer encoding"
	body := strings.Repeat(alike, 1000)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err != nil {
			http.ServeFile(w, r, file)
			return
		}
		w.WriteHeader(status)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, body)
	}))
	for path, want := range map[string]int{"/500": 500, "/501": 501, "/503": 503, "/505": 505, "/200": 200, "/file": 200} {
		for _, version := range []string{"1.0", "1.1"} { // the body as it is, and in chunks
			text := exchange(t, addr, "GET "+path+" HTTP/"+version+"\r\nHost: h\r\nConnection: close\r\n\r\n")
			answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != want || string(got) != body || err != nil {
				t.Errorf("%s, HTTP/%s: %d, %d bytes, %v", path, version, answer.StatusCode, len(got), err)
			}
		}
	}
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
