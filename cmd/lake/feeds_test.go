package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// answering is a lake that gives the answers at their paths.
func answering(t *testing.T, answers map[string]string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.String()]) }))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAFeedIsARowWithItsDay(t *testing.T) {
	var hours []string
	for n := range 24 {
		hours = append(hours, fmt.Sprintf(`{"from":"2026-11-22T00:00:00Z","count":%d}`, n*10))
	}
	feed := `{"owner":"st-elsewhere","last":"2026-11-22T11:00:00.000Z","hours":[` + strings.Join(hours, ",") + `],"usual":{"per_hour":51.4,"days":7},"silent_minutes":75,"silent":true}`
	never := `{"owner":"an-institution-with-a-name","hours":[` + strings.Repeat(`{"from":"2026-11-22T00:00:00Z","count":0},`, 23) + `{"from":"2026-11-22T00:00:00Z","count":0}],"silent_minutes":0,"silent":false}`
	url := answering(t, map[string]string{"/feeds": `{"now":"2026-11-22T12:15:00.000Z","feeds":[` + feed + "," + never + "]}"})
	want := result{Out: `OWNER             LAST                 24 HOURS                   USUALLY
st-elsewhere      2026-11-22 11:00:00  ·▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███      51/h  silent
an-institution-with-a-name  never                ························
`}
	if diff := cmp.Diff(want, call(t, nil, "", "feeds", "--url", url, "--token", "x")); diff != "" {
		t.Error(diff)
	}
	if got := call(t, nil, "", "feeds", "--json", "--url", url, "--token", "x"); !strings.Contains(got.Out, `"per_hour":51.4`) || strings.Count(got.Out, "\n") != 1 {
		t.Errorf("%+v", got)
	}
}

func TestErrorsAreRowsByReason(t *testing.T) {
	const groups = `{"from":"2026-11-20T00:00:00.000Z","to":"2026-11-22T12:15:00.000Z","complete":false,"groups":[{"owner":"st-elsewhere","code":"bad-delimiters","path":"MSH-2",` +
		`"connector":"staging-er7","count":12,"oldest":"2026-11-21T00:00:00.000Z","newest":"2026-11-22T12:00:00.000Z","ids":["1"]},` +
		`{"owner":"lakeside","code":"no-header","connector":"staging-er7","count":1,"oldest":"2026-11-21T00:00:00.000Z","newest":"2026-11-21T00:00:00.000Z","ids":["2"]}]}`
	url := answering(t, map[string]string{"/errors?from=2026-11-20T00%3A00%3A00Z&owner=a": groups, "/errors": `{"to":"2026-11-22T12:15:00.000Z","complete":true,"groups":[]}`})
	want := result{Out: `MESSAGES  NEWEST               OWNER             REASON
      12  2026-11-22 12:00:00  st-elsewhere      bad-delimiters at MSH-2  staging-er7
       1  2026-11-21 00:00:00  lakeside          no-header  staging-er7
`, Err: "There are earlier errors, from before 2026-11-20 00:00:00, that were not counted.\n"}
	if diff := cmp.Diff(want, call(t, nil, "", "errors", "--from", "2026-11-20", "--owner", "a", "--url", url, "--token", "x")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(result{Err: "There is no message in error.\n"}, call(t, nil, "", "errors", "--url", url, "--token", "x")); diff != "" {
		t.Error(diff)
	}
	if got := call(t, nil, "", "errors", "--json", "--url", url, "--token", "x"); !strings.Contains(got.Out, `"groups":[]`) {
		t.Errorf("%+v", got)
	}
	if got := call(t, nil, "", "errors", "--from", "yesterday"); got.Status != statusUnusable {
		t.Errorf("%+v", got)
	}
}
