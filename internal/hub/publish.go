package hub

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Publisher is the part of Amazon SNS that the hub needs; *sns.Client has it.
type Publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic publishes events to the hub.
type Topic struct {
	ARN        string
	Publisher  Publisher
	ClaimCheck ClaimCheck
}

// Publish returns nil only if the topic has taken e. After an error e may have been
// published nevertheless. Publishing it again is harmless, because its id shows that it
// is the same event.
func (t Topic) Publish(ctx context.Context, e Event) error {
	wire, err := t.ClaimCheck.Pack(ctx, e, e.ID.String())
	if err != nil {
		return err
	}
	if _, err := t.Publisher.Publish(ctx, wire.Input(t.ARN)); err != nil {
		return fmt.Errorf("publish %s: %w", e.Name, err)
	}
	return nil
}

// Input returns w as a message for the topic.
func (w Wire) Input(topicARN string) *sns.PublishInput {
	attributes := make(map[string]types.MessageAttributeValue, len(w.Attributes))
	for name, value := range w.Attributes {
		attributes[name] = types.MessageAttributeValue{DataType: new("String"), StringValue: new(value)}
	}
	in := &sns.PublishInput{TopicArn: &topicARN, Message: &w.Body, MessageAttributes: attributes}
	if w.Subject != "" {
		in.Subject = &w.Subject
	}
	return in
}
