package main

import (
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
)

// lakeOf answers a post by what it holds: the first word of the message's third field is
// the status.
func lakeOf(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var status int
		var id string
		if _, err := fmt.Sscanf(string(body), "MSH|^~\\&|%d %s", &status, &id); err != nil {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
		if status < http.StatusBadRequest || id == "id-same" {
			fmt.Fprintf(w, `{"id":%q}`, id)
			return
		}
		fmt.Fprintf(w, `{"id":%q,"detail":"It says %d."}`, id, status)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// folder writes files and returns where they are.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSendReportsEachMessageInItsOrder(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.hl7": "MSH|^~\\&|201 id-a", "b/c.hl7": "MSH|^~\\&|409 id-c", "b/d.hl7": "MSH|^~\\&|409 id-same", "d.txt": "MSH|^~\\&|403 id-d", "e.hl7": "MSH|^~\\&|201 id-e", ".hidden": "x",
	})
	got := call(t, map[string]string{"LAKE_TOKEN": "x"}, "MSH|^~\\&|201 id-in", "send", dir, "-", filepath.Join(dir, "none"), "--url", lakeOf(t))
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{
		Status: statusUnusable,
		Out: `201  DIR/a.hl7  id-a
409  DIR/b/c.hl7  id-c  duplicate: It says 409.
409  DIR/b/d.hl7  id-same  duplicate
403  DIR/d.txt  It says 403.
201  DIR/e.hl7  id-e
201  -  id-in
-    DIR/none  there is no such file or folder
`,
		Err: "accepted: 3, duplicates: 2, refused: 1, unreadable: 1\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSendIsDoneWhenAllIsInTheLake(t *testing.T) {
	dir := folder(t, map[string]string{"a.hl7": "MSH|^~\\&|201 id-a", "b.hl7": "MSH|^~\\&|409 id-b"})
	got := call(t, nil, "", "send", dir, "--json", "--token", "x", "--url", lakeOf(t))
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	want := result{
		Out: `{"file":"DIR/a.hl7","status":201,"id":"id-a","duplicate":false,"attempts":1}
{"file":"DIR/b.hl7","status":409,"id":"id-b","duplicate":true,"detail":"It says 409.","attempts":1}
`,
		Err: "accepted: 1, duplicates: 1, refused: 0\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSendSplitsABatchIntoItsMessages(t *testing.T) {
	batch := "FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|201 id-1|\rPID|1\rMSH|^~\\&|201 id-2|\rPID|1\rBTS|2\rFTS|1\r"
	got := call(t, nil, batch, "send", "-", "--split", "--token", "x", "--url", lakeOf(t))
	want := result{Out: "201  -#1  id-1|\n201  -#2  id-2|\n", Err: "accepted: 2, duplicates: 0, refused: 0\n"}
	got.Out = strings.ReplaceAll(got.Out, "\rPID", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSendStopsWhereTheLakeIsGone(t *testing.T) {
	dir := folder(t, map[string]string{"a.hl7": "MSH|", "b.hl7": "MSH|"})
	got := call(t, nil, "", "send", dir, "--token", "x", "--url", "http://127.0.0.1:1")
	if got.Status != statusUnreachable || got.Out != "" || strings.Count(got.Err, "no answer") != 1 {
		t.Errorf("%+v", got)
	}
}

func TestSendKeepsSoManyRequestsInFlightAndNoMore(t *testing.T) {
	const most, messages = 3, 20
	var now, peak atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := now.Add(1); n > peak.Load() {
			peak.Store(n)
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"1"}`)
	}))
	t.Cleanup(server.Close)
	files := map[string]string{}
	for n := range messages {
		files[fmt.Sprintf("%02d.hl7", n)] = "MSH|"
	}
	got := call(t, nil, "", "send", folder(t, files), "--parallel", "3", "--token", "x", "--url", server.URL)
	if got.Status != statusDone || peak.Load() > most || peak.Load() < 2 {
		t.Errorf("status %d, %d at once", got.Status, peak.Load())
	}
}

// lakeThatEnds accepts messages. Their third field, which is also their id, says what
// becomes of them.
func lakeThatEnds(t *testing.T) string {
	t.Helper()
	ways := map[string]string{
		"staged": `{"id":"staged","status":"staged","ended":true,"history":[{"zone":"ingestion"},{"zone":"staging","connector":"staging-er7"}]}`,
		"error": `{"id":"error","status":"error","ended":true,"history":[{"zone":"ingestion"},
			{"zone":"error","connector":"staging-er7","reason":{"code":"bad-delimiters","segment":1,"offset":4}}]}`,
		"never": `{"id":"never","status":"ingested","history":[{"zone":"ingestion"}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, ways[strings.TrimPrefix(r.URL.Path, "/messages/")])
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":%q}`, strings.Split(string(body), "|")[2])
	}))
	t.Cleanup(server.Close)
	return server.URL
}
