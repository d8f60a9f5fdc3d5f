package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keepingLake keeps what is posted.
func keepingLake(t *testing.T) (url string, kept func() []string) {
	t.Helper()
	var mu sync.Mutex
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, string(body))
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return bodies
	}
}

func TestSendTellsWhatItSkipsWhenItSplitsAndSendsWholeMessagesOnly(t *testing.T) {
	const report = "MSH|^~\\&|A\rOBX|1|TX|||Report:\nFHS: regular\nend||F\r"
	for name, test := range map[string]struct {
		input  string
		kept   []string
		status int
		told   string
	}{
		"text like a header": {report + report, []string{report, report}, statusDone,
			"-: line 3, offset 30: kept as text, though it begins like a header\n" +
				"-: line 7, offset 80: kept as text, though it begins like a header\n" +
				"-: kept as text, though like a header: 2 lines\n" +
				"accepted: 2, duplicates: 0, refused: 0\n"},
		"segments in no message": {"BHS|^~\\&|A\rPID|1||Testperson\r" + report + "BTS|1\r", []string{report}, statusRefused,
			"-: line 2, offset 11: skipped 18 bytes, which belong to no message\n" +
				"-: line 5, offset 59: kept as text, though it begins like a header\n" +
				"-: skipped, as in no message: 18 bytes in 1 places; kept as text, though like a header: 1 lines\n" +
				"accepted: 1, duplicates: 0, refused: 0\n"},
		"a header broken": {"MSH|^~\\&|A\rPID|1\rMSH|Testperson|\rPID|2\r" + report[:11], []string{report[:11]}, statusRefused,
			"-: not certain how to divide: 2 places\n" +
				"accepted: 1, duplicates: 0, refused: 0, not sent: 2\n"},
		"a frame cut off": {"\v" + report + "\x1c\r\vMSH|^~\\&|B\rPID|1", []string{"\v" + report + "\x1c\r"}, statusRefused,
			"-: line 3, offset 31: kept as text, though it begins like a header\n" +
				"-: kept as text, though like a header: 1 lines; not certain how to divide: 1 places\n" +
				"accepted: 1, duplicates: 0, refused: 0, not sent: 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			url, kept := keepingLake(t)
			got := call(t, nil, test.input, "send", "-", "--split", "-p", "1", "--token", "x", "--url", url)
			if diff := cmp.Diff(test.kept, kept()) + cmp.Diff(test.told, got.Err); diff != "" || got.Status != test.status {
				t.Errorf("%d: %s", got.Status, diff)
			}
			if strings.Contains(got.Out+got.Err, "Testperson") {
				t.Errorf("content is told: %s%s", got.Out, got.Err)
			}
			asJSON := call(t, nil, test.input, "send", "-", "--split", "--json", "--token", "x", "--url", url)
			for line := range strings.Lines(asJSON.Out) {
				if !json.Valid([]byte(line)) {
					t.Errorf("no JSON: %s", line)
				}
			}
			if asJSON.Status != test.status {
				t.Errorf("--json: %d", asJSON.Status)
			}
		})
	}
}

func TestSendTellsSoManyPlacesAndTheSumOfAll(t *testing.T) {
	input := strings.Repeat("\vMSH|^~\\&|A\r\x1c\rOBX|1\r\x1c\r", 50)
	url, kept := keepingLake(t)
	got := call(t, nil, input, "send", "-", "--split", "--token", "x", "--url", url)
	if n := strings.Count(got.Err, "\n"); n != noticesShown+2 || len(kept()) != 50 {
		t.Errorf("%d lines, %d messages: %s", n, len(kept()), got.Err)
	}
	if !strings.Contains(got.Err, "-: skipped, as in no message: 400 bytes in 50 places\n") {
		t.Error(got.Err)
	}
}

func TestParseTellsWhatIsInNoMessage(t *testing.T) {
	input := "\vMSH|^~\\&|A\rNTE|1\rMSH: x\r\x1c\rOBX|1\r\x1c\r\vMSH|^~\\&|B\r"
	got := call(t, nil, input, "parse", "--path", "MSH-3", "-")
	want := result{
		Status: statusRefused,
		Out:    "A\nB\n",
		Err: "-: line 3, offset 18: kept as text, though it begins like a header\n" +
			"-#2: line 5, segment 1, offset 27: no-header: does not begin with an MSH segment\n" +
			"-#3: line 8, offset 47: unsure: not certain where the message ends\n" +
			"-: skipped, as in no message: 8 bytes in 1 places; kept as text, though like a header: 1 lines\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	stats := call(t, nil, input, "parse", "--stats", "--json", "-")
	var figures struct{ Besides noticed }
	if err := json.Unmarshal([]byte(stats.Out), &figures); err != nil || stats.Err != "" {
		t.Errorf("%v: %s", err, stats.Err)
	}
	if diff := cmp.Diff(noticed{Outside: 1, Bytes: 8, Lookalikes: 1}, figures.Besides); diff != "" {
		t.Error(diff)
	}
}
