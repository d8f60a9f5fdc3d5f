package e2e_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/hub"
	"hl7lake/operate"
)

// TestAReplayOfBigMessagesLeavesNoDeadLetter replays messages that the SDK offers to S3
// with Expect: 100-continue, because they are over 2 MB. The lake has them, so each put
// is refused before its content is read.
func TestAReplayOfBigMessagesLeavesNoDeadLetter(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	ids := l.accepted(t, c, document(2_000_001), document(4_300_000))
	for _, size := range []int{5_000_000, 20_000_000} { // more than the API accepts
		ids = append(ids, l.ingest(t, c, document(size)))
	}
	for _, id := range ids {
		ended(t, c, id)
	}
	for range 2 {
		l.replay(t, operate.Selection{IDs: ids}, false)
	}
	eventually(t, "each object was written three times", func() bool {
		l.noDeadLetter(t)
		for _, h := range l.histories(t, c, ids) {
			for _, step := range h.Steps {
				if step.Attempts < 3 {
					return false
				}
			}
		}
		return true
	})
	l.noDeadLetter(t)
}

// ingest publishes a message of any size as ingest does, and returns its id once the
// catalog has it.
func (l *lake) ingest(t *testing.T, c *client.Client, body []byte) (id string) {
	t.Helper()
	root := uuid.Must(uuid.NewV7())
	topic := hub.Topic{
		ARN: l.output(t, client.OutputHub), Publisher: l.sns(),
		ClaimCheck: hub.ClaimCheck{Bucket: l.output(t, client.OutputClaimCheck), Objects: l.s3()},
	}
	err := topic.Publish(t.Context(), hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: scenario.Institution, Type: "ORU^R01", Body: body,
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the catalog has the message", func() bool {
		_, err := c.History(t.Context(), root.String())
		return err == nil
	})
	return root.String()
}

// noDeadLetter fails the test if there is a dead letter.
func (l *lake) noDeadLetter(t *testing.T) {
	t.Helper()
	names, err := l.operator(t).Queues(t.Context())
	if err != nil || len(names) == 0 {
		t.Fatalf("the queues are %v, %v", names, err)
	}
	for _, name := range names {
		url, err := l.sqs().GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
		if err != nil {
			t.Fatal(err)
		}
		out, err := l.sqs().GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: url.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := out.Attributes["ApproximateNumberOfMessages"]; n != "0" {
			t.Fatalf("%s holds %s dead letters", name, n)
		}
	}
}
