// Package states runs Step Functions' Express workflows. It loads the state machines of
// the templates and answers StartSyncExecution behind the service's own protocol.
//
// It runs the parts of the Amazon States Language that are needed here: Task (Lambda),
// Choice and Fail, with JSONPath, Retry and Catch. A state machine that needs more (other
// types of state, JSONata, intrinsic functions, other services) is refused when it is
// added, never run differently.
//
// # Reaching StartSyncExecution
//
// For StartSyncExecution, the SDKs put "sync-" before the endpoint's host. With
// AWS_ENDPOINT_URL=http://127.0.0.1:PORT they look for the host sync-127.0.0.1, which no
// resolver knows. A process that must find the local service needs no code for that, but
// one more environment variable: HTTP_PROXY=http://127.0.0.1:PORT, the same address. The
// SDK's HTTP client then asks that address for http://sync-127.0.0.1:PORT/, in the form
// for proxies, which net/http's server routes by its path like any other request.
// Requests to 127.0.0.1 itself never go through a proxy
// (golang.org/x/net/http/httpproxy). The service does not look at the host.
package states

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// maxDuration is how long an Express workflow may run.
const maxDuration = 5 * time.Minute

// StateMachine has the properties of AWS::StepFunctions::StateMachine that are
// run here.
type StateMachine struct {
	StateMachineName        string
	StateMachineType        string // EXPRESS
	DefinitionString        string
	Definition              json.RawMessage // instead of DefinitionString
	DefinitionSubstitutions map[string]string
	RoleArn                 string
}

// UnmarshalJSON refuses the properties that are neither run nor ignored by name.
func (m *StateMachine) UnmarshalJSON(text []byte) error {
	type properties StateMachine
	return wire.Properties(text, (*properties)(m), m.Ignored())
}

// Ignored are the properties that are not run here, and why not.
func (*StateMachine) Ignored() wire.Ignored {
	return wire.Ignored{
		"LoggingConfiguration": "what a workflow does is not logged here",
		"TracingConfiguration": "nothing is traced here",
	}
}

// machine is a state machine that can be run.
type machine struct {
	arn, name, role string
	text            string
	definition      *Definition
	created         time.Time
}

// Service runs state machines. Close ends it.
type Service struct {
	authorize wire.Authorize
	invoker   Invoker
	executed  Executed
	timeScale float64
	ctx       context.Context // ends with the service; executions run in it
	cancel    context.CancelFunc
	handler   http.Handler

	mu       sync.RWMutex
	machines map[string]*machine // by ARN
}

// Executed is called for each execution with the time that its caller waited for it.
type Executed func(ctx context.Context, took time.Duration)

// Option changes how a Service works.
type Option func(*Service)

// WithExecuted makes the service report executions.
func WithExecuted(executed Executed) Option { return func(s *Service) { s.executed = executed } }

// WithTimeScale multiplies the time-outs of the state machines.
func WithTimeScale(scale float64) Option { return func(s *Service) { s.timeScale = scale } }

// New returns a service without state machines.
func New(authorize wire.Authorize, invoker Invoker, options ...Option) *Service {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		authorize: authorize, invoker: invoker, executed: func(context.Context, time.Duration) {}, timeScale: 1,
		ctx: ctx, cancel: cancel, machines: map[string]*machine{},
	}
	for _, option := range options {
		option(s)
	}
	s.handler = wire.JSON("1.0", map[string]wire.Operation{
		"StartSyncExecution":   wire.Op(s.startSync),
		"DescribeStateMachine": wire.Op(s.describe),
		"ListStateMachines":    wire.Op(s.list),
	})
	return s
}

// Close ends the executions. Their callers, who wait for them, are told that the service
// is closed.
func (s *Service) Close() { s.cancel() }

