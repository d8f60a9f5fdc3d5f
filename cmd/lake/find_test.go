package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// foundPages is a lake that finds two messages on two pages, and notes what it was asked.
func foundPages(t *testing.T) (url string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*asked = append(*asked, r.Method+" "+r.URL.String()+" "+string(body))
		row := `{"messages":[{"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a7%d","owner":"st-elsewhere","received":"2026-11-22T20:32:4%[1]d.448Z","protocol":"hl7v2",` +
			`"format":"er7","type":"ADT^A01","state":"staged","ended":true}]%s}`
		if strings.Contains(string(body), "cursor") {
			fmt.Fprintf(w, row, 1, "")
			return
		}
		fmt.Fprintf(w, row, 2, `,"cursor":"next"`)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func TestFindShowsTheMessagesThatHaveAnIdentifier(t *testing.T) {
	const rows = `RECEIVED             ID                                    TYPE     STATE
2026-11-22 20:32:42  019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a72  ADT^A01  staged
2026-11-22 20:32:41  019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a71  ADT^A01  staged
`
	for arguments, test := range map[string]struct{ input, want string }{
		"--patient 4711": {"", `{"kind":"patient","value":"4711"`},
		"--patient 4711 --authority X --owner st-elsewhere": {"", `{"kind":"patient","value":"4711","authority":"X","owner":"st-elsewhere"`},
		"--account A":                {"", `{"kind":"account","value":"A"`},
		"--visit V":                  {"", `{"kind":"visit","value":"V"`},
		"--control-id C":             {"", `{"kind":"control-id","value":"C"`},
		"--order -":                  {" O 1\r\n", `{"kind":"order","value":" O 1"`},
		"--kind accession --value -": {"4", `{"kind":"accession","value":"4"`},
	} {
		url, asked := foundPages(t)
		got := call(t, nil, test.input, append([]string{"find", "--url", url, "--token", "x"}, strings.Fields(arguments)...)...)
		if diff := cmp.Diff(result{Out: rows}, got); diff != "" {
			t.Errorf("%s:\n%s", arguments, diff)
		}
		want := []string{"POST /messages/search " + test.want + `,"limit":50}`, "POST /messages/search " + test.want + `,"limit":49,"cursor":"next"}`}
		if diff := cmp.Diff(want, *asked); diff != "" {
			t.Errorf("%s:\n%s", arguments, diff)
		}
	}
	url, asked := foundPages(t)
	got := call(t, nil, "", "find", "--url", url, "--token", "x", "--patient", "4711", "--limit", "1", "--json")
	if got.Status != 0 || strings.Count(got.Out, "\n") != 1 || !strings.Contains(got.Out, `"id":"019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a72"`) || len(*asked) != 1 {
		t.Errorf("%+v, asked %q", got, *asked)
	}
}

func TestFindWantsOneIdentifier(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                         "nothing to find",
		"--patient 1 --visit 2":    "more than one",
		"--patient 1 --kind x":     "more than one",
		"--kind accession":         "nothing to find",
		"--value 1":                "nothing to find",
		"--patient 1 --limit -1":   "--limit -1",
		"4711":                     "no arguments",
		"--authority X":            "nothing to find",
		"--patient 1 --bad-option": "unknown flag",
	} {
		got := call(t, nil, "", append([]string{"find"}, strings.Fields(arguments)...)...)
		if got.Status != 2 || !strings.Contains(got.Err, want) {
			t.Errorf("%q: %+v", arguments, got)
		}
	}
}

func TestALakeWithoutFinderSaysSo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"Not Found"}`)
	}))
	t.Cleanup(server.Close)
	got := call(t, nil, "", "find", "--url", server.URL, "--token", "x", "--patient", "4711")
	if got.Status != 1 || !strings.Contains(got.Err, "this lake has no Finder") || strings.Contains(got.Err, "4711") {
		t.Errorf("%+v", got)
	}
}

func TestAFinderPlaceIsAnInstitutionAndAMessage(t *testing.T) {
	for _, wrong := range []string{"st-elsewhere", "/019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a72", "st-elsewhere/1"} {
		got := call(t, nil, "", "finder", "rebuild", "--after", wrong)
		if got.Status != 2 || !strings.Contains(got.Err, "--after") {
			t.Errorf("%s: %+v", wrong, got)
		}
	}
	got := call(t, nil, "", "finder", "rebuild", "--from", "2026-03-02", "--to", "2026-03-01")
	if got.Status != 2 || !strings.Contains(got.Err, "--from is not before --to") {
		t.Errorf("%+v", got)
	}
}
