package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/telemetry"
	"hl7lake/operate"
)

const (
	owner = "st-elsewhere"
	id    = "01a204f6-07d0-7ce3-a84e-ee08b2a143f8"
)

// side is the function in front of an operator that does what it is told, and remembers
// what it was asked. The operator's own work is tested in package operate and in
// test/e2e.
type side struct {
	log   bytes.Buffer
	asked string
	err   error
}

func (s *side) ForgetOf(_ context.Context, owner, id string, reason operate.ForgetReason) (operate.Forgotten, error) {
	s.asked = owner + " " + id + " " + string(reason)
	return operate.Forgotten{ID: id, Owner: owner, Reason: reason, Objects: 3, Released: true, Done: s.err == nil}, s.err
}

// ask sends a request as a user who operates for of.
func (s *side) ask(t *testing.T, id, body, of string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	logger := telemetry.NewLogger(&s.log)
	request := events.APIGatewayV2HTTPRequest{Body: body, PathParameters: map[string]string{"id": id}}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
			Claims: map[string]string{"sub": "user-1", "token_use": "id", "custom:operate": of, "custom:read": owner, "custom:write": owner},
		},
	}
	response, err := problem.Answer(logger, handler{logger: logger, operator: s}.forget)(t.Context(), request)
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response
}

func TestAMessageIsForgottenForAReason(t *testing.T) {
	for _, reason := range operate.ForgetReasons() {
		s := &side{}
		got := s.ask(t, strings.ToUpper(id), `{"reason":"`+string(reason)+`"}`, owner)
		want := `{"id":"` + id + `","forgotten":true,"reason":"` + string(reason) + `","objects":3,"released":true}`
		if diff := cmp.Diff(want, got.Body); diff != "" || got.StatusCode != 200 || s.asked != owner+" "+id+" "+string(reason) {
			t.Errorf("%d, asked for %s: %s", got.StatusCode, s.asked, diff)
		}
		lines := fake.Lines(t, s.log.String(), "audit", "action", "outcome", "who", "operates", "id", "reason", "objects")
		record := map[string]any{"action": "forget", "outcome": "done", "who": "user-1", "operates": owner, "id": id, "reason": string(reason), "objects": 3.0}
		if diff := cmp.Diff([]map[string]any{record}, lines); diff != "" {
			t.Errorf("recorded: %s", diff)
		}
	}
}

func TestARequestThatMustNotForgetAsksForNothing(t *testing.T) {
	for name, test := range map[string]struct {
		id, body, of string
		status       int
		code         string
	}{
		"who does not operate": {id, `{"reason":"mistake"}`, "", 403, "no-operate-privilege"},
		"no reason":            {id, "", owner, 400, "bad-reason"},
		"an empty reason":      {id, `{"reason":""}`, owner, 400, "bad-reason"},
		"a reason in words":    {id, `{"reason":"` + canary.ControlID + `"}`, owner, 400, "bad-reason"},
		"an unknown member":    {id, `{"reason":"mistake","owner":"lakeside"}`, owner, 400, "bad-json"},
		"no JSON":              {id, canary.ControlID, owner, 400, "bad-json"},
		"no id":                {canary.ControlID, `{"reason":"mistake"}`, owner, 404, "not-found"},
		"the id of its result": {"01a204f6-07d0-8ce3-a84e-ee08b2a143f8", `{"reason":"mistake"}`, owner, 404, "not-found"},
	} {
		s := &side{}
		got := s.ask(t, test.id, test.body, test.of)
		if got.StatusCode != test.status || !strings.Contains(got.Body, `"code":"`+test.code+`"`) || s.asked != "" {
			t.Errorf("%s: %d %s, asked for %q", name, got.StatusCode, got.Body, s.asked)
		}
		canary.Check(t, name, got.Body)
		canary.Check(t, name+": the log", s.log.String())
		if lines := fake.Lines(t, s.log.String(), "audit", "outcome"); len(lines) != 1 || lines[0]["outcome"] != test.code {
			t.Errorf("%s: recorded as %v", name, lines)
		}
	}
}

func TestWhatIsNotForgottenIsToldWithTheReason(t *testing.T) {
	until := time.Date(2033, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"unknown":   {operate.ErrNoMessage, 404, "not-found"},
		"under way": {operate.ErrUnderWay, 409, `"code":"under-way"`},
		"locked":    {&operate.LockedError{Key: "staging/x", Until: until}, 409, "The message is locked until 2033-01-02T03:04:05Z. Nothing was deleted."},
		"held":      {fmt.Errorf("look: %w", &operate.LockedError{Key: "staging/x", Hold: true}), 409, "The message is under a legal hold. Nothing was deleted."},
		"both":      {&operate.LockedError{Until: until, Hold: true}, 409, "is locked until 2033-01-02T03:04:05Z and is under a legal hold."},
		"an outage": {errors.New("no answer, " + canary.ControlID), 503, "unavailable"},
	} {
		s := &side{err: test.err}
		got := s.ask(t, id, `{"reason":"mistake"}`, owner)
		if got.StatusCode != test.status || !strings.Contains(got.Body, test.want) || strings.Contains(got.Body, "staging/x") {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Body)
		}
		canary.Check(t, name, got.Body)
	}
}
