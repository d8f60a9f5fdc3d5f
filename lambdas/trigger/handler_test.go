package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

func ingested(body []byte) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: canary.Owner, Type: "ADT^A01", Body: body,
	}
}

// execution is a workflow that ends in one way.
type execution struct {
	end   func(context.Context) (*sfn.StartSyncExecutionOutput, error)
	input string // of the last start
	name  string
}

func (e *execution) StartSyncExecution(ctx context.Context, in *sfn.StartSyncExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartSyncExecutionOutput, error) {
	e.input, e.name = *in.Input, *in.Name
	return e.end(ctx)
}

// ends returns a workflow that ends with status, error and cause.
func ends(status types.SyncExecutionStatus, name, cause string) *execution {
	return &execution{end: func(context.Context) (*sfn.StartSyncExecutionOutput, error) {
		return &sfn.StartSyncExecutionOutput{Status: status, Error: &name, Cause: &cause}, nil
	}}
}

// fails returns a workflow that cannot be started.
func fails(err error) *execution {
	return &execution{end: func(context.Context) (*sfn.StartSyncExecutionOutput, error) { return nil, err }}
}

// staging is trigger in front of fakes, as Lambda runs it.
type staging struct {
	topic    fake.Topic
	buckets  fake.Buckets
	shares   *fake.Tables    // nil: a new table each time
	limit    allowance.Limit // zero: more than any test takes
	deferred waitingRoom
	log      bytes.Buffer
}

// trigger delivers e and returns the function's error.
func (s *staging) trigger(ctx context.Context, t *testing.T, run *execution, e hub.Event) error {
	t.Helper()
	checks := hub.ClaimCheck{Bucket: "checks", Objects: &s.buckets}
	source := &fake.Topic{}
	if err := (hub.Topic{ARN: "hub", Publisher: source, ClaimCheck: checks}).Publish(ctx, e); err != nil {
		t.Fatal(err)
	}
	return s.deliver(ctx, t, run, source.Deliveries())
}

// deliver invokes trigger with a batch of SNS or SQS and returns the function's error.
func (s *staging) deliver(ctx context.Context, t *testing.T, run *execution, batch any) error {
	t.Helper()
	if s.shares == nil {
		s.shares = fake.NewTables(t)
	}
	if s.limit == (allowance.Limit{}) {
		s.limit = allowance.Limit{PerSecond: 1000, Burst: 1000}
	}
	checks := hub.ClaimCheck{Bucket: "checks", Objects: &s.buckets}
	logger := telemetry.NewLogger(&s.log)
	h := handler{
		logger:     logger,
		metrics:    telemetry.Metrics{Environment: "test"},
		claimCheck: checks,
		hub:        hub.Topic{ARN: "hub", Publisher: audit.Publisher{Publisher: &s.topic, Logger: logger}, ClaimCheck: checks},
		workflow:   workflow{arn: "machine", starter: run},
		deferral:   deferral{shares: allowance.New(fake.Shares, s.shares, s.limit), queueURL: "deferred", queue: &s.deferred},
	}
	payload, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	var in delivery
	if err := json.Unmarshal(payload, &in); err != nil {
		t.Fatal(err)
	}
	_, err = function.Edge(h.logger, h.handle)(ctx, in)
	return err
}

// event returns the event that trigger published, or false if it published none.
func (s *staging) event(t *testing.T) (hub.Event, bool) {
	t.Helper()
	batch := s.topic.Deliveries()
	if len(batch.Records) == 0 {
		return hub.Event{}, false
	}
	e, err := hub.ClaimCheck{Bucket: "checks", Objects: &s.buckets}.Open(t.Context(), hub.FromSNS(batch.Records[0].SNS))
	if err != nil {
		t.Fatal(err)
	}
	return e, true
}

