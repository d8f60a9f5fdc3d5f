package problem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/telemetry"
)

// answer returns what a client gets if a handler does what handle does.
func answer(t *testing.T, handle func() error) (events.APIGatewayV2HTTPResponse, string) {
	t.Helper()
	var log bytes.Buffer
	response, err := problem.Answer(telemetry.NewLogger(&log), func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return problem.JSON(200, "fine"), handle()
	})(t.Context(), events.APIGatewayV2HTTPRequest{})
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response, log.String()
}

func TestAProblemIsAnsweredAsRFC9457(t *testing.T) {
	refusal := &problem.Problem{Status: 415, Code: "unsupported", Detail: "Send text.", RetryAfter: 3, Header: map[string]string{"Accept-Post": "text/plain"}}
	response, log := answer(t, func() error { return fmt.Errorf("decode: %w", refusal) })
	want := events.APIGatewayV2HTTPResponse{
		StatusCode: 415,
		Headers: map[string]string{
			"Content-Type": "application/problem+json", "Cache-Control": "no-store", "Retry-After": "3", "Accept-Post": "text/plain",
		},
		Body: `{"type":"about:blank","title":"Unsupported Media Type","status":415,"detail":"Send text.","code":"unsupported"}`,
	}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log, `"refused","status":415,"code":"unsupported"`) || strings.Contains(log, "Send text") {
		t.Errorf("logged %s", log)
	}
}

func TestWhatFailsInsideIsLoggedAndNotSent(t *testing.T) {
	for _, test := range []struct {
		name   string
		handle func() error
		status int
		retry  string
	}{
		{"an outage", func() error { return errors.New("table gone") }, 503, "2"},
		{"a panic", func() error { panic("table gone") }, 500, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, log := answer(t, test.handle)
			var body struct {
				Status int    `json:"status"`
				Title  string `json:"title"`
			}
			if err := json.Unmarshal([]byte(response.Body), &body); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || body.Status != test.status || body.Title == "" || response.Headers["Retry-After"] != test.retry {
				t.Errorf("answered %+v", response)
			}
			if strings.Contains(response.Body, "table") || !strings.Contains(log, `"failed"`) {
				t.Errorf("sent %s\nlogged %s", response.Body, log)
			}
		})
	}
}
