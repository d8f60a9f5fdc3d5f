package sqs

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

type queueNameInput struct{ QueueName string }

type queueURLOutput struct{ QueueUrl string }

func (s *Service) getQueueURL(ctx context.Context, in *queueNameInput) (*queueURLOutput, error) {
	if _, err := s.allowed(ctx, "GetQueueUrl", in.QueueName); err != nil {
		return nil, err
	}
	return &queueURLOutput{s.url(in.QueueName)}, nil
}

type listQueuesInput struct{ QueueNamePrefix string }

type listQueuesOutput struct{ QueueUrls []string }

func (s *Service) listQueues(ctx context.Context, in *listQueuesInput) (*listQueuesOutput, error) {
	if err := s.authorize(ctx, "sqs:ListQueues", "*", nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	output := &listQueuesOutput{QueueUrls: []string{}}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			output.QueueUrls = append(output.QueueUrls, s.url(name))
		}
	}
	return output, nil
}

type queueAttributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

type queueAttributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

func (s *Service) getQueueAttributes(ctx context.Context, in *queueAttributesInput) (*queueAttributesOutput, error) {
	q, err := s.allowed(ctx, "GetQueueAttributes", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	attributes, err := q.attributes()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(in.AttributeNames, "All") {
		maps.DeleteFunc(attributes, func(name, _ string) bool { return !slices.Contains(in.AttributeNames, name) })
	}
	return &queueAttributesOutput{attributes}, nil
}

func (q *queue) attributes() (map[string]string, error) {
	visible, inFlight, delayed := q.counts(time.Now())
	number := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	limit := maxMessage
	if q.MaximumMessageSize != nil {
		limit = *q.MaximumMessageSize
	}
	attributes := map[string]string{
		"QueueArn":                              ARN(q.name),
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"VisibilityTimeout":                     number(seconds(q.VisibilityTimeout, 30)),
		"MessageRetentionPeriod":                number(seconds(q.MessageRetentionPeriod, 4*24*60*60)),
		"MaximumMessageSize":                    strconv.Itoa(limit),
		"DelaySeconds":                          number(seconds(q.DelaySeconds, 0)),
		"ReceiveMessageWaitTimeSeconds":         number(seconds(q.ReceiveMessageWaitTimeSeconds, 0)),
	}
	if q.RedrivePolicy != nil {
		text, err := json.Marshal(q.RedrivePolicy)
		if err != nil {
			return nil, err
		}
		attributes["RedrivePolicy"] = string(text)
	}
	return attributes, nil
}

type purgeInput struct{ QueueUrl string }

// purgeQueue removes everything that is in the queue now.
func (s *Service) purgeQueue(ctx context.Context, in *purgeInput) (any, error) {
	q, err := s.allowed(ctx, "PurgeQueue", nameOf(in.QueueUrl, "/"))
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	all := slices.Collect(maps.Values(q.byKey))
	q.mu.Unlock()
	err = s.store.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(q.bucket())
		for _, m := range all {
			if err := b.Delete(storeKey(m.key)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range all {
		q.drop(m)
	}
	return nil, nil
}