func TestAStagedMessageNeedsNothingMore(t *testing.T) {
	var s staging
	run := ends(types.SyncExecutionStatusSucceeded, "", "")
	if err := s.trigger(t.Context(), t, run, ingested([]byte("MSH|^~\\&|<>\r"))); err != nil {
		t.Fatal(err)
	}
	if e, published := s.event(t); published {
		t.Errorf("published %+v", e)
	}
	var input hub.Wire
	if err := json.Unmarshal([]byte(run.input), &input); err != nil {
		t.Fatal(err)
	}
	got, err := hub.ClaimCheck{}.Open(t.Context(), input)
	if diff := cmp.Diff(ingested([]byte("MSH|^~\\&|<>\r")), got); err != nil || diff != "" {
		t.Errorf("the workflow's input: %v %s", err, diff)
	}
	if run.name != root.String() || strings.Contains(run.input, `\u00`) {
		t.Errorf("execution %s of %s", run.name, run.input)
	}
}

func TestTheWorkflowIsToldWhetherAMessageIsTidy(t *testing.T) {
	long := "MSH|^~\\&|A\r" + strings.Repeat("OBX|1|TX|||some text\r", 20_000)
	for name, test := range map[string]struct {
		body string
		tidy bool
	}{
		"CR":                       {"MSH|^~\\&|A\rPID|1\r", true},
		"CR, but not at the end":   {"MSH|^~\\&|A\rPID|1", true},
		"a bare LF that is data":   {"MSH|^~\\&|A\rNTE|1||one\ntwo\r", true},
		"bytes that are not UTF-8": {"MSH|^~\\&|M\xfcller\r", true},
		"no HL7":                   {"Hello there", true},
		"LF":                       {"MSH|^~\\&|A\nPID|1\n", false},
		"CRLF":                     {"MSH|^~\\&|A\r\nPID|1\r\n", false},
		"byte order mark":          {"\ufeffMSH|^~\\&|A\r", false},
		"MLLP":                     {"\x0bMSH|^~\\&|A\r\x1c\r", false},
		"no HL7, of two lines":     {"Hello\nthere", false},
		"not looked at, as large":  {long, false},
	} {
		t.Run(name, func(t *testing.T) {
			var s staging
			run := ends(types.SyncExecutionStatusSucceeded, "", "")
			if err := s.trigger(t.Context(), t, run, ingested([]byte(test.body))); err != nil {
				t.Fatal(err)
			}
			var input struct{ Tidy bool }
			if err := json.Unmarshal([]byte(run.input), &input); err != nil {
				t.Fatal(err)
			}
			if input.Tidy != test.tidy {
				t.Errorf("tidy: %v", input.Tidy)
			}
		})
	}
}

