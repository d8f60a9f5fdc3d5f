package hub

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// Publisher is what the hub needs of Amazon SNS; *sns.Client has it.
type Publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic publishes events to the hub.
type Topic struct {
	ARN        string
	Publisher  Publisher
	ClaimCheck ClaimCheck
}

// Publish returns nil only when the topic has taken e. After an error e may
// have been published all the same; publishing it again is harmless, since its
// id says that it is the same event.
func (t Topic) Publish(ctx context.Context, e Event) error {
	wire, err := t.ClaimCheck.Pack(ctx, e, e.ID.String())
	if err != nil {
		return err
	}
	attributes := make(map[string]types.MessageAttributeValue, len(wire.Attributes))
	for name, value := range wire.Attributes {
		attributes[name] = types.MessageAttributeValue{DataType: new("String"), StringValue: new(value)}
	}
	in := &sns.PublishInput{TopicArn: &t.ARN, Message: &wire.Body, MessageAttributes: attributes}
	if wire.Subject != "" {
		in.Subject = &wire.Subject
	}
	if _, err := t.Publisher.Publish(ctx, in); err != nil {
		return fmt.Errorf("publish %s: %w", e.Name, err)
	}
	return nil
}
