package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/cmd/lake/internal/term"
)

// listing is a lake that answers with two pages, and notes what it was asked for.
func listing(t *testing.T) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.String())
		if r.URL.Query().Has("cursor") {
			fmt.Fprint(w, `{"messages":[{"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a76","owner":"lakeside","received":"2026-11-21T08:00:00.448Z","protocol":"x12",`+
				`"format":"edi","type":"unknown","state":"ingested","ended":true}],"other_protocols":true}`)
			return
		}
		fmt.Fprint(w, `{"messages":[{"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a79","owner":"st-elsewhere","received":"2026-11-22T20:32:43.448Z","protocol":"hl7v2",`+
			`"format":"er7","state":"accepted","ended":false},{"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77","owner":"st-elsewhere","received":"2026-11-22T20:32:42.448Z",`+
			`"protocol":"hl7v2","format":"er7","type":"ADT^A01","state":"error","ended":true,"reason":"bad-delimiters","connectors":["staging-er7"]}],"cursor":"next"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestAListIsARowForEachMessage(t *testing.T) {
	url, asked := listing(t)
	got := call(t, nil, "", "list", "--url", url, "--token", "x", "--type", "ADT^A01", "--from", "2026-11-01")
	want := result{Out: `RECEIVED             ID                                    TYPE     STATE
2026-11-22 20:32:43  019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a79           accepted
2026-11-22 20:32:42  019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77  ADT^A01  error bad-delimiters
2026-11-21 08:00:00  019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a76  unknown  ingested  lakeside
`, Err: "There are more protocols than a list covers; --protocol lists the messages of one.\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantAsked := []string{
		"/messages?from=2026-11-01T00%3A00%3A00Z&limit=50&type=ADT%5EA01",
		"/messages?cursor=next&from=2026-11-01T00%3A00%3A00Z&limit=48&type=ADT%5EA01",
	}
	if diff := cmp.Diff(wantAsked, *asked); diff != "" {
		t.Error(diff)
	}
}

func TestAListHasAsManyMessagesAsAreWanted(t *testing.T) {
	for limit, want := range map[string]struct {
		lines    int
		requests string
	}{
		"2": {2, "/messages?limit=2"},
		"0": {3, "/messages?limit=500 /messages?cursor=next&limit=500"},
		"3": {3, "/messages?limit=3 /messages?cursor=next&limit=1"},
	} {
		url, asked := listing(t)
		got := call(t, nil, "", "list", "--url", url, "--token", "x", "--limit", limit, "--json")
		if lines := strings.Count(got.Out, "\n"); lines != want.lines || strings.Join(*asked, " ") != want.requests || got.Status != statusDone {
			t.Errorf("--limit %s: status %d, %d lines, asked for %v", limit, got.Status, lines, *asked)
		}
		const first = `{"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a79","owner":"st-elsewhere","received":"2026-11-22T20:32:43.448Z","protocol":"hl7v2","format":"er7","state":"accepted","ended":false}` + "\n"
		if !strings.HasPrefix(got.Out, first) {
			t.Errorf("--json: %s", got.Out)
		}
	}
}

func TestAFollowedListGoesOnUntilItIsInterrupted(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const message = `{"id":"%d","owner":"st-elsewhere","received":%q,"type":"ADT^A01","state":"staged","ended":true}`
		n := asked.Add(1)
		fmt.Fprintf(w, `{"messages":[`+message+`]}`, n, time.Now().Format(time.RFC3339Nano))
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out := &watched{until: "  3  ", found: cancel}
	l := &program{out: term.Screen{Writer: out}, err: term.Screen{Writer: &watched{}}, getenv: func(string) string { return "" }, name: "lake"}
	if status := l.run(ctx, []string{"list", "--follow", "--url", server.URL, "--token", "x"}); status != statusDone {
		t.Errorf("status %d", status)
	}
	if strings.Count(out.text, "staged") != 3 {
		t.Error(out.text)
	}
}

func TestAListThatCannotBeAskedForIsWrongUsage(t *testing.T) {
	for want, arguments := range map[string][]string{
		`"done" is not a state: want accepted, ingested, staged, error or missing`: {"--state", "done"},
		"--limit -1: want 0 or more":            {"--limit", "-1"},
		`"yesterday" is not a time`:             {"--from", "yesterday"},
		"--follow cannot be combined with --to": {"--follow", "--to", "2026-11-01"},
		`"noon" is not a time`:                  {"--to", "noon"},
		"want no arguments, got 1 argument":     {"ID"},
	} {
		got := call(t, nil, "", append([]string{"list", "--url", "http://127.0.0.1:1", "--token", "x"}, arguments...)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, want) {
			t.Errorf("%v: %d %s", arguments, got.Status, got.Err)
		}
	}
}
