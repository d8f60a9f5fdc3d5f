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

// dead returns a letter of a message, which came into a queue at a second of the minute.
func dead(id string, second int, outcome operate.Outcome) operate.DeadLetter {
	return operate.DeadLetter{
		Queue: "hl7lake-dev-core-WriterFailed", ID: id, Root: id, Event: "ingested", Owner: owner, Type: "ADT^A01",
		Since: time.Date(2026, 11, 22, 20, 32, second, 0, time.UTC), Cause: "Fault", Outcome: outcome,
	}
}

// text is the letter in an answer.
func text(id string, second int, outcome string) string {
	return `{"queue":"hl7lake-dev-core-WriterFailed","id":"` + id + `","root":"` + id + `","event":"ingested","owner":"st-elsewhere","type":"ADT^A01",` +
		fmt.Sprintf(`"since":"2026-11-22T20:32:%02dZ","cause":"Fault","outcome":"%s"}`, second, outcome)
}

func TestTheDeadLettersOfOneInstitutionAreShownOldestFirst(t *testing.T) {
	s := &side{letters: []operate.DeadLetter{dead(first, 2, operate.WouldBe), dead(other, 1, operate.Gone)}, more: true}
	got := s.ask(t, routeLetters, "", "", owner)
	want := `{"letters":[` + text(other, 1, "no content") + `,` + text(first, 2, "would be") + `],"more":true}`
	if diff := cmp.Diff(want, got.Body); diff != "" || got.StatusCode != 200 || got.Headers["Cache-Control"] != "no-store" {
		t.Errorf("%d %s", got.StatusCode, diff)
	}
	if diff := cmp.Diff(&operate.RedriveOptions{Owner: owner, DryRun: true}, s.options); diff != "" {
		t.Error(diff)
	}
	lines := fake.Lines(t, s.log.String(), "audit", "action", "outcome", "who", "operates", "listed")
	if want := []map[string]any{{"action": "dead-letters", "outcome": "done", "who": "user-1", "operates": owner, "listed": 2.0}}; !cmp.Equal(want, lines) {
		t.Errorf("recorded as %v", lines)
	}
	s = &side{}
	if got := s.ask(t, routeLetters, "", "", owner); got.Body != `{"letters":[],"more":false}` {
		t.Errorf("without letters: %s", got.Body)
	}
}

func TestEachRedrivenLetterHasItsRecord(t *testing.T) {
	unsent := dead(derived, 3, operate.NotSent)
	unsent.Err = fmt.Errorf("publish: %w", fake.Refusal("SNS", "Publish", "InternalError", 500))
	s := &side{letters: []operate.DeadLetter{dead(first, 1, operate.Redriven), dead(other, 2, operate.Erased), unsent}}
	got := s.ask(t, routeRedrive, "", "{}", owner)
	want := `{"letters":[` + text(first, 1, "redriven") + `,` + text(other, 2, "forgotten") + `,` + text(derived, 3, "not sent") + `],"more":false}`
	if diff := cmp.Diff(want, got.Body); diff != "" || got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, diff)
	}
	if diff := cmp.Diff(&operate.RedriveOptions{Owner: owner}, s.options); diff != "" {
		t.Error(diff)
	}
	var records []string
	for _, line := range fake.Lines(t, s.log.String(), "audit", "action", "outcome", "id", "redriven", "left") {
		records = append(records, fmt.Sprint(line["action"], " ", line["outcome"], " ", line["id"], " ", line["redriven"], " ", line["left"]))
	}
	want2 := []string{
		"redrive redriven " + first + " <nil> <nil>", "redrive forgotten " + other + " <nil> <nil>", "redrive not sent " + derived + " <nil> <nil>",
		"redrive-some done <nil> 1 2",
	}
	if !slices.Equal(records, want2) {
		t.Errorf("recorded as %q", records)
	}
	if !strings.Contains(s.log.String(), "SNS Publish: InternalError") {
		t.Errorf("the failure is not logged: %s", s.log.String())
	}
}

func TestARedriveThatCannotBeDoneIsNotAnsweredAsDone(t *testing.T) {
	s := &side{}
	if got := s.ask(t, routeRedrive, "", `{"queue":"`+canary.ControlID+`"}`, owner); got.StatusCode != 400 || s.options != nil {
		t.Errorf("with an unknown member: %d %s", got.StatusCode, got.Body)
	}
	for _, route := range []string{routeLetters, routeRedrive} {
		s := &side{letters: []operate.DeadLetter{dead(first, 1, operate.Redriven)}, err: errors.New("no answer")}
		if got := s.ask(t, route, "", "", owner); got.StatusCode != 503 {
			t.Errorf("%s in an outage: %d %s", route, got.StatusCode, got.Body)
		}
		if lines := fake.Lines(t, s.log.String(), "audit", "outcome"); lines[len(lines)-1]["outcome"] != "failed" {
			t.Errorf("%s: recorded as %v", route, lines)
		}
	}
}
