package main

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/allowance"
)

// waitingRoom is a queue.
type waitingRoom struct {
	sent   []*sqs.SendMessageInput
	outage error
}

// maxMessage is the largest message of a queue in bytes (Amazon SQS, SendMessage).
const maxMessage = 1 << 20

func (w *waitingRoom) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	if w.outage != nil {
		return nil, w.outage
	}
	if len(*in.MessageBody) > maxMessage {
		return nil, fake.Refusal("SQS", "SendMessage", "InvalidParameterValue", 400)
	}
	w.sent = append(w.sent, in)
	return &sqs.SendMessageOutput{}, nil
}

// deliveries returns what is in the queue, as Lambda passes it on.
func (w *waitingRoom) deliveries() (batch events.SQSEvent) {
	for _, in := range w.sent {
		batch.Records = append(batch.Records, events.SQSMessage{EventSource: "aws:sqs", Body: *in.MessageBody})
	}
	return batch
}

// message returns a message of an institution that differs from all others.
func message(owner string, body []byte) hub.Event {
	e := ingested(body)
	e.ID = uuid.Must(uuid.NewV7())
	e.Root, e.Owner = e.ID, owner
	return e
}

// staged reports whether a message of an institution is staged at once.
func (s *staging) staged(t *testing.T, owner string, body []byte) bool {
	t.Helper()
	run := ends(types.SyncExecutionStatusSucceeded, "", "")
	before := len(s.deferred.sent)
	if err := s.trigger(t.Context(), t, run, message(owner, body)); err != nil {
		t.Fatal(err)
	}
	if put := len(s.deferred.sent) > before; put == (run.input != "") {
		t.Errorf("put off: %v, and the workflow's input is %q", put, run.input)
	}
	return run.input != ""
}

func TestWhatAnInstitutionHasBeyondItsShareIsPutOff(t *testing.T) {
	s := staging{limit: allowance.Limit{PerSecond: 1, Burst: 10}}
	for n := range 10 {
		if !s.staged(t, "a", []byte("MSH|^~\\&|\r")) {
			t.Errorf("message %d is put off", n)
		}
	}
	if s.staged(t, "a", []byte("MSH|^~\\&|\r")) {
		t.Error("the eleventh is staged at once")
	}
	if !s.staged(t, "b", []byte("MSH|^~\\&|\r")) {
		t.Error("another institution's is put off")
	}
	if group := *s.deferred.sent[0].MessageGroupId; group != "a" {
		t.Errorf("the group is %q", group)
	}
	want := []map[string]any{{"owner": "a", "environment": "test", "Deferred": 1.0}}
	lines := fake.Lines(t, s.log.String(), "_aws", "message", "owner", "environment", "Deferred")
	var got []map[string]any
	for _, line := range lines {
		if line["message"] == "deferred" {
			delete(line, "message")
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestALargeMessageTakesMoreOfTheShareWhereverItsContentIs(t *testing.T) {
	for _, size := range []int{130 << 10, 640 << 10} {
		s := staging{limit: allowance.Limit{PerSecond: 1, Burst: 12}}
		n := 0
		for s.staged(t, "a", bytes.Repeat([]byte("x"), size)) {
			n++
		}
		if want := 12 / ((size + 65535) / 65536); n != want {
			t.Errorf("%d bytes: %d messages are staged at once, want %d", size, n, want)
		}
	}
}

// exhausted is trigger after the canary's owner has used up its share.
func exhausted(t *testing.T) *staging {
	t.Helper()
	s := &staging{limit: allowance.Limit{PerSecond: 1, Burst: 1}}
	s.staged(t, canary.Owner, []byte("MSH|^~\\&|\r"))
	return s
}

func TestWhatWasPutOffIsStagedWhenItComesBack(t *testing.T) {
	for name, body := range map[string][]byte{
		"small":                           []byte("MSH|^~\\&|A\rPID|1\r"),
		"bytes that are not UTF-8":        []byte("MSH|^~\\&|M\xfcller\r"),
		"as many delimiters as there may": bytes.Repeat([]byte("&<>"), 84_000),
		"large":                           bytes.Repeat([]byte("x"), 300_000),
	} {
		t.Run(name, func(t *testing.T) {
			s := exhausted(t)
			want := ingested(body)
			if err := s.trigger(t.Context(), t, ends(types.SyncExecutionStatusSucceeded, "", ""), want); err != nil {
				t.Fatal(err)
			}
			if len(s.deferred.sent) != 1 {
				t.Fatalf("put off: %d", len(s.deferred.sent))
			}
			run := ends(types.SyncExecutionStatusFailed, "Fault", "")
			if err := s.deliver(t.Context(), t, run, s.deferred.deliveries()); err != nil {
				t.Fatal(err)
			}
			refused, _ := s.event(t)
			if run.name != root.String() || refused.Parent != want.ID || !bytes.Equal(refused.Body, body) {
				t.Errorf("execution %s; the error event is of %s and has %d bytes", run.name, refused.Parent, len(refused.Body))
			}
			if len(s.deferred.sent) != 1 {
				t.Error("it is put off once more")
			}
		})
	}
}

func TestWithoutTheTableOrTheQueueAMessageIsStagedAtOnce(t *testing.T) {
	for name, fail := range map[string]func(*staging){
		"no table": func(s *staging) {
			s.shares.Before = func(context.Context, string) error { return errors.New("outage") }
		},
		"no queue": func(s *staging) { s.deferred.outage = fake.Refusal("SQS", "SendMessage", "ServiceUnavailable", 503) },
	} {
		t.Run(name, func(t *testing.T) {
			s := exhausted(t)
			fail(s)
			if !s.staged(t, canary.Owner, []byte("MSH|^~\\&|\r")) {
				t.Error("it is not staged")
			}
		})
	}
}

func TestAMessageOfTheQueueThatIsNoEventFails(t *testing.T) {
	for name, body := range map[string]string{"no JSON": canary.ControlID, "no event": "{}"} {
		var s staging
		err := s.deliver(t.Context(), t, ends(types.SyncExecutionStatusSucceeded, "", ""),
			events.SQSEvent{Records: []events.SQSMessage{{EventSource: "aws:sqs", Body: body}}})
		if err == nil {
			t.Errorf("%s: no error, so that it would be gone", name)
		}
		canary.Check(t, name, err.Error()+s.log.String())
	}
}
