package fake

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Topic is SNS: it keeps what is published and delivers it as Lambda gets it.
type Topic struct {
	Faults
	mu        sync.Mutex
	published []*sns.PublishInput
}

// maxAttributes is how many attributes of a message reach an SQS queue with raw
// delivery (Amazon SNS, message attributes).
const maxAttributes = 10

// maxMessage is SNS's limit of body and attributes in bytes (Amazon SNS quotas).
const maxMessage = 262_144

// Publish is SNS's.
func (t *Topic) Publish(ctx context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	return call(ctx, &t.Faults, "Publish", func() (*sns.PublishOutput, error) {
		size := len(*in.Message)
		for name, attribute := range in.MessageAttributes {
			size += len(name) + len(*attribute.DataType) + len(*attribute.StringValue)
		}
		if size > maxMessage || *in.Message == "" || strings.ContainsFunc(*in.Message, beyondXML) || len(in.MessageAttributes) > maxAttributes || len(aws.ToString(in.Subject)) >= 100 {
			return nil, Refusal("SNS", "Publish", "InvalidParameter", http.StatusBadRequest)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.published = append(t.published, in)
		return &sns.PublishOutput{}, nil
	})
}

// beyondXML reports whether SQS refuses a text for r, so that it would not
// reach a queue (Amazon SQS, SendMessage).
func beyondXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// Published is every message that was taken, in order.
func (t *Topic) Published() []*sns.PublishInput {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]*sns.PublishInput(nil), t.published...)
}

// Deliveries is the published messages as one batch for a function.
func (t *Topic) Deliveries() events.SNSEvent {
	var batch events.SNSEvent
	for _, in := range t.Published() {
		attributes := make(map[string]any)
		for name, attribute := range in.MessageAttributes {
			attributes[name] = map[string]any{"Type": *attribute.DataType, "Value": *attribute.StringValue}
		}
		batch.Records = append(batch.Records, events.SNSEventRecord{SNS: events.SNSEntity{
			Message: *in.Message, Subject: aws.ToString(in.Subject), MessageAttributes: attributes, Timestamp: time.Now(),
		}})
	}
	return batch
}
