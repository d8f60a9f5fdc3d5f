package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// initLimit is how long a function may take until it asks for its first event
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const initLimit = 10 * time.Second

// A process's memory is looked at when it could have filled the rest, because looking
// takes as long as handling a small event. No processor touches new pages faster than
// growth, in bytes a second. lookAtMost limits how often a process is looked at whose
// memory is nearly full.
const (
	growth     = 8 << 30
	lookAtMost = time.Millisecond
)

// instance is one process of a function. It handles as many events at once as its pool
// allows. Whoever took it from the pool gives it an invocation; the Runtime API's
// handlers fetch that and bring the answer.
type instance struct {
	id       string
	stream   string // name of the log stream
	function *function
	process  *exec.Cmd
	ready    chan struct{}    // closed when the process first asks for an event
	events   chan *invocation // the next events for the process
	exited   chan struct{}    // closed when the process is gone

	// Guarded by the pool:
	atWork    int       // how many hold the instance
	retired   bool      // must get no more events
	idleSince time.Time // when the last holder gave it back

	mu        sync.Mutex
	inFlight  map[string]*invocation // by request id, what the process is working on
	isReady   bool                   // ready is closed
	look      time.Time              // when the process's memory is to be looked at next
	tooMuch   bool                   // the process has used more memory than it may, and is killed
	initError *result                // the process's output, if it could not start
}

// invocation is one event on its way through an instance.
type invocation struct {
	requestID string
	traceID   string // in X-Ray's form; the SDK repeats it with each call that the process makes
	payload   []byte
	deadline  time.Time
	answer    chan result // buffered, so that a late answer does not block
}

func newRequestID() string { return uuid.NewString() }

// newTraceID returns the id of a trace that begins now
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html).
func newTraceID() string {
	random := uuid.New()
	return fmt.Sprintf("1-%08x-%x", time.Now().Unix(), random[:12])
}

// start runs a new process of the function.
func (s *Service) start(f *function) (*instance, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	i := &instance{
		id: uuid.NewString(), stream: f.pool.stream(), function: f,
		ready: make(chan struct{}), events: make(chan *invocation, f.pool.events), exited: make(chan struct{}),
		inFlight: map[string]*invocation{},
	}
	i.process = exec.CommandContext(s.ctx, f.binary) // it ends with the service
	i.process.Env = s.environment(i)
	output := s.config.Output(f.FunctionName)
	i.process.Stdout, i.process.Stderr = output, output
	endWithParent(i.process)
	s.mu.Lock()
	s.instances[i.id] = i
	s.mu.Unlock()
	if err := i.process.Start(); err != nil {
		s.forget(i)
		f.pool.ended(i.stream)
		return nil, fmt.Errorf("start function %s: %w", f.FunctionName, err)
	}
	s.work.Go(func() {
		_ = i.process.Wait() // the exit state tells how it ended
		f.pool.ended(i.stream)
		close(i.exited)
		s.forget(i)
	})
	return i, nil
}

func (s *Service) forget(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.instances, i.id)
}

// environment returns what Lambda sets for a function's process
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html), and the
// endpoint that leads the AWS SDK to this machine. Nothing of the user's own environment
// is passed on.
func (s *Service) environment(i *instance) []string {
	f := i.function
	credentials := s.config.Credentials(f.Role)
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(s.config.Endpoint, "http://") + runtimePath + i.id,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.FunctionName,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.memory()),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.FunctionName,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + i.stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_REGION=" + wire.Region,
		"AWS_DEFAULT_REGION=" + wire.Region,
		"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + credentials.SessionToken,
		"AWS_ENDPOINT_URL=" + s.config.Endpoint,
		// The SDK sends some operations to a host name of their own (sync-127.0.0.1 for
		// StartSyncExecution). This machine gets those requests as a proxy. Requests to
		// 127.0.0.1 itself never use a proxy.
		"HTTP_PROXY=" + s.config.Endpoint,
		"AWS_EC2_METADATA_DISABLED=true",
		"_HANDLER=bootstrap",
		"TZ=:UTC",
		"PATH=" + os.Getenv("PATH"),
		// Lambda gives a function the share of a processor that its memory pays for,
		// which is less than one at the sizes in use. Here many processes share few
		// processors: a second thread in each of them would cost a quarter more processor
		// time.
		"GOMAXPROCS=1",
	}
	if f.pool.events > 1 {
		env = append(env, "AWS_LAMBDA_MAX_CONCURRENCY="+strconv.Itoa(f.pool.events))
	}
	for name, value := range f.Environment.Variables {
		env = append(env, name+"="+value)
	}
	return env
}

