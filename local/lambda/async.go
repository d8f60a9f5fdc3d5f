package lambda

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/local/fault"
	"hl7lake/local/wire"
)

// defaultRetries is how often Lambda retries if the template does not say
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
const defaultRetries = 2

// Event is an asynchronous event for a function.
type Event struct {
	FunctionARN string
	Payload     json.RawMessage `json:"-"` // stored separately, see encodePending
}

// pendingEvent is an event in the store until it is settled.
type pendingEvent struct {
	Event
	RequestID string
	Attempts  int // made so far
	Received  time.Time
}

// pendingBucket holds the pending events; the keys are a rising number.
func pendingBucket() []byte { return []byte("lambda-async") }

// InvokeAsync accepts events for functions. If it returns nil, all of them are durable,
// and each is tried until it is handled or has gone where failed events go. After an
// error, none was accepted.
func (s *Service) InvokeAsync(ctx context.Context, events ...Event) error {
	for _, e := range events {
		if err := s.config.Authorize(ctx, "lambda:InvokeFunction", e.FunctionARN, nil); err != nil {
			return err
		}
		if len(e.Payload) > MaxAsyncPayload {
			return tooLarge(len(e.Payload), MaxAsyncPayload)
		}
		if _, err := s.function(e.FunctionARN); err != nil {
			return err
		}
	}
	accepted := make([]queued, len(events))
	err := s.config.Store.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(pendingBucket())
		if err != nil {
			return err
		}
		for n, e := range events {
			pending := pendingEvent{Event: e, RequestID: newRequestID(), Received: time.Now()}
			key, err := bucket.NextSequence()
			if err != nil {
				return err
			}
			if err := putPending(bucket, key, pending); err != nil {
				return err
			}
			accepted[n] = queued{key, &pending}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep asynchronous events: %w", err)
	}
	for n, e := range events {
		f, err := s.function(e.FunctionARN)
		if err != nil {
			return err
		}
		f.queue.push(accepted[n])
	}
	return nil
}

// Start takes up the events that an earlier run left, and from then on handles
// asynchronous events and what the functions' queues hold. It is called once, when every
// function was added.
func (s *Service) Start() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err := s.config.Store.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(pendingBucket())
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(key, value []byte) error {
			e, err := decodePending(value)
			if err != nil {
				return fmt.Errorf("asynchronous event %x: %w", key, err)
			}
			if f, known := s.functions[e.FunctionARN]; known {
				f.queue.push(queued{key: binary.BigEndian.Uint64(key)})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, f := range s.functions {
		for range cap(f.pool.slots) {
			s.work.Go(func() { s.serveQueue(f) })
		}
		for _, source := range f.sources {
			for range source.pollers() {
				s.work.Go(func() { s.poll(f, source.EventSourceArn) })
			}
		}
	}
	return nil
}

// serveQueue handles a function's asynchronous events one after another.
func (s *Service) serveQueue(f *function) {
	for {
		next, open := f.queue.pop()
		if !open {
			return
		}
		if err := s.attempt(f, next); err != nil && s.ctx.Err() == nil {
			_, _ = fmt.Fprintf(s.config.Output(f.FunctionName), "asynchronous event of %s: %v\n", f.FunctionName, err)
		}
	}
}

// attempt tries one event once and settles the outcome. What Lambda itself could not do
// is tried again, here without an end, on AWS for up to six hours
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
func (s *Service) attempt(f *function, next queued) error {
	key := next.key
	e, err := s.pending(next)
	if err != nil {
		return err
	}
	r, err := s.invoke(s.ctx, f, delivery{fault.Event, e.RequestID, e.Payload})
	if s.ctx.Err() != nil {
		return nil // stays in the store for the next start
	}
	if err == nil && r.functionError == "" {
		return s.forgetPending(key)
	}
	if refusal := new(wire.Error); errors.As(err, &refusal) {
		return s.retryLater(f, key, e) // throttled, or a failure of Lambda itself: not one of the function's attempts
	}
	if err != nil {
		r = failure("Runtime.ExitError", err.Error())
	}
	e.Attempts++
	if e.Attempts <= f.retries() {
		return s.retryLater(f, key, e)
	}
	if err := s.undelivered(f, e, r); err != nil {
		return s.retryLater(f, key, e) // never dropped: try again until somebody takes it
	}
	return s.forgetPending(key)
}

func (f *function) retries() int {
	if f.async.MaximumRetryAttempts != nil {
		return *f.async.MaximumRetryAttempts
	}
	return defaultRetries
}

// retryLater stores the count of attempts and queues the event again after a wait that
// doubles.
func (s *Service) retryLater(f *function, key uint64, e pendingEvent) error {
	err := s.config.Store.Update(func(tx *bbolt.Tx) error {
		return putPending(tx.Bucket(pendingBucket()), key, e)
	})
	if err != nil {
		return err
	}
	s.work.Go(func() {
		timer := time.NewTimer(s.config.RetryDelay << min(max(e.Attempts-1, 0), 6))
		defer timer.Stop()
		select {
		case <-timer.C:
			f.queue.push(queued{key, &e})
		case <-s.ctx.Done():
		}
	})
	return nil
}

// undelivered passes an event on which all attempts failed to the function's failure
// destination and its dead-letter queue, in the forms that Lambda uses
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
func (s *Service) undelivered(f *function, e pendingEvent, r result) error {
	ctx := wire.WithCaller(s.ctx, f.Role) // Lambda sends with the function's role
	if target := f.async.DestinationConfig.OnFailure.Destination; target != "" {
		record, err := json.Marshal(failureRecord(f, e, r))
		if err != nil {
			return err
		}
		if err := s.config.Undelivered(ctx, target, string(record), nil); err != nil {
			return err
		}
	}
	if target := f.DeadLetterConfig.TargetArn; target != "" {
		var reason struct{ ErrorMessage string }
		_ = json.Unmarshal(r.payload, &reason) // a function may answer anything; then there is no message
		return s.config.Undelivered(ctx, target, string(e.Payload), map[string]string{
			"RequestID": e.RequestID, "ErrorCode": "200", "ErrorMessage": reason.ErrorMessage,
		})
	}
	return nil
}

func failureRecord(f *function, e pendingEvent, r result) map[string]any {
	return map[string]any{
		"version":   "1.0",
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano),
		"requestContext": map[string]any{
			"requestId": e.RequestID, "functionArn": f.arn + ":$LATEST",
			"condition": "RetriesExhausted", "approximateInvokeCount": e.Attempts,
		},
		"requestPayload": e.Payload,
		"responseContext": map[string]any{
			"statusCode": 200, "executedVersion": "$LATEST", "functionError": r.functionError,
		},
		"responsePayload": json.RawMessage(r.payload),
	}
}

