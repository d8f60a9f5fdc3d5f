package sqs

import (
	"context"
	"time"
)

// Received is a message as [Service.Receive] gives it.
type Received struct {
	ID, Body   string
	Handle     string            // for [Service.Delete]
	Attributes map[string]string // of the system, such as ApproximateReceiveCount
	Hidden     time.Time         // until when nobody else receives it
}

// Receive waits until there is a message in a queue, by its ARN, for the caller in
// ctx. Like a poll of SQS it may end without one: ok is then false, and the error nil.
func (s *Service) Receive(ctx context.Context, queueARN string) (r Received, ok bool, err error) {
	const longest = 20 * time.Second
	q, err := s.allowed(ctx, "ReceiveMessage", nameOf(queueARN, ":"))
	if err != nil {
		return r, false, err
	}
	received, err := s.receive(ctx, q, 1, seconds(q.VisibilityTimeout, 30), time.Now().Add(longest))
	if err != nil || len(received) == 0 {
		return r, false, err
	}
	m := received[0]
	seen := m.received(&receiveInput{MessageSystemAttributeNames: []string{"All"}})
	return Received{ID: m.ID, Body: m.Body, Handle: seen.ReceiptHandle, Attributes: seen.Attributes, Hidden: m.Visible}, true, nil
}

// Delete takes a message that was received out of its queue, for the caller in ctx. It is
// not an error if the message is already gone.
func (s *Service) Delete(ctx context.Context, queueARN, handle string) error {
	q, err := s.allowed(ctx, "DeleteMessage", nameOf(queueARN, ":"))
	if err != nil {
		return err
	}
	s.requested(ctx, 0)
	return q.delete(handle)
}

// VisibilityTimeout is how long a queue, by its ARN, hides a message from others once
// it was received. The caller in ctx must be allowed to ask for the queue's attributes.
func (s *Service) VisibilityTimeout(ctx context.Context, queueARN string) (time.Duration, error) {
	q, err := s.allowed(ctx, "GetQueueAttributes", nameOf(queueARN, ":"))
	if err != nil {
		return 0, err
	}
	return seconds(q.VisibilityTimeout, 30), nil
}

// Held is how many messages a queue, by its ARN, holds: to be received, in flight or
// delayed.
func (s *Service) Held(queueARN string) (int, error) {
	q, err := s.queue(nameOf(queueARN, ":"))
	if err != nil {
		return 0, err
	}
	visible, inFlight, delayed := q.counts(time.Now())
	return visible + inFlight + delayed, nil
}