// handle gives the instance an event and waits for the answer. alive reports whether the
// instance can take another. service ends the wait when the service is closed.
func (i *instance) handle(service context.Context, d delivery, limit time.Duration) (r result, alive bool) {
	if failed, ok := i.awaitReady(service); !ok {
		return failed, false
	}
	timer, begin := time.NewTimer(limit), time.Now()
	defer timer.Stop()
	defer func() { r.took = time.Since(begin) }()
	event := &invocation{
		requestID: d.requestID, traceID: newTraceID(), payload: d.payload,
		deadline: time.Now().Add(limit), answer: make(chan result, 1),
	}
	i.events <- event
	look := time.NewTimer(i.untilLook())
	defer look.Stop()
	for {
		select {
		case r := <-event.answer:
			if i.usesTooMuch() {
				return outOfMemory(d.requestID), false
			}
			return r, true
		case <-look.C:
			if i.usesTooMuch() {
				i.kill()
			}
			look.Reset(i.untilLook())
		case <-timer.C:
			return failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds",
				d.requestID, limit.Seconds())), false
		case <-i.exited:
			return i.exitResult(event), false
		case <-service.Done():
			return failure("Runtime.ExitError", "the local lake is stopping"), false
		}
	}
}

// untilLook returns how long the process's memory need not be looked at.
func (i *instance) untilLook() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return max(time.Until(i.look), lookAtMost)
}

// usesTooMuch reports whether the process has used more memory than its function may.
// Lambda kills it at that moment, whatever it does afterwards. If a process's memory is
// not known, it may use any amount.
func (i *instance) usesTooMuch() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := time.Now()
	if i.tooMuch || now.Before(i.look) {
		return i.tooMuch
	}
	limit := int64(i.function.memory()) << 20
	peak, known := peakMemory(i.process.Process.Pid)
	if limit == 0 || !known {
		i.look = now.Add(time.Second)
		return false
	}
	i.tooMuch = peak > limit
	i.look = now.Add(time.Duration(float64(limit-peak) / growth * float64(time.Second)))
	return i.tooMuch
}

// awaitReady waits until the process has asked for its first event.
func (i *instance) awaitReady(service context.Context) (result, bool) {
	timer := time.NewTimer(initLimit)
	defer timer.Stop()
	select {
	case <-i.ready:
		return result{}, true
	case <-i.exited:
		return i.initResult(), false
	case <-timer.C:
		return failure("Sandbox.Timedout", "the function did not ask for an event in time"), false
	case <-service.Done():
		return failure("Runtime.ExitError", "the local lake is stopping"), false
	}
}

// initResult is the answer of an instance that ended before it was ready.
func (i *instance) initResult() result {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.initError != nil {
		return *i.initError
	}
	return failure("Runtime.ExitError", "Error: Runtime exited: "+i.process.ProcessState.String())
}

// exitResult is the answer of an instance whose process is gone: its last answer, if it
// sent one just before. A process that was already ending, for example after a panic, has
// not seen the event, and another must get it.
func (i *instance) exitResult(event *invocation) result {
	select {
	case r := <-event.answer:
		return r
	default:
		if i.hadTooMuch() {
			return outOfMemory(event.requestID)
		}
		r := failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s",
			event.requestID, i.process.ProcessState))
		r.unseen = i.finish(event.requestID) == nil
		return r
	}
}

func (i *instance) hadTooMuch() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tooMuch
}

// outOfMemory is what Lambda says about an event whose process it killed because of its
// memory. The type is the errorType of its platform.runtimeDone record (Lambda Telemetry
// API Event schema reference); the words are those of its log.
func outOfMemory(requestID string) result {
	return failure("Runtime.OutOfMemory", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: signal: killed", requestID))
}

func failure(errorType, message string) result {
	payload, _ := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message}) // strings can always be marshalled
	return result{payload: payload, functionError: "Unhandled"}
}

func (i *instance) alive() bool {
	select {
	case <-i.exited:
		return false
	default:
		return true
	}
}

// kill ends the process; its owner waits for it.
func (i *instance) kill() { _ = i.process.Process.Kill() } // it may have ended on its own