// ServeHTTP answers the service's operations.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Add makes a state machine known by its ARN, and replaces one with the same ARN. It is
// refused if its definition is wrong or needs what is not run here.
func (s *Service) Add(arn string, m StateMachine) error {
	if m.StateMachineType != "EXPRESS" {
		return wire.UnsupportedProperty("StateMachineType", m.StateMachineType)
	}
	if len(m.DefinitionSubstitutions) > 0 {
		return wire.Unsupported("property DefinitionSubstitutions")
	}
	text := m.DefinitionString
	if text == "" {
		text = string(m.Definition)
	}
	definition, err := Load([]byte(text))
	if err != nil {
		return err
	}
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	added := &machine{arn: arn, name: name, role: m.RoleArn, text: text, definition: definition, created: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.machines[arn] = added
	return nil
}

type startInput struct {
	StateMachineArn string
	Name            string
	Input           string
}

// started is an execution that may start.
type started struct {
	execution *execution
	machine   *machine
	arn, name string
	input     any
	at        time.Time
}

// prepare checks a request to start.
func (s *Service) prepare(ctx context.Context, in *startInput) (*started, error) {
	m, err := s.machine(ctx, "states:StartSyncExecution", in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	if in.Input == "" {
		in.Input = "{}"
	}
	if len(in.Input) > MaxData {
		return nil, wire.Errorf("ValidationException", "1 validation error detected: Value at 'input' failed to satisfy "+
			"constraint: Member must have length less than or equal to %d", MaxData)
	}
	input, err := decode([]byte(in.Input))
	if err != nil {
		return nil, wire.Errorf("InvalidExecutionInput", "Invalid State Machine Execution Input: it is not JSON")
	}
	if in.Name == "" {
		in.Name = uuid.NewString()
	}
	if len(in.Name) > 80 {
		return nil, wire.Errorf("InvalidName", "Invalid Name: a name has at most 80 characters")
	}
	run := &started{machine: m, name: in.Name, input: input, at: time.Now()}
	run.arn = wire.ARN("states", "express:"+m.name+":"+in.Name+":"+uuid.NewString())
	run.execution = &execution{definition: m.definition, invoker: s.invoker, timeScale: s.timeScale, object: map[string]any{
		"Execution": map[string]any{
			"Id": run.arn, "Input": input, "Name": in.Name, "RoleArn": m.role, "StartTime": timestamp(run.at),
		},
		"StateMachine": map[string]any{"Id": m.arn, "Name": m.name},
	}}
	return run, nil
}

func (s *Service) machine(ctx context.Context, action, arn string) (*machine, error) {
	if err := s.authorize(ctx, action, arn, nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	m, known := s.machines[arn]
	if !known {
		return nil, wire.Errorf("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
	}
	return m, nil
}

// run runs the execution as the machine's role. It does not end with the request that
// started it, but with the service.
func (s *Service) run(r *started) (status string, output any, failure *Failure) {
	ctx, cancel := context.WithTimeout(wire.WithCaller(s.ctx, r.machine.role), maxDuration)
	defer cancel()
	return r.execution.run(ctx, r.input)
}

type syncOutput struct {
	ExecutionArn    string   `json:"executionArn"`
	StateMachineArn string   `json:"stateMachineArn"`
	Name            string   `json:"name"`
	StartDate       float64  `json:"startDate"`
	StopDate        float64  `json:"stopDate"`
	Status          string   `json:"status"`
	Error           string   `json:"error,omitempty"`
	Cause           string   `json:"cause,omitempty"`
	Input           string   `json:"input"`
	InputDetails    included `json:"inputDetails"`
	Output          string   `json:"output,omitempty"`
	OutputDetails   included `json:"outputDetails"`
	BillingDetails  billing  `json:"billingDetails"`
}

type included struct {
	Included bool `json:"included"`
}

type billing struct {
	Duration int64 `json:"billedDurationInMilliseconds"`
	Memory   int64 `json:"billedMemoryUsedInMB"`
}

// startSync runs an execution to its end. If it failed, that is its status and not an
// error of the operation.
func (s *Service) startSync(ctx context.Context, in *startInput) (*syncOutput, error) {
	began := time.Now()
	defer func() { s.executed(ctx, time.Since(began)) }()
	run, err := s.prepare(ctx, in)
	if err != nil {
		return nil, err
	}
	status, output, failure := s.run(run)
	if s.ctx.Err() != nil {
		return nil, &wire.Error{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "the service is closed"}
	}
	stopped := time.Now()
	answer := &syncOutput{
		ExecutionArn: run.arn, StateMachineArn: run.machine.arn, Name: run.name,
		StartDate: seconds(run.at), StopDate: seconds(stopped), Status: status,
		Input: in.Input, InputDetails: included{true}, OutputDetails: included{true},
		BillingDetails: billing{Duration: billed(stopped.Sub(run.at)).Milliseconds(), Memory: 64},
	}
	if failure != nil {
		answer.Error, answer.Cause = failure.Error, failure.Cause
	}
	if status != succeeded {
		return answer, nil
	}
	text, err := encode(output)
	if err != nil {
		return nil, fmt.Errorf("output of an execution: %w", err)
	}
	answer.Output = string(text)
	return answer, nil
}

// billed rounds a duration up to the next step of 100 ms. Memory is billed in steps of
// 64 MB (https://aws.amazon.com/step-functions/pricing/).
func billed(d time.Duration) time.Duration {
	const step = 100 * time.Millisecond
	return (d + step - 1).Truncate(step)
}

// seconds is a time as the JSON protocol writes it.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

type listOutput struct {
	StateMachines []listedMachine `json:"stateMachines"`
}

type listedMachine struct {
	StateMachineArn string  `json:"stateMachineArn"`
	Name            string  `json:"name"`
	Type            string  `json:"type"`
	CreationDate    float64 `json:"creationDate"`
}

func (s *Service) list(ctx context.Context, _ *struct{}) (*listOutput, error) {
	if err := s.authorize(ctx, "states:ListStateMachines", "*", nil); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	output := &listOutput{StateMachines: []listedMachine{}}
	for _, arn := range slices.Sorted(maps.Keys(s.machines)) {
		m := s.machines[arn]
		output.StateMachines = append(output.StateMachines, listedMachine{m.arn, m.name, "EXPRESS", seconds(m.created)})
	}
	return output, nil
}

type describeOutput struct {
	StateMachineArn string  `json:"stateMachineArn"`
	Name            string  `json:"name"`
	Status          string  `json:"status"`
	Definition      string  `json:"definition"`
	RoleArn         string  `json:"roleArn"`
	Type            string  `json:"type"`
	CreationDate    float64 `json:"creationDate"`
}

func (s *Service) describe(ctx context.Context, in *struct{ StateMachineArn string }) (*describeOutput, error) {
	m, err := s.machine(ctx, "states:DescribeStateMachine", in.StateMachineArn)
	if err != nil {
		return nil, err
	}
	return &describeOutput{m.arn, m.name, "ACTIVE", m.text, m.role, "EXPRESS", seconds(m.created)}, nil
}
