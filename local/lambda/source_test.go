package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"hl7lake/local/fault"
	"hl7lake/local/lambda"
	"hl7lake/local/wire"
)

// source is a queue that shows a message until it is deleted.
type source struct {
	hidden time.Duration

	mu       sync.Mutex
	body     string
	until    time.Time
	receives int
	deleted  chan struct{}
	callers  []string
}

func newSource(body string) *source {
	return &source{hidden: time.Minute, body: body, deleted: make(chan struct{})}
}

func (s *source) Receive(ctx context.Context, _ string) (m lambda.QueueMessage, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body == "" || time.Now().Before(s.until) {
		time.Sleep(time.Millisecond)
		return m, false, nil
	}
	s.receives++
	s.until = time.Now().Add(s.hidden)
	s.callers = append(s.callers, wire.Caller(ctx))
	return lambda.QueueMessage{ID: "1", Body: s.body, Handle: "handle", Hidden: s.until}, true, nil
}

func (s *source) Delete(_ context.Context, _, handle string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if handle != "handle" {
		return errors.New("another handle")
	}
	s.body = ""
	close(s.deleted)
	return nil
}

func (s *source) VisibilityTimeout(context.Context, string) (time.Duration, error) {
	return s.hidden, nil
}

// mapping is one of the test's function to a queue.
func mapping(t *testing.T, properties string) lambda.EventSourceMapping {
	t.Helper()
	var m lambda.EventSourceMapping
	if err := json.Unmarshal([]byte(properties), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

const mapped = `{"FunctionName":"test","EventSourceArn":"arn:queue","BatchSize":1,"ScalingConfig":{"MaximumConcurrency":2}}`

func TestAQueueFeedsAFunctionUntilItHasHandledTheMessage(t *testing.T) {
	for name, test := range map[string]struct {
		strike   fault.Fault // of the first delivery
		receives int
	}{
		"at once":                        {fault.Fault{}, 1},
		"again, as Lambda was throttled": {fault.Fault{Kind: fault.Throttle}, 1},
		"again, as the function failed":  {fault.Fault{Kind: fault.KillBefore}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			queue := newSource("a message")
			if test.receives > 1 {
				queue.hidden = 5 * time.Second // no less than the function's time
			}
			var once sync.Once
			var event []byte
			faults := fault.NewInjector(func(p fault.Point) (f fault.Fault) {
				once.Do(func() { f, event = test.strike, p.Payload })
				return f
			})
			m := newMachine(t, func(f *lambda.Function, c *lambda.Config) {
				f.Role = "arn:role"
				c.Faults, c.Queues = faults, queue
			})
			if err := m.Map(mapping(t, mapped)); err != nil {
				t.Fatal(err)
			}
			if err := m.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-queue.deleted:
			case <-time.After(20 * time.Second):
				t.Fatal("it was not deleted")
			}
			queue.mu.Lock()
			defer queue.mu.Unlock()
			if queue.receives != test.receives || queue.callers[0] != "arn:role" {
				t.Errorf("received %d times, as %s", queue.receives, queue.callers[0])
			}
			var got struct {
				Records []struct{ Body, EventSource, EventSourceARN string }
			}
			if err := json.Unmarshal(event, &got); err != nil || len(got.Records) != 1 ||
				got.Records[0].Body != "a message" || got.Records[0].EventSource != "aws:sqs" || got.Records[0].EventSourceARN != "arn:queue" {
				t.Errorf("the event %s: %v", event, err)
			}
		})
	}
}

func TestAMappingThatAWSRefusesOrThatIsNotRunIsRefused(t *testing.T) {
	for properties, want := range map[string]string{
		`{"FunctionName":"other","EventSourceArn":"arn:queue","BatchSize":1}`:                                            "not found",
		`{"FunctionName":"test","EventSourceArn":"arn:queue"}`:                                                           "BatchSize",
		`{"FunctionName":"test","EventSourceArn":"arn:queue","BatchSize":10}`:                                            "BatchSize",
		`{"FunctionName":"test","EventSourceArn":"arn:queue","BatchSize":1,"ScalingConfig":{"MaximumConcurrency":1}}`:    "MaximumConcurrency",
		`{"FunctionName":"test","EventSourceArn":"arn:queue","BatchSize":1,"ScalingConfig":{"MaximumConcurrency":1001}}`: "MaximumConcurrency",
	} {
		m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.Queues = newSource("") })
		if err := m.Map(mapping(t, properties)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", properties, err)
		}
	}
	short := newSource("")
	short.hidden = 4 * time.Second
	m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.Queues = short })
	if err := m.Map(mapping(t, mapped)); err == nil || !strings.Contains(err.Error(), "visibility timeout") {
		t.Errorf("a message is shown again while the function is at work on it: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"Enabled":false}`), new(lambda.EventSourceMapping)); err == nil {
		t.Error("a property that is not run is passed over")
	}
}
