package client

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestErrorsAreAskedForByInstitutionAndTime(t *testing.T) {
	var asked string
	lake, _ := answers(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		answering(200, `{"from":"2026-11-22T12:00:00.000Z","to":"2026-11-22T13:00:00.000Z","complete":true,"groups":[{"owner":"a","code":"bad-delimiters","path":"MSH-2",`+
			`"connector":"staging-er7","count":2,"oldest":"2026-11-22T12:00:00.000Z","newest":"2026-11-22T12:00:01.000Z","ids":["2","1"]}]}`)(w, r)
	})
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	got, err := lake.Errors(t.Context(), Filter{Owner: "a", From: noon, To: noon.Add(time.Hour), Type: "ADT^A01"})
	want := ErrorGroups{From: noon, To: noon.Add(time.Hour), Complete: true, Groups: []ErrorGroup{{
		Owner: "a", Code: "bad-delimiters", Path: "MSH-2", Connector: "staging-er7", Count: 2, Oldest: noon, Newest: noon.Add(time.Second), IDs: []string{"2", "1"},
	}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if asked != "/errors?from=2026-11-22T12%3A00%3A00Z&owner=a&to=2026-11-22T13%3A00%3A00Z" {
		t.Error(asked)
	}
}