func TestAMessageThatIsNotStagedBecomesAnErrorEvent(t *testing.T) {
	parseError := `{"errorMessage":"code=no-header segment=1 offset=0","errorType":"ParseError"}`
	for _, test := range []struct {
		name string
		run  *execution
		want hub.Reason
	}{
		{"a parse error", ends(types.SyncExecutionStatusFailed, "ParseError", parseError), hub.Reason{Code: "no-header", Segment: 1}},
		{"a parse error in no shape", ends(types.SyncExecutionStatusFailed, "ParseError", "Doe, Jane"), hub.Reason{Code: "workflow"}},
		{"a parse error without a code", ends(types.SyncExecutionStatusFailed, "ParseError", `{"errorMessage":"Doe, Jane"}`), hub.Reason{Code: "workflow"}},
		{"another error", ends(types.SyncExecutionStatusFailed, "Fault", parseError), hub.Reason{Code: "workflow"}},
		{"an error that is named like one of Lambda's", ends(types.SyncExecutionStatusFailed, "LambdaFault", ""), hub.Reason{Code: "workflow"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s staging
			parent := ingested([]byte("Hello"))
			if err := s.trigger(t.Context(), t, test.run, parent); err != nil {
				t.Fatal(err)
			}
			want := hub.Derive(parent, staginger7.Connector(), hub.Error, hub.ER7)
			want.Reason, want.Body = test.want, []byte("Hello")
			got, _ := s.event(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Throttling and a lack of time are nobody's fault, and the workflow may have staged the
// message: an error event would blame it, or be a second outcome.
func TestAWorkflowThatWasThrottledOrRanOutOfTimeIsTriedAgainByLambda(t *testing.T) {
	for name, run := range map[string]*execution{
		"SFN StartSyncExecution: States.Timeout":                           ends(types.SyncExecutionStatusTimedOut, "", ""),
		"SFN StartSyncExecution: Sandbox.Timedout":                         ends(types.SyncExecutionStatusFailed, "Sandbox.Timedout", "{}"),
		"SFN StartSyncExecution: Lambda.TooManyRequestsException":          ends(types.SyncExecutionStatusFailed, "Lambda.TooManyRequestsException", "Rate Exceeded."),
		"SFN StartSyncExecution: Lambda.ServiceException":                  ends(types.SyncExecutionStatusFailed, "Lambda.ServiceException", ""),
		"SFN StartSyncExecution: Lambda.SdkClientException":                ends(types.SyncExecutionStatusFailed, "Lambda.SdkClientException", ""),
		"SFN StartSyncExecution: ThrottlingException (HTTP 400)":           fails(fake.Refusal("SFN", "StartSyncExecution", "ThrottlingException", 400)),
		"SFN StartSyncExecution: TooManyRequestsException (HTTP 429)":      fails(fake.Refusal("SFN", "StartSyncExecution", "TooManyRequestsException", 429)),
		"SFN StartSyncExecution: StateMachineDoesNotExist (HTTP 400)":      fails(fake.Refusal("SFN", "StartSyncExecution", "StateMachineDoesNotExist", 400)),
		"SFN StartSyncExecution: RequestLimitExceeded (HTTP 503)":          fails(fake.Refusal("SFN", "StartSyncExecution", "RequestLimitExceeded", 503)),
		"SFN StartSyncExecution: ServiceQuotaExceededException (HTTP 400)": fails(fake.Refusal("SFN", "StartSyncExecution", "ServiceQuotaExceededException", 400)),
	} {
		var s staging
		err := s.trigger(t.Context(), t, run, ingested([]byte("Hello")))
		if err == nil || err.Error() != name {
			t.Errorf("got %v, want %s", err, name)
		}
		if e, published := s.event(t); published {
			t.Errorf("%s: published %+v", name, e)
		}
	}
}

// The workflow may have staged the message: an error event could be a second
// outcome.
func TestAWorkflowThatDoesNotAnswerIsTriedAgainByLambda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s staging
		hangs := &execution{end: func(ctx context.Context) (*sfn.StartSyncExecutionOutput, error) {
			<-ctx.Done()
			return nil, fmt.Errorf("start: %w", ctx.Err())
		}}
		const timeout = 90 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		start := time.Now()
		if err := s.trigger(ctx, t, hangs, ingested([]byte("Hello"))); err == nil {
			t.Error("no error, so Lambda would not deliver the event again")
		}
		if left := timeout - time.Since(start); left < reserve {
			t.Errorf("%s were left to report it", left)
		}
		if e, published := s.event(t); published {
			t.Errorf("published %+v", e)
		}
	})
}

func TestAStartThatFailsOtherwiseIsTriedAgainByLambda(t *testing.T) {
	var s staging
	err := s.trigger(t.Context(), t, fails(fake.Refusal("SFN", "StartSyncExecution", "AccessDeniedException", 400)), ingested([]byte("Hello")))
	if err == nil || err.Error() != "SFN StartSyncExecution: AccessDeniedException (HTTP 400)" {
		t.Errorf("got %v", err)
	}
	if e, published := s.event(t); published {
		t.Errorf("published %+v", e)
	}
}

func TestAnErrorEventThatCannotBePublishedIsTriedAgainByLambda(t *testing.T) {
	s := staging{}
	s.topic.Before = func(context.Context, string) error { return errors.New("outage") }
	if err := s.trigger(t.Context(), t, ends(types.SyncExecutionStatusFailed, "Fault", ""), ingested([]byte("Hello"))); err == nil {
		t.Error("the message's fate would be unknown")
	}
}

func TestALargeMessageBecomesAnErrorEventWhole(t *testing.T) {
	var s staging
	body := bytes.Repeat([]byte("x"), 300_000)
	run := ends(types.SyncExecutionStatusFailed, "Fault", "")
	if err := s.trigger(t.Context(), t, run, ingested(body)); err != nil {
		t.Fatal(err)
	}
	if e, _ := s.event(t); !bytes.Equal(e.Body, body) || len(run.input) > 2000 {
		t.Errorf("the event has %d bytes, the workflow's input %d", len(e.Body), len(run.input))
	}
}

func TestNoPatientDataLeavesBesideTheBody(t *testing.T) {
	leaky := `{"errorMessage":"code=` + canary.ControlID + ` path=` + canary.ControlID + `","errorType":"ParseError"}`
	for name, input := range canary.Broken() {
		for _, run := range []*execution{
			ends(types.SyncExecutionStatusFailed, "ParseError", leaky),
			ends(types.SyncExecutionStatusFailed, canary.ControlID, string(input)),
			ends(types.SyncExecutionStatusFailed, "Lambda."+canary.ControlID, string(input)),
			fails(fmt.Errorf("start: %w", fake.Refusal("SFN", "StartSyncExecution", "InvalidExecutionInput", 400))),
		} {
			var s staging
			err := s.trigger(t.Context(), t, run, ingested(input))
			canary.Check(t, name+": an error", fmt.Sprint(err))
			canary.Check(t, name+": the log", s.log.String())
			canary.Check(t, name+": an execution's name", run.name)
			for _, in := range s.topic.Published() {
				canary.Check(t, name+": an attribute or subject", []any{in.MessageAttributes, in.Subject})
			}
		}
	}
}

func TestAStagedMessageIsMeasuredFromTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s staging
		slow := &execution{end: func(context.Context) (*sfn.StartSyncExecutionOutput, error) {
			time.Sleep(84 * time.Millisecond)
			return &sfn.StartSyncExecutionOutput{Status: types.SyncExecutionStatusSucceeded}, nil
		}}
		if err := s.trigger(t.Context(), t, slow, ingested([]byte("MSH|^~\\&|\r"))); err != nil {
			t.Fatal(err)
		}
		want := []map[string]any{{"owner": canary.Owner, "environment": "test", "StagingLatency": 84.0}}
		if diff := cmp.Diff(want, fake.Lines(t, s.log.String(), "_aws", "owner", "environment", "StagingLatency")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEveryExecutionIsRecordedWithItsOutcome(t *testing.T) {
	for outcome, run := range map[string]*execution{
		"done":                  ends(types.SyncExecutionStatusSucceeded, "", ""),
		"workflow":              ends(types.SyncExecutionStatusFailed, "Fault", ""),
		"States.Timeout":        ends(types.SyncExecutionStatusTimedOut, "", ""),
		"AccessDeniedException": fails(fake.Refusal("SFN", "StartSyncExecution", "AccessDeniedException", 400)),
	} {
		var s staging
		err := s.trigger(t.Context(), t, run, ingested([]byte("Hello")))
		if (err == nil) != (outcome == "done" || outcome == "workflow") {
			t.Errorf("%s: got %v", outcome, err)
		}
		want := []map[string]any{{"action": "states:StartSyncExecution", "outcome": outcome, "root": root.String(), "owner": canary.Owner}}
		got := fake.Lines(t, s.log.String(), "audit", "action", "outcome", "root", "owner")
		if diff := cmp.Diff(want, got[:1]); diff != "" { // the error event is the second one published
			t.Errorf("%s: %s", outcome, diff)
		}
	}
}
