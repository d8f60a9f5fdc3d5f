// Package lambda runs the templates' functions as AWS Lambda does. Each is a process of
// its own that asks the Lambda Runtime API for its next event, with the environment, the
// time-out and the credentials of its role that the template gives it. On Linux, a
// process that uses more than its memory is killed at that moment. Instances are started
// when they are needed, handle one event at a time, are kept for the next one, and are
// stopped when idle. Asynchronous events are durable before they are acknowledged, are
// tried three times, and then go where the template says.
package lambda

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/local/fault"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// Lambda's quotas
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), in bytes,
// for a request to or answer from a function that is waited for, and for an asynchronous
// event.
const (
	MaxPayload      = 6 << 20
	MaxAsyncPayload = 1 << 20
)

// Function is what a template says about a function; the fields are those of
// AWS::Lambda::Function.
type Function struct {
	FunctionName string
	Package      string `json:"-"` // the folder of its program, from the resource's metadata
	Role         string // ARN
	MemorySize   int    // MB
	Timeout      int    // seconds
	Environment  struct{ Variables map[string]string }
	// ReservedConcurrentExecutions limits the instances; further events are throttled.
	// nil means the service's own limit, at which events wait.
	ReservedConcurrentExecutions *int
	DeadLetterConfig             struct{ TargetArn string }
	// TracingConfig and LoggingConfig change nothing here but the bill, and the log group
	// in which the output is found.
	TracingConfig struct{ Mode string } // Active: begins a trace if none comes with the event
	LoggingConfig struct{ SystemLogLevel, LogGroup string }
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (f *Function) UnmarshalJSON(text []byte) error {
	type properties Function
	return wire.Properties(text, (*properties)(f), f.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*Function) Ignored() wire.Ignored {
	return wire.Ignored{
		"Architectures":           "a function is built for this machine",
		"Code":                    "the program is built from the source on this machine",
		"Description":             "it is for people who read the template",
		"LoggingConfig.LogFormat": "a function logs in the one format that it is written for",
		"Handler":                 "the program is built from the source on this machine",
		"Runtime":                 "a function runs on this machine as it is built",
	}
}

// EventInvokeConfig is what a template says about a function's asynchronous events; the
// fields are those of AWS::Lambda::EventInvokeConfig.
type EventInvokeConfig struct {
	FunctionName         string
	MaximumRetryAttempts *int // 2 if nil
	DestinationConfig    struct {
		OnFailure struct{ Destination string } // ARN
	}
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (c *EventInvokeConfig) UnmarshalJSON(text []byte) error {
	type properties EventInvokeConfig
	return wire.Properties(text, (*properties)(c), c.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*EventInvokeConfig) Ignored() wire.Ignored {
	return wire.Ignored{
		"MaximumEventAgeInSeconds": "an event is tried until its attempts are used up, however old it is",
		"Qualifier":                "a function has only one version here",
	}
}

// Config is what the service needs from the machine around it.
type Config struct {
	Store     *store.Store
	Authorize wire.Authorize
	// Program returns the program of a package, built for this machine.
	Program func(folder string) string
	// Endpoint is the URL of the local services. Functions find the AWS services and the
	// Runtime API there.
	Endpoint string
	// Credentials are those of a role, by its ARN.
	Credentials func(roleARN string) aws.Credentials
	// Undelivered takes an event on which all attempts failed to a dead-letter queue or
	// failure destination, by its ARN.
	Undelivered func(ctx context.Context, target, body string, attributes map[string]string) error
	// Queues are where the functions' event sources are. nil: no template maps one.
	Queues Queues
	// Output is where a function's standard output and error go.
	Output func(functionName string) io.Writer
	// Concurrency limits the events that each function handles at once.
	Concurrency int
	// EventsPerInstance is how many of them an instance takes: one, which is the default
	// on AWS and here, or several, as on Lambda Managed Instances
	// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-core-concepts.html).
	// An instance whose events share its memory and its end takes far less processor time
	// than many instances that take turns.
	EventsPerInstance int
	// IdleAfter is how long an instance is kept without work.
	IdleAfter time.Duration
	// RetryDelay is the wait before the first retry of an asynchronous event,
	// doubled for the second. AWS waits a minute.
	RetryDelay time.Duration
	// TimeScale multiplies the functions' time-outs; 0 means 1.
	TimeScale float64
	// Faults make deliveries to functions fail; nil: none.
	Faults *fault.Injector
	// Handled is called for each event that an instance was given; it may be nil.
	Handled func(ctx context.Context, h Handled)
}

// Handled is an event that an instance of a function was given, with success or
// without.
type Handled struct {
	Function  Function
	AsyncSize int           // of an asynchronous event, in bytes; zero for others
	Took      time.Duration // from receiving the event to the answer
}

// delivery is an event on its way to a function.
type delivery struct {
	kind      string // fault.Invocation or fault.Event
	requestID string
	payload   []byte
}

// result is how a function answered.
type result struct {
	payload       []byte // the function's answer, or {"errorMessage", "errorType"}
	functionError string // "Unhandled" if the function failed, else empty
	took          time.Duration
	unseen        bool // the process ended before it had the event
}

// Service runs functions. Close ends it.
type Service struct {
	config  Config
	runtime http.Handler    // the Runtime API
	ctx     context.Context // ends with the service; every instance runs in it
	cancel  context.CancelFunc
	work    sync.WaitGroup // instances, invocations, asynchronous workers

	mu        sync.RWMutex
	functions map[string]*function // by ARN
	instances map[string]*instance // by id
}

// function is one function with its instances and its asynchronous queue.
type function struct {
	Function
	arn    string
	binary string
	pool   *pool
	queue  *queue
	async  EventInvokeConfig

	sources []EventSourceMapping
}

// memory returns what an instance may use, in MB: the template's value for each of its
// events.
func (f *function) memory() int { return f.MemorySize * f.pool.events }

// New returns a service without functions.
func New(config Config) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		config: config, ctx: ctx, cancel: cancel,
		functions: map[string]*function{}, instances: map[string]*instance{},
	}
	s.runtime = s.serveRuntime()
	s.work.Go(s.reap)
	return s
}

// Close kills every instance and waits until all are gone. Asynchronous events that were
// not handled stay in the store for the next start.
func (s *Service) Close() {
	s.cancel()
	s.mu.RLock()
	for _, f := range s.functions {
		f.queue.close()
	}
	s.mu.RUnlock()
	s.work.Wait()
}

// Add makes a function known. binary is the program to run, built for this machine.
// Nothing is started until there is an event.
func (s *Service) Add(f Function, binary string) {
	limit := s.config.Concurrency
	if f.ReservedConcurrentExecutions != nil {
		limit = *f.ReservedConcurrentExecutions
	}
	added := &function{
		Function: f, arn: ARN(f.FunctionName), binary: binary,
		pool: newPool(limit, s.config.EventsPerInstance, f.ReservedConcurrentExecutions != nil), queue: newQueue(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.functions[added.arn] = added
}

// Configure sets how a function's asynchronous events are retried, and where they go
// after they fail. The function must have been added.
func (s *Service) Configure(c EventInvokeConfig) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, known := s.functions[ARN(c.FunctionName)]
	if !known {
		return notFound(c.FunctionName)
	}
	f.async = c
	return nil
}

// ARN is the ARN of a function by its name.
func ARN(functionName string) string { return wire.ARN("lambda", "function:"+functionName) }

func (s *Service) function(arn string) (*function, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f, known := s.functions[arn]; known {
		return f, nil
	}
	return nil, notFound(arn)
}

func notFound(name string) error {
	return &wire.Error{
		Status: http.StatusNotFound, Code: "ResourceNotFoundException",
		Message: fmt.Sprintf("Function not found: %s", name),
	}
}

// Invoke runs the function on an event and waits for its answer. If the function itself
// failed, functionError is "Unhandled" and the answer is {"errorMessage", "errorType"}.
// An error is the service's (an *wire.Error: throttled, too large, denied) or ctx's. If
// ctx ends first the function goes on, as it does on AWS.
func (s *Service) Invoke(ctx context.Context, functionARN string, payload []byte) (answer []byte, functionError string, err error) {
	if err := s.config.Authorize(ctx, "lambda:InvokeFunction", functionARN, nil); err != nil {
		return nil, "", err
	}
	if len(payload) > MaxPayload {
		return nil, "", tooLarge(len(payload), MaxPayload)
	}
	f, err := s.function(functionARN)
	if err != nil {
		return nil, "", err
	}
	r, err := s.invoke(ctx, f, delivery{fault.Invocation, newRequestID(), payload})
	return r.payload, r.functionError, err
}

func tooLarge(size, limit int) error {
	return &wire.Error{
		Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException",
		Message: fmt.Sprintf("%d byte payload is too large for the Event invocation type (limit %d bytes)", size, limit),
	}
}

// invoke gives the event to an instance in a goroutine that the service owns, so that the
// function runs to its end even if the caller has gone.
func (s *Service) invoke(ctx context.Context, f *function, d delivery) (result, error) {
	type outcome struct {
		result
		err error
	}
	answered := make(chan outcome, 1)
	s.work.Go(func() {
		r, err := s.deliver(ctx, f, d)
		answered <- outcome{r, err}
	})
	select {
	case o := <-answered:
		return o.result, o.err
	case <-ctx.Done():
		return result{}, ctx.Err()
	}
}

// run waits for a free instance, until ctx ends, and then for its answer. ctx says who
// calls.
func (s *Service) run(ctx context.Context, f *function, d delivery) (result, error) {
	for {
		i, err := s.acquire(ctx, f)
		if err != nil {
			return result{}, err
		}
		r, alive := i.handle(s.ctx, d, s.limit(f))
		f.pool.release(i, alive)
		if !r.unseen {
			s.handled(ctx, f, d, r)
			return r, nil
		}
	}
}

func (s *Service) handled(ctx context.Context, f *function, d delivery, r result) {
	if s.config.Handled == nil {
		return
	}
	h := Handled{Function: f.Function, Took: r.took}
	if d.kind == fault.Event {
		h.AsyncSize = len(d.payload)
	}
	s.config.Handled(ctx, h)
}

// limit is how long a function may work on an event.
func (s *Service) limit(f *function) time.Duration {
	limit := time.Duration(f.Timeout) * time.Second
	if s.config.TimeScale > 0 {
		limit = time.Duration(float64(limit) * s.config.TimeScale)
	}
	return limit
}

// acquire takes an instance of the function that has room, or starts one.
func (s *Service) acquire(ctx context.Context, f *function) (*instance, error) {
	return f.pool.take(ctx, s.ctx, func() (*instance, error) { return s.start(f) })
}

// reap ends instances that have been idle for too long.
func (s *Service) reap() {
	tick := time.NewTicker(max(s.config.IdleAfter/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-tick.C:
			for _, i := range s.idleSince(now.Add(-s.config.IdleAfter)) {
				i.kill()
			}
		}
	}
}

func (s *Service) idleSince(limit time.Time) (idle []*instance) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.functions {
		idle = append(idle, f.pool.expire(limit)...)
	}
	return idle
}
