package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

func (l *lake) sns() *sns.Client { return sns.NewFromConfig(l.config()) }
func (l *lake) sqs() *sqs.Client { return sqs.NewFromConfig(l.config()) }

// publish puts an ingested event onto the hub, as ingest does.
func (l *lake) publish(t *testing.T, id, messageType string, body []byte) {
	t.Helper()
	l.publishWith(t, id, messageType, nil, body)
}

// publishWith puts an ingested event with a subject onto the hub, as a replay in another
// character set does. If subject is nil, the event has none.
func (l *lake) publishWith(t *testing.T, id, messageType string, subject *string, body []byte) {
	t.Helper()
	attributes := map[string]snstypes.MessageAttributeValue{}
	for name, value := range map[string]string{
		"event": "ingested", "protocol": "hl7v2", "format": "er7", "encoding": "utf-8",
		"source": scenario.Institution, "owner": scenario.Institution, "id": id, "root": id, "type": messageType,
	} {
		attributes[name] = snstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err := l.sns().Publish(t.Context(), &sns.PublishInput{
		TopicArn: aws.String(l.output(t, client.OutputHub)), Message: aws.String(string(body)), MessageAttributes: attributes, Subject: subject,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until holds returns true, or the test's patience ends.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(*patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// redeliver sends a message, publishes the same ingested event again, and returns the
// history before and after.
func (l *lake) redeliver(t *testing.T, tokens client.TokenSource, messageType string, body []byte) (before, after client.History) {
	t.Helper()
	c := l.client(t, tokens)
	r := l.mustDo(t, er7(token(t, tokens), body))
	if r.status != http.StatusCreated {
		t.Fatalf("answered %d %s", r.status, r.body)
	}
	id := r.answer(t).ID
	before = ended(t, c, id)
	l.publish(t, id, messageType, body)
	eventually(t, "each object was written twice", func() bool {
		var err error
		if after, err = c.History(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return len(after.Steps) == 2 && after.Steps[0].Attempts >= 2 && after.Steps[1].Attempts >= 2
	})
	return before, after
}

func TestARedeliveredEventChangesNothingButTheCount(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	for _, test := range []struct {
		messageType string
		body        []byte
		end         client.Status
	}{
		{"ADT^A01", admission(1), client.Staged},
		{"unknown", []byte("a line of text"), client.Errored},
	} {
		before, after := l.redeliver(t, tokens, test.messageType, test.body)
		if after.Status != test.end {
			t.Errorf("ended as %s, want %s", after.Status, test.end)
		}
		for i, step := range after.Steps {
			was := before.Steps[i]
			if step.Key != was.Key || step.VersionID != was.VersionID || step.SHA256 != was.SHA256 || !step.Written.Equal(was.Written) {
				t.Errorf("the redelivery changed %+v to %+v", was, step)
			}
		}
	}
}

// failEverywhere publishes an event that no function can handle, and waits until it is in
// the dead-letter queue of each.
func (l *lake) failEverywhere(t *testing.T) {
	t.Helper()
	l.publish(t, "not-an-id", "unknown", []byte("a line of text"))
	queues, err := l.sqs().ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range []string{"Writer", "Trigger", "Index"} {
		i := slices.IndexFunc(queues.QueueUrls, func(url string) bool { return strings.Contains(url, function+"Failed") })
		if i < 0 {
			t.Fatalf("%s has no queue for what it fails on: %v", function, queues.QueueUrls)
		}
		eventually(t, function+"'s event is in its queue", func() bool {
			out, err := l.sqs().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queues.QueueUrls[i]})
			if err != nil {
				t.Fatal(err)
			}
			return len(out.Messages) == 1 && strings.Contains(*out.Messages[0].Body, "a line of text")
		})
	}
}

func TestAnEventThatNobodyCanHandleEndsInTheDeadLetterQueues(t *testing.T) {
	start(t).failEverywhere(t)
}
