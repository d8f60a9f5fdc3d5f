package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/cmd/lake/internal/term"
)

const logA = `{"timestamp":"2026-11-25T13:12:50.840Z","level":"INFO","action":"post","id":"01a2-a","owner":"x\u001b[2J"}
{"timestamp":"2026-11-25T13:12:52.000Z","level":"ERROR","msg":"no room","id":"01a2-b"}
`

func TestLogsAreShownInTheOrderOfTheirTimes(t *testing.T) {
	dir := folder(t, map[string]string{
		"connection.json": `{"endpoint":"http://127.0.0.1:1"}`,
		"logs/hl7lake-dev-front-door-IngestFunctionB02ED0EB-WLKFRN4U.log": logA,
		"logs/hl7lake-dev-staging-er7-ParseFunction0A23BAEF-CKLHCTGT.log": "2026/11/25 13:12:51 plain \x1b[2Jtext\n" + `{"timestamp":"2026-11-25T13:12:51.234Z","level":"INFO","action":"sns:Publish","id":"d","root":"01A2-A"}` + "\n",
	})
	const ingest, parse = "12:50.840Z", "12:51.234Z"
	got := call(t, nil, "", "logs", "--dir", dir)
	want := `               parse      2026/11/25 13:12:51 plain \x1b[2Jtext
13:12:50.840Z  ingest     INFO   action=post id=01a2-a owner="x\x1b[2J"
13:12:51.234Z  parse      INFO   action=sns:Publish id=d root=01A2-A
13:12:52.000Z  ingest     ERROR  no room id=01a2-b
`
	if diff := cmp.Diff(result{Out: want}, got); diff != "" {
		t.Error(diff)
	}
	if got := call(t, nil, "", "logs", "--dir", dir, "01A2-a"); strings.Count(got.Out, "\n") != 2 || !strings.Contains(got.Out, ingest) || !strings.Contains(got.Out, parse) {
		t.Errorf("of one message: %s", got.Out)
	}
	if got := call(t, nil, "", "logs", "--dir", dir, "--function", "parse"); strings.Count(got.Out, "\n") != 2 || strings.Contains(got.Out, "ingest") {
		t.Errorf("of one function: %s", got.Out)
	}
	if got := call(t, nil, "", "logs", "--dir", dir, "--json", "--function", "ingest"); got.Out != strings.ReplaceAll(logA, "\x1b", `\x1b`) {
		t.Errorf("--json: %s", got.Out)
	}
	for _, arguments := range [][]string{{"--function", "prase"}, {"nowhere"}} {
		if got := call(t, nil, "", append([]string{"logs", "--dir", dir}, arguments...)...); got.Status != statusRefused || !strings.Contains(got.Err, "ingest, parse") {
			t.Errorf("%s: %d: %s", arguments, got.Status, got.Err)
		}
	}
}

func TestFollowedLogsShowWhatIsWrittenNext(t *testing.T) {
	dir := folder(t, map[string]string{"connection.json": `{}`, "logs/a-IngestFunctionB02ED0EB-X.log": logA})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	out := &watched{until: "later", found: cancel}
	l := &program{out: term.Screen{Writer: out}, err: term.Screen{Writer: &watched{}}, getenv: func(string) string { return "" }, name: "lake"}
	ended := make(chan int, 1)
	go func() { ended <- l.run(ctx, []string{"logs", "--dir", dir, "--follow"}) }()
	for ctx.Err() == nil { // also in a new file, and not in one write
		for _, part := range []string{`{"level":"INFO","msg":"la`, "ter\"}\n"} {
			file, err := os.OpenFile(filepath.Join(dir, "logs", "a-WriterFunction9FC85C31-X.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			_, err = file.WriteString(part)
			file.Close()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	<-ended
	if !strings.Contains(out.text, "writer     INFO   later") || !strings.Contains(out.text, "no room") {
		t.Error(out.text)
	}
}

// watched is a writer that calls found as soon as a text was written.
type watched struct {
	text, until string
	found       func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.text += string(p)
	if w.found != nil && strings.Contains(w.text, w.until) {
		w.found()
	}
	return len(p), nil
}
