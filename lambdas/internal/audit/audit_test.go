package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/telemetry"
)

func TestEachPublishIsRecordedWithItsOutcome(t *testing.T) {
	for outcome, failure := range map[string]error{
		"done":          nil,
		"InternalError": fake.Refusal("SNS", "Publish", "InternalError", 500),
		"failed":        errors.New("connection reset, " + canary.ControlID),
	} {
		var log bytes.Buffer
		topic := &fake.Topic{}
		topic.Before = func(context.Context, string) error { return failure }
		id := uuid.Must(uuid.NewV7())
		to := hub.Topic{ARN: "hub", Publisher: audit.Publisher{Publisher: topic, Logger: telemetry.NewLogger(&log)}}
		err := to.Publish(t.Context(), hub.Event{
			Name: hub.Ingested, Kind: hub.ER7, ID: id, Root: id, Owner: canary.Owner, Type: hub.UnknownType, Body: canary.Message(),
		})
		if (err == nil) != (failure == nil) {
			t.Errorf("%s: got %v", outcome, err)
		}
		var line map[string]any
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"timestamp", "time", "level", "message", "messageId"} {
			delete(line, member)
		}
		want := map[string]any{
			"audit": true, "action": "sns:Publish", "outcome": outcome,
			"event": "ingested", "id": id.String(), "root": id.String(), "owner": canary.Owner,
		}
		if diff := cmp.Diff(want, line); diff != "" {
			t.Errorf("%s: %s", outcome, diff)
		}
		canary.Check(t, "the record", log.String())
	}
}

func TestAnOutcomeIsOneWord(t *testing.T) {
	for want, err := range map[string]error{
		"done":      nil,
		"not-found": fmt.Errorf("find: %w", &problem.Problem{Status: 404, Code: "not-found", Detail: "There is no such message."}),
		"SlowDown":  fmt.Errorf("put: %w", fake.Refusal("S3", "PutObject", "SlowDown", 503)),
		"failed":    errors.New("whatever"),
	} {
		if got := audit.Outcome(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
