package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"hl7lake/local/fault"
	"hl7lake/local/wire"
)

// EventSourceMapping is what a template says of a queue that feeds a function; the
// fields are those of AWS::Lambda::EventSourceMapping. Messages are handed over one at
// a time.
type EventSourceMapping struct {
	EventSourceArn string // of a queue
	FunctionName   string
	BatchSize      *int // 10 where nil, which is not run here
	ScalingConfig  struct{ MaximumConcurrency *int }
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (m *EventSourceMapping) UnmarshalJSON(text []byte) error {
	type properties EventSourceMapping
	return wire.Properties(text, (*properties)(m))
}

// pollers is how many messages of a queue a function is given at once: as many as the
// template allows, or a few, from which Lambda would go on to more
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
func (m EventSourceMapping) pollers() int {
	if m.ScalingConfig.MaximumConcurrency != nil {
		return *m.ScalingConfig.MaximumConcurrency
	}
	return 5
}

// QueueMessage is a message that was received from a queue.
type QueueMessage struct {
	ID, Body   string
	Handle     string
	Attributes map[string]string
	Hidden     time.Time // until when nobody else receives it
}

// Queues is what Lambda needs of queues, by their ARNs, as the caller in the context.
type Queues interface {
	// Receive waits for a message. It may end without one, with ok false.
	Receive(ctx context.Context, queueARN string) (m QueueMessage, ok bool, err error)
	// Delete takes a message that was received out of its queue.
	Delete(ctx context.Context, queueARN, handle string) error
	// VisibilityTimeout is how long a message that was received is hidden from others.
	VisibilityTimeout(ctx context.Context, queueARN string) (time.Duration, error)
}

// Map has a queue feed a function from [Service.Start] on. The function must have been
// added. It refuses what AWS refuses
// (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html): a role that
// may not use the queue, and a queue that shows a message again while the function may
// still be at work on it.
func (s *Service) Map(m EventSourceMapping) error {
	f, err := s.function(ARN(m.FunctionName))
	if err != nil {
		return err
	}
	if m.BatchSize == nil || *m.BatchSize != 1 {
		return wire.UnsupportedProperty("BatchSize", "other than 1")
	}
	if n := m.pollers(); n < 2 || n > 1000 {
		return invalidParameter("MaximumConcurrency must be from 2 to 1000, it is %d", n)
	}
	hidden, err := s.config.Queues.VisibilityTimeout(wire.WithCaller(s.ctx, f.Role), m.EventSourceArn)
	if err != nil {
		return err
	}
	if limit := s.limit(f); hidden < limit {
		return invalidParameter("Queue visibility timeout: %v is less than Function timeout: %v", hidden, limit)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.sources = append(f.sources, m)
	return nil
}

// Sources are the ARNs of the queues that feed functions.
func (s *Service) Sources() (queues []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.functions {
		for _, m := range f.sources {
			queues = append(queues, m.EventSourceArn)
		}
	}
	return queues
}

func invalidParameter(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValueException", format, args...)
}

// poll gives a function the messages of a queue, one after another.
func (s *Service) poll(f *function, queueARN string) {
	ctx := wire.WithCaller(s.ctx, f.Role) // Lambda asks with the function's role
	for s.ctx.Err() == nil {
		m, ok, err := s.config.Queues.Receive(ctx, queueARN)
		switch {
		case err != nil:
			s.complain(f, "receive from its queue", err)
			s.pause()
		case ok:
			s.handOver(ctx, f, queueARN, m)
		}
	}
}

// handOver gives a function one message and takes it out of the queue when the function
// has handled it. Otherwise it returns when it is no longer hidden. What Lambda itself
// could not do is tried again until then.
func (s *Service) handOver(ctx context.Context, f *function, queueARN string, m QueueMessage) {
	payload, err := json.Marshal(queueEvent(queueARN, m))
	if err != nil {
		s.complain(f, "write the event of a message", err)
		return
	}
	for time.Now().Before(m.Hidden) && s.ctx.Err() == nil {
		r, err := s.invoke(s.ctx, f, delivery{fault.Invocation, newRequestID(), payload})
		if refusal := new(wire.Error); errors.As(err, &refusal) {
			s.pause() // throttled, or Lambda's own trouble
			continue
		}
		if err == nil && r.functionError == "" {
			if err := s.config.Queues.Delete(ctx, queueARN, m.Handle); err != nil {
				s.complain(f, "delete a message that it handled", err)
			}
		}
		return
	}
}

// pause waits before something is tried again, or until the service ends.
func (s *Service) pause() {
	timer := time.NewTimer(s.config.RetryDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// complain tells who reads the function's output what did not work.
func (s *Service) complain(f *function, what string, err error) {
	if s.ctx.Err() == nil {
		_, _ = fmt.Fprintf(s.config.Output(f.FunctionName), "%s: %s: %v\n", f.FunctionName, what, err)
	}
}

// queueEvent is a message as a function sees it
// (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
func queueEvent(queueARN string, m QueueMessage) map[string]any {
	return map[string]any{"Records": []any{map[string]any{
		"messageId": m.ID, "receiptHandle": m.Handle, "body": m.Body,
		"attributes": m.Attributes, "messageAttributes": map[string]any{},
		"eventSource": "aws:sqs", "eventSourceARN": queueARN, "awsRegion": wire.Region,
	}}}
}
