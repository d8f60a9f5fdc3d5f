package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/telemetry"
	"hl7lake/operate"
)

const (
	owner = "st-elsewhere"
	first = "01a204f6-07d0-7ce3-a84e-ee08b2a143f8"
	other = "01a204f6-07d0-7ce3-a84e-ee08b2a143f9"
	// derived is the id of something that was made of a message.
	derived = "01a204f6-07d0-8ce3-a84e-ee08b2a143f8"
)

// side is the function in front of an operator that does what it is told, and remembers
// what it was asked. The operator's own work is tested in package operate and in
// test/e2e.
type side struct {
	log       bytes.Buffer
	selection *operate.Selection      // that was asked for; nil if nothing was
	options   *operate.RedriveOptions // the same
	results   []operate.Replayed
	letters   []operate.DeadLetter
	next      string
	more      bool
	err       error
}

func (s *side) RedriveSome(_ context.Context, options operate.RedriveOptions, _ operate.Bounds, report func(operate.DeadLetter)) (bool, error) {
	s.options = &options
	for _, letter := range s.letters {
		report(letter)
	}
	return s.more, s.err
}

func (s *side) ReplaySome(_ context.Context, selection operate.Selection, _ operate.Bounds, report func(operate.Replayed)) (string, bool, error) {
	s.selection = &selection
	for _, r := range s.results {
		report(r)
	}
	return s.next, s.more, s.err
}

// ask sends a request to a route as a user who operates for of.
func (s *side) ask(t *testing.T, route, id, body, of string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	logger := telemetry.NewLogger(&s.log)
	h := handler{logger: logger, operator: s, now: time.Now}
	request := events.APIGatewayV2HTTPRequest{RouteKey: route, Body: body, PathParameters: map[string]string{"id": id}}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
			Claims: map[string]string{"sub": "user-1", "token_use": "id", "custom:operate": of, "custom:read": owner, "custom:write": owner},
		},
	}
	response, err := problem.Answer(logger, h.serve)(t.Context(), request)
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response
}

const (
	routeOne     = "POST /messages/{id}/replay"
	routeSome    = "POST /messages/replay"
	routeLetters = "GET /dead-letters"
	routeRedrive = "POST /dead-letters/redrive"
)

func TestWhoDoesNotOperateDoesNothing(t *testing.T) {
	for _, route := range []string{routeOne, routeSome, routeLetters, routeRedrive} {
		s := &side{}
		got := s.ask(t, route, first, `{"ids":["`+first+`"]}`, "")
		if got.StatusCode != 403 || s.selection != nil || s.options != nil || !strings.Contains(got.Body, "no-operate-privilege") {
			t.Errorf("%s: %d %s, asked for %+v", route, got.StatusCode, got.Body, s.selection)
		}
		if lines := fake.Lines(t, s.log.String(), "audit", "outcome", "who"); len(lines) != 1 || lines[0]["outcome"] != "no-operate-privilege" || lines[0]["who"] != "user-1" {
			t.Errorf("%s: recorded as %v", route, lines)
		}
	}
	s := &side{}
	if got := s.ask(t, "POST /messages/{id}/forget", first, "", owner); got.StatusCode != 404 {
		t.Errorf("a route that is not the function's: %d", got.StatusCode)
	}
}
