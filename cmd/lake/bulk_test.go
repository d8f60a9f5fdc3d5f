package main

// This file is about sending many messages: what is counted, what an interruption leaves,
// where a second run goes on.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/cmd/lake/internal/term"
)

// several are files with one message each, distinguished by MSH-10.
func several(t *testing.T, n int) string {
	t.Helper()
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("%04d.hl7", i)] = fmt.Sprintf("MSH|^~\\&|A||||2026||ADT^A01|%d|P|2.5\r", i)
	}
	return folder(t, files)
}

// lakeUntil accepts that many posts, and then answers with after, which may be nil.
func lakeUntil(t *testing.T, most int, then http.HandlerFunc) (server *httptest.Server, posts *atomic.Int32) {
	t.Helper()
	posts = &atomic.Int32{}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if n := posts.Add(1); int(n) > most {
			then(w, r)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}))
	t.Cleanup(server.Close)
	return server, posts
}

// abort closes a connection without an answer.
func abort(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestManyAnswersAreCountedAndErrorsGrouped(t *testing.T) {
	server, _ := lakeUntil(t, 150, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code":"bad-charset","detail":"The charset is not known."}`)
	})
	dir := several(t, 1000)
	got := call(t, nil, "", "send", dir, "-p", "1", "--token", "x", "--url", server.URL)
	if lines := strings.Count(got.Out, "\n"); lines != linesShown || got.Status != statusRefused {
		t.Errorf("%d: %d lines", got.Status, lines)
	}
	want := fmt.Sprintf(`Further answers are counted; --json writes a line for each.
850 × 400: The charset is not known.
    %[1]s/0150.hl7
    %[1]s/0151.hl7
    %[1]s/0152.hl7
    and 847 more
accepted: 150, duplicates: 0, refused: 850
`, dir)
	if diff := cmp.Diff(want, got.Err); diff != "" {
		t.Error(diff)
	}
	server, _ = lakeUntil(t, 1000, nil)
	got = call(t, nil, "", "send", dir, "--json", "--token", "x", "--url", server.URL)
	if lines := strings.Count(got.Out, "\n"); lines != 1000 {
		t.Errorf("--json: %d lines", lines)
	}
}

