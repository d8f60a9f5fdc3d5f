package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/operate"
)

func TestAReplayIsOfOneInstitutionAndAnsweredWithItsOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		id, body string
		err      error
		charset  string
		status   int
		want     string
	}{
		"as it declares":           {first, "", nil, "", 200, `{"id":"` + first + `","done":true}`},
		"in capitals":              {strings.ToUpper(first), "{}", nil, "", 200, `{"id":"` + first + `","done":true}`},
		"in another character set": {first, `{"charset":"Latin1"}`, nil, "iso-8859-1", 200, `{"id":"` + first + `","done":true}`},
		"unknown":                  {first, "", operate.ErrNoMessage, "", 404, "not-found"},
		"forgotten":                {first, "", operate.ErrForgotten, "", 410, "gone"},
		"expired":                  {first, "", fmt.Errorf("replay: %w", operate.ErrGone), "", 410, "gone"},
		"an outage":                {first, "", errors.New("no answer"), "", 503, "unavailable"},
	} {
		s := &side{results: []operate.Replayed{{ID: first, Done: test.err == nil, Err: test.err}}}
		got := s.ask(t, routeOne, test.id, test.body, owner)
		if got.StatusCode != test.status || !strings.Contains(got.Body, test.want) || got.Headers["Cache-Control"] != "no-store" {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Body)
		}
		if diff := cmp.Diff(&operate.Selection{IDs: []string{first}, Owner: owner, Charset: test.charset}, s.selection); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		lines := fake.Lines(t, s.log.String(), "audit", "action", "who", "operates", "id", "read_in")
		if want := []map[string]any{{"action": "replay", "who": "user-1", "operates": owner, "id": first, "read_in": test.charset}}; !cmp.Equal(want, lines) {
			t.Errorf("%s: recorded as %v", name, lines)
		}
	}
}

func TestAReplayThatCannotBeUnderstoodDoesNothing(t *testing.T) {
	many := `{"ids":["` + strings.Repeat(first+`","`, 100) + first + `"]}`
	for name, test := range map[string]struct {
		route, id, body string
		status          int
		code            string
	}{
		"no id":                       {routeOne, canary.ControlID, "", 404, "not-found"},
		"a derived id":                {routeOne, derived, "", 404, "not-found"},
		"an unknown character set":    {routeOne, first, `{"charset":"` + canary.ControlID + `"}`, 400, "bad-charset"},
		"an unknown member":           {routeOne, first, `{"owner":"` + canary.ControlID + `"}`, 400, "bad-json"},
		"nothing":                     {routeSome, "", "", 400, "bad-replay"},
		"everything":                  {routeSome, "", `{"type":"ADT^A01"}`, 400, "bad-replay"},
		"another institution":         {routeSome, "", `{"errors":true,"owner":"lakeside"}`, 400, "bad-json"},
		"ids and errors":              {routeSome, "", `{"errors":true,"ids":["` + first + `"]}`, 400, "bad-replay"},
		"ids and a type":              {routeSome, "", `{"type":"ADT^A01","ids":["` + first + `"]}`, 400, "bad-replay"},
		"no ids":                      {routeSome, "", `{"ids":[]}`, 400, "bad-replay"},
		"more than a hundred ids":     {routeSome, "", many, 400, "bad-replay"},
		"an id that is none":          {routeSome, "", `{"ids":["` + canary.ControlID + `"]}`, 400, "bad-replay"},
		"a time that is none":         {routeSome, "", `{"errors":true,"from":"` + canary.ControlID + `"}`, 400, "bad-json"},
		"to before from":              {routeSome, "", `{"errors":true,"from":"2026-11-23T00:00:00Z","to":"2026-11-22T00:00:00Z"}`, 400, "bad-replay"},
		"after something else":        {routeSome, "", `{"errors":true,"after":"` + canary.ControlID + `"}`, 400, "bad-replay"},
		"in an unknown character set": {routeSome, "", `{"errors":true,"charset":"` + canary.ControlID + `"}`, 400, "bad-charset"},
	} {
		s := &side{}
		got := s.ask(t, test.route, test.id, test.body, owner)
		if got.StatusCode != test.status || !strings.Contains(got.Body, `"code":"`+test.code+`"`) || s.selection != nil {
			t.Errorf("%s: %d %s, asked for %+v", name, got.StatusCode, got.Body, s.selection)
		}
		canary.Check(t, name, got.Body)
		canary.Check(t, name+": the log", s.log.String())
		if lines := fake.Lines(t, s.log.String(), "audit", "outcome"); len(lines) != 1 || lines[0]["outcome"] != test.code {
			t.Errorf("%s: recorded as %v", name, lines)
		}
	}
}

func TestSeveralMessagesAreSelectedByIDsOrByTheirErrors(t *testing.T) {
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for body, want := range map[string]operate.Selection{
		`{"ids":["` + other + `","` + first + `","` + strings.ToUpper(first) + `"],"charset":"utf8"}`: {IDs: []string{first, other}, Owner: owner, Charset: "utf-8"},
		`{"errors":true}`: {Errors: true, Owner: owner},
		`{"errors":true,"type":"ADT^A01","code":"no-header","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z","after":"` + first + `"}`: {
			Errors: true, Owner: owner, Type: "ADT^A01", Code: "no-header", From: day, To: day.AddDate(0, 0, 1), After: first,
		},
	} {
		s := &side{}
		got := s.ask(t, routeSome, "", body, owner)
		if diff := cmp.Diff(&want, s.selection); diff != "" || got.StatusCode != 200 || got.Body != `{"replayed":0,"failed":0,"more":false,"results":[]}` {
			t.Errorf("%s: %d %s %s", body, got.StatusCode, got.Body, diff)
		}
	}
}

func TestEachOfSeveralMessagesHasItsOutcomeAndItsRecord(t *testing.T) {
	s := &side{
		results: []operate.Replayed{
			{ID: other, Owner: owner, Type: "ADT^A01", Err: fmt.Errorf("get %s: %w", canary.ControlID, operate.ErrGone)},
			{ID: first, Owner: owner, Type: "ADT^A01", Done: true},
			{ID: derived, Err: errors.New("no answer")},
		},
		next: other, more: true,
	}
	got := s.ask(t, routeSome, "", `{"errors":true}`, owner)
	want := `{"replayed":1,"failed":2,"more":true,"next":"` + other + `","results":[` +
		`{"id":"` + first + `","done":true},{"id":"` + other + `","done":false,"error":"gone"},{"id":"` + derived + `","done":false,"error":"unavailable"}]}`
	if diff := cmp.Diff(want, got.Body); diff != "" || got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, diff)
	}
	var outcomes []string
	for _, line := range fake.Lines(t, s.log.String(), "audit", "action", "outcome", "id") {
		outcomes = append(outcomes, fmt.Sprint(line["action"], " ", line["outcome"], " ", line["id"]))
	}
	if want := []string{"replay gone " + other, "replay done " + first, "replay failed " + derived, "replay-some done <nil>"}; !slices.Equal(outcomes, want) {
		t.Errorf("recorded as %q", outcomes)
	}
	canary.Check(t, "the answer", got.Body)
	canary.Check(t, "the log", s.log.String())

	s.err = errors.New("the catalog does not answer")
	if got := s.ask(t, routeSome, "", `{"errors":true}`, owner); got.StatusCode != 503 {
		t.Errorf("without the catalog: %d %s", got.StatusCode, got.Body)
	}
	s.err = nil
	if got := s.ask(t, routeSome, "", `{"ids":["`+first+`"]}`, owner); strings.Contains(got.Body, "next") {
		t.Errorf("of ids: %s", got.Body)
	}
}