func (s *Service) pending(next queued) (e pendingEvent, err error) {
	if next.event != nil {
		return *next.event, nil
	}
	err = s.config.Store.View(func(tx *bbolt.Tx) (err error) {
		e, err = decodePending(tx.Bucket(pendingBucket()).Get(binary.BigEndian.AppendUint64(nil, next.key)))
		return err
	})
	return e, err
}

// Pending counts the asynchronous events that were accepted and are neither handled nor
// gone where failed events go.
func (s *Service) Pending() (n int, err error) {
	err = s.config.Store.View(func(tx *bbolt.Tx) error {
		if bucket := tx.Bucket(pendingBucket()); bucket != nil {
			n = bucket.Stats().KeyN
		}
		return nil
	})
	return n, err
}

// forgetPending does not wait until the event is removed. An event that comes back after
// a crash is delivered once more, as may happen with Lambda.
func (s *Service) forgetPending(key uint64) error {
	return s.config.Store.Later(func(tx *bbolt.Tx) error {
		return tx.Bucket(pendingBucket()).Delete(binary.BigEndian.AppendUint64(nil, key))
	})
}

func putPending(bucket *bbolt.Bucket, key uint64, e pendingEvent) error {
	value, err := encodePending(e)
	if err != nil {
		return err
	}
	return bucket.Put(binary.BigEndian.AppendUint64(nil, key), value)
}

// encodePending returns an event as stored: a line of JSON without the payload, and then
// the payload unchanged, because JSON would read through it once more.
func encodePending(e pendingEvent) ([]byte, error) {
	head, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return slices.Concat(head, []byte{'\n'}, e.Payload), nil
}

// decodePending reads what encodePending wrote. The event does not share the memory of
// value.
func decodePending(value []byte) (e pendingEvent, err error) {
	head, payload, found := bytes.Cut(value, []byte{'\n'})
	if !found {
		return e, errors.New("it has no payload")
	}
	err = json.Unmarshal(head, &e)
	e.Payload = bytes.Clone(payload)
	return e, err
}