func TestADroppedConnectionIsTriedAgain(t *testing.T) {
	var dropped atomic.Bool
	server, posts := lakeUntil(t, 2, func(w http.ResponseWriter, r *http.Request) {
		if !dropped.Swap(true) {
			abort(w, r)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	got := call(t, nil, "", "send", several(t, 5), "-p", "1", "--token", "x", "--url", server.URL)
	if got.Status != statusDone || posts.Load() != 6 || !strings.Contains(got.Err, "accepted: 5") {
		t.Errorf("%d, %d posts: %s", got.Status, posts.Load(), got.Err)
	}
}

// interrupted runs the program with arguments, and ends it as Ctrl-C does when the lake
// says so.
func interrupted(ctx context.Context, arguments ...string) result {
	var out, err bytes.Buffer
	l := &program{
		in: strings.NewReader(""), out: term.Screen{Writer: &out}, err: term.Screen{Writer: &err},
		getenv: func(string) string { return "" }, name: "lake",
	}
	return result{Status: l.run(ctx, arguments), Out: out.String(), Err: err.String()}
}

func TestAnInterruptedSendSaysHowFarItCameAndGoesOnThere(t *testing.T) {
	for name, resume := range map[string][]string{"from the start with a journal": {"--resume"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			dir := several(t, 20)
			ctx, cancel := context.WithCancel(t.Context())
			server, _ := lakeUntil(t, 8, func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			})
			command := []string{"send", dir, "-p", "1", "--token", "x", "--url"}
			got := interrupted(ctx, append(append(command, server.URL), resume...)...)
			if got.Status != statusInterrupted || !strings.Contains(got.Err, "accepted: 8,") || !strings.Contains(got.Err, "--resume") {
				t.Fatalf("%d: %s", got.Status, got.Err)
			}
			if journals := journalsIn(t, dir); len(journals) != 1 {
				t.Fatalf("journals: %s", journals)
			}
			// Another lake has none of them.
			other, _ := lakeUntil(t, 20, nil)
			if got := call(t, nil, "", append(command, other.URL, "--resume")...); !strings.Contains(got.Err, "accepted: 20,") {
				t.Errorf("another lake: %s", got.Err)
			}
			// What has changed since then is sent again.
			if err := os.WriteFile(filepath.Join(dir, "0000.hl7"), []byte(one), 0o600); err != nil {
				t.Fatal(err)
			}
			server.Config.Handler = other.Config.Handler
			again, posts := lakeUntil(t, 100, nil)
			server.Config.Handler = again.Config.Handler
			got = call(t, nil, "", append(command, server.URL, "--resume")...)
			if got.Status != statusDone || posts.Load() != 13 || !strings.Contains(got.Err, "accepted: 13, duplicates: 0, refused: 0, sent before: 7") {
				t.Errorf("%d, %d posts: %s", got.Status, posts.Load(), got.Err)
			}
			if journals := journalsIn(t, dir); len(journals) != 0 {
				t.Errorf("all is sent, but there are %s", journals)
			}
		})
	}
}

func journalsIn(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, ".lake-send-*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestASplitFileGoesOnWithinIt(t *testing.T) {
	var batch strings.Builder
	for i := range 20 {
		fmt.Fprintf(&batch, "MSH|^~\\&|A||||2026||ADT^A01|%d|P|2.5\r", i)
	}
	dir := folder(t, map[string]string{"batch.hl7": batch.String()})
	ctx, cancel := context.WithCancel(t.Context())
	server, _ := lakeUntil(t, 8, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	command := []string{"send", filepath.Join(dir, "batch.hl7"), "--split", "-p", "1", "--token", "x", "--url", server.URL}
	if got := interrupted(ctx, command...); got.Status != statusInterrupted {
		t.Fatalf("%d: %s", got.Status, got.Err)
	}
	again, posts := lakeUntil(t, 100, nil)
	server.Config.Handler = again.Config.Handler
	got := call(t, nil, "", append(command, "--resume")...)
	if got.Status != statusDone || posts.Load() != 12 || !strings.Contains(got.Out, "batch.hl7#9 ") {
		t.Errorf("%d, %d posts: %s%s", got.Status, posts.Load(), got.Out, got.Err)
	}
}

func TestALostConnectionIsToldWithWhatWasSent(t *testing.T) {
	t.Parallel() // it is tried again for some seconds
	server, _ := lakeUntil(t, 3, nil)
	inner, served := server.Config.Handler, atomic.Int32{}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) > 3 {
			abort(w, r)
		}
		inner.ServeHTTP(w, r)
	})
	got := call(t, nil, "", "send", several(t, 10), "-p", "1", "--token", "x", "--url", server.URL)
	if got.Status != statusUnreachable || !strings.Contains(got.Err, "accepted: 3, duplicates: 0, refused: 0, without an answer: 1") || !strings.Contains(got.Err, "--resume") {
		t.Errorf("%d: %s", got.Status, got.Err)
	}
}

func TestATokenThatExpiresEndsTheSendWithHowToGoOn(t *testing.T) {
	server, posts := lakeUntil(t, 3, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message":"Unauthorized"}`)
	})
	got := call(t, nil, "", "send", several(t, 10), "-p", "1", "--token", "x", "--url", server.URL)
	if got.Status != statusRefused || posts.Load() > 5 {
		t.Errorf("%d after %d posts: %s", got.Status, posts.Load(), got.Err)
	}
	for _, want := range []string{"accepted: 3, duplicates: 0, refused: 0\n", "--resume", "lake: 401 Unauthorized\n", "`lake token` gives a new one"} {
		if !strings.Contains(got.Err, want) {
			t.Errorf("no %q in %s", want, got.Err)
		}
	}
}

func TestATerminalShowsHowFarItIs(t *testing.T) {
	server, _ := lakeUntil(t, 0, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(20 * time.Millisecond)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	})
	var out, err bytes.Buffer
	l := &program{
		in: strings.NewReader(""), out: term.Screen{Writer: &out}, err: term.Screen{Writer: &err, Live: true, Width: 80},
		getenv: func(string) string { return "" }, name: "lake",
	}
	l.run(t.Context(), []string{"send", several(t, 50), "-p", "1", "--token", "x", "--url", server.URL})
	if !strings.Contains(err.String(), "messages, ") || !strings.Contains(err.String(), "/s, ") || !strings.Contains(err.String(), " left") {
		t.Errorf("%q", err.String())
	}
	if quiet := call(t, nil, "", "send", several(t, 50), "--token", "x", "--url", server.URL); strings.Contains(quiet.Err, "left") {
		t.Error(quiet.Err)
	}
}
