package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"hl7lake/local/lambda"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

// asFunction makes the test binary itself the function that the tests run, as a real
// process that speaks the Runtime API.
const asFunction = "LAMBDA_TEST_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		awslambda.Start(behave)
	}
	os.Exit(m.Run())
}

// order is what the test's function is told to do.
type order struct {
	Do   string
	Text string
}

type NamedError struct{ text string }

func (e NamedError) Error() string { return e.text }

func behave(ctx context.Context, o order) (map[string]string, error) {
	switch o.Do {
	case "fail":
		return nil, NamedError{o.Text}
	case "exit":
		os.Exit(3)
	case "panic":
		panic(o.Text)
	case "sleep":
		time.Sleep(time.Minute)
	case "nap":
		time.Sleep(2 * time.Second)
	case "allocate": // that many MB, all of them touched
		var n int
		if _, err := fmt.Sscan(o.Text, &n); err != nil {
			return nil, err
		}
		return map[string]string{"value": fmt.Sprint(bytes.Count(bytes.Repeat([]byte("x"), n<<20), []byte("x")))}, nil
	case "allocate, then nap": // and create a file when everything is done
		var n int
		var done string
		if _, err := fmt.Sscan(o.Text, &n, &done); err != nil {
			return nil, err
		}
		taken := bytes.Repeat([]byte("x"), n<<20)
		time.Sleep(2 * time.Second)
		return map[string]string{"value": fmt.Sprint(bytes.Count(taken, []byte("x")))}, os.WriteFile(done, nil, 0o600)
	case "length":
		return map[string]string{"value": fmt.Sprint(len(o.Text))}, nil
	case "answer": // of that many bytes, including the quotes and names
		var n int
		if _, err := fmt.Sscan(o.Text, &n); err != nil {
			return nil, err
		}
		return map[string]string{"v": strings.Repeat("x", n-len(`{"v":""}`))}, nil
	case "environment":
		return map[string]string{"value": os.Getenv(o.Text)}, nil
	case "start a workflow": // named by the text
		settings, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, err
		}
		output, err := sfn.NewFromConfig(settings).StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: &o.Text})
		if err != nil {
			return nil, err
		}
		return map[string]string{"value": string(output.Status)}, nil
	case "count": // every call appends a line to the file
		f, err := os.OpenFile(o.Text, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		_, err = fmt.Fprintln(f, "called")
		return nil, errors.Join(err, NamedError{"counted"})
	}
	return map[string]string{"value": o.Text, "pid": fmt.Sprint(os.Getpid())}, nil
}

type machine struct {
	*lambda.Service
	arn         string
	undelivered chan string
	db          string
	aws         http.HandlerFunc // answers what the function asks of AWS
}

func newMachine(t *testing.T, change func(*lambda.Function, *lambda.Config)) *machine {
	t.Helper()
	m := &machine{undelivered: make(chan string, 10), db: filepath.Join(t.TempDir(), "db"), aws: http.NotFound}
	m.run(t, change)
	return m
}

// run starts the service on the machine's store, whatever that holds.
func (m *machine) run(t *testing.T, change func(*lambda.Function, *lambda.Config)) {
	t.Helper()
	kept, err := store.Open(m.db, store.Durable)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	function := lambda.Function{FunctionName: "test", Timeout: 5, MemorySize: 1024}
	function.Environment.Variables = map[string]string{asFunction: "1", "GREETING": "hello"}
	config := lambda.Config{
		Store:     kept,
		Authorize: func(context.Context, string, string, map[string]string) error { return nil },
		Endpoint:  "http://" + server.Listener.Addr().String(),
		Credentials: func(string) aws.Credentials {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}
		},
		Undelivered: func(_ context.Context, target, body string, _ map[string]string) error {
			m.undelivered <- target + " " + body
			return nil
		},
		Output:      func(string) io.Writer { return io.Discard },
		Concurrency: 4, IdleAfter: time.Minute, RetryDelay: time.Millisecond,
	}
	if change != nil {
		change(&function, &config)
	}
	m.Service = lambda.New(config)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if runtimeAPI := m.Unsigned(r); runtimeAPI != nil {
			runtimeAPI.ServeHTTP(w, r)
			return
		}
		m.aws(w, r)
	})
	server.Start()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m.Add(function, binary)
	m.arn = lambda.ARN("test")
	service := m.Service
	t.Cleanup(func() {
		service.Close()
		server.Close()
		kept.Close()
	})
}

func (m *machine) invoke(t *testing.T, o order) (map[string]string, string) {
	t.Helper()
	payload, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	output, functionError, err := m.Invoke(t.Context(), m.arn, payload)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]string
	if err := json.Unmarshal(output, &answer); err != nil && string(output) != "null" {
		t.Fatalf("the answer %q: %v", output, err)
	}
	return answer, functionError
}

func TestAFunctionAnswersThroughTheRuntimeAPI(t *testing.T) {
	m := newMachine(t, nil)
	answer, functionError := m.invoke(t, order{Text: "ping"})
	if answer["value"] != "ping" || functionError != "" {
		t.Errorf("got %v %q", answer, functionError)
	}
}

func TestAnInstanceIsKeptForTheNextEvent(t *testing.T) {
	m := newMachine(t, nil)
	first, _ := m.invoke(t, order{})
	second, _ := m.invoke(t, order{})
	if first["pid"] != second["pid"] {
		t.Errorf("process %s, then %s", first["pid"], second["pid"])
	}
}

// together invokes the function with all orders at once and returns the answers
// in their order.
func (m *machine) together(t *testing.T, orders ...order) []map[string]string {
	t.Helper()
	answers := make([]map[string]string, len(orders))
	var all sync.WaitGroup
	for n, o := range orders {
		all.Go(func() { answers[n], _ = m.invoke(t, o) })
	}
	all.Wait()
	return answers
}

func TestAnInstanceTakesAsManyEventsAtOnceAsItMay(t *testing.T) {
	for _, may := range []int{1, 2, 4} {
		m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.EventsPerInstance = may })
		processes := map[string]bool{}
		for _, answer := range m.together(t, order{Do: "nap"}, order{Do: "nap"}, order{Do: "nap"}, order{Do: "nap"}) {
			processes[answer["pid"]] = true
		}
		if len(processes) != 4/may {
			t.Errorf("four events at once, %d for an instance: %d processes", may, len(processes))
		}
	}
}

func TestAnEventThatTimesOutLeavesTheOthersOfItsInstanceAlone(t *testing.T) {
	m := newMachine(t, func(f *lambda.Function, c *lambda.Config) { c.EventsPerInstance, f.Timeout = 2, 3 })
	var late map[string]string
	var others sync.WaitGroup
	others.Go(func() { late, _ = m.invoke(t, order{Do: "sleep"}) })
	time.Sleep(1500 * time.Millisecond)
	napped, _ := m.invoke(t, order{Do: "nap"})
	others.Wait()
	if late["errorType"] != "Sandbox.Timedout" || napped["pid"] == "" {
		t.Errorf("the one that sleeps: %v; the other: %v", late, napped)
	}
	if next, _ := m.invoke(t, order{}); next["pid"] == napped["pid"] {
		t.Error("the next event came to an instance in which one has timed out")
	}
}

func TestAnIdleInstanceIsReaped(t *testing.T) {
	m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.IdleAfter = 20 * time.Millisecond })
	first, _ := m.invoke(t, order{})
	deadline := time.Now().Add(5 * time.Second)
	for {
		time.Sleep(100 * time.Millisecond)
		if next, _ := m.invoke(t, order{}); next["pid"] != first["pid"] {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the process was still there after five seconds")
		}
	}
}

func TestAFunctionSeesItsEnvironmentAndNotOurs(t *testing.T) {
	t.Setenv("SECRET_OF_THE_SHELL", "leak")
	m := newMachine(t, nil)
	for name, want := range map[string]string{"GREETING": "hello", "SECRET_OF_THE_SHELL": "", "AWS_ACCESS_KEY_ID": "id"} {
		if got, _ := m.invoke(t, order{Do: "environment", Text: name}); got["value"] != want {
			t.Errorf("%s is %q, want %q", name, got["value"], want)
		}
	}
}

// The SDK sends StartSyncExecution to a host name of its own. A function needs no code to
// reach this machine nevertheless: its environment is enough.
func TestAFunctionStartsAWorkflowOnThisMachineWithTheSDKAsItIs(t *testing.T) {
	m := newMachine(t, nil)
	asked := make(chan *http.Request, 1)
	m.aws = func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		fmt.Fprint(w, `{"status":"SUCCEEDED"}`)
	}
	answer, functionError := m.invoke(t, order{Do: "start a workflow", Text: "machine"})
	if answer["value"] != "SUCCEEDED" || functionError != "" {
		t.Fatalf("got %v %q", answer, functionError)
	}
	r := <-asked
	if target := r.Header.Get("X-Amz-Target"); target != "AWSStepFunctions.StartSyncExecution" || !strings.HasPrefix(r.Host, "sync-127.0.0.1:") {
		t.Errorf("asked %s for %s", r.Host, target)
	}
}

func TestAFailureIsToldAsLambdaDoes(t *testing.T) {
	m := newMachine(t, func(f *lambda.Function, _ *lambda.Config) { f.Timeout = 1 })
	for _, test := range []struct {
		do, errorType, message string
	}{
		{"fail", "NamedError", "no luck"},
		{"exit", "Runtime.ExitError", "exit status 3"},
		{"sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"},
	} {
		answer, functionError := m.invoke(t, order{Do: test.do, Text: "no luck"})
		if functionError != "Unhandled" || answer["errorType"] != test.errorType ||
			!strings.Contains(answer["errorMessage"], test.message) {
			t.Errorf("%s: %q %v", test.do, functionError, answer)
		}
		if answer, _ := m.invoke(t, order{Text: "again"}); answer["value"] != "again" {
			t.Errorf("after %s the function answers %v", test.do, answer)
		}
	}
}

func TestAnEventForAProcessThatIsEndingGoesToAnother(t *testing.T) {
	m := newMachine(t, nil)
	for range 20 {
		answer, _, err := m.Invoke(t.Context(), m.arn, []byte(`{"Do":"panic","Text":"no luck"}`))
		if err != nil || !bytes.Contains(answer, []byte("no luck")) {
			t.Fatalf("the panic: %s, %v", answer, err)
		}
		if answer, _ := m.invoke(t, order{Text: "again"}); answer["value"] != "again" {
			t.Fatalf("the next event: %v", answer)
		}
	}
}

func TestEventsAndAnswersHaveLambdasLimits(t *testing.T) {
	m := newMachine(t, nil)
	event := func(size int) []byte {
		const frame = `{"Do":"length","Text":""}`
		return []byte(`{"Do":"length","Text":"` + strings.Repeat("x", size-len(frame)) + `"}`)
	}
	if answer, failed, err := m.Invoke(t.Context(), m.arn, event(lambda.MaxPayload)); err != nil || failed != "" {
		t.Errorf("the largest event: %s, %v", answer, err)
	}
	if _, _, err := m.Invoke(t.Context(), m.arn, event(lambda.MaxPayload+1)); wire.AsError(err).Code != "RequestTooLargeException" {
		t.Errorf("an event that is larger: %v", err)
	}
	if err := m.InvokeAsync(t.Context(), lambda.Event{FunctionARN: m.arn, Payload: event(lambda.MaxAsyncPayload)}); err != nil {
		t.Errorf("the largest asynchronous event: %v", err)
	}
	err := m.InvokeAsync(t.Context(), lambda.Event{FunctionARN: m.arn, Payload: event(lambda.MaxAsyncPayload + 1)})
	if wire.AsError(err).Code != "RequestTooLargeException" {
		t.Errorf("an asynchronous event that is larger: %v", err)
	}
	for size, want := range map[int]string{lambda.MaxPayload: "", lambda.MaxPayload + 1: "Function.ResponseSizeTooLarge"} {
		answer, _ := m.invoke(t, order{Do: "answer", Text: fmt.Sprint(size)})
		if answer["errorType"] != want {
			t.Errorf("an answer of %d bytes: %q, want %q", size, answer["errorType"], want)
		}
	}
}

func TestAFunctionThatUsesMoreThanItsMemoryDies(t *testing.T) {
	m := withMemory(t, 256, 1)
	first, _ := m.invoke(t, order{Do: "allocate", Text: "64"})
	if first["value"] != fmt.Sprint(64<<20) {
		t.Errorf("with a quarter of its memory: %v", first)
	}
	if answer, failed := m.invoke(t, order{Do: "allocate", Text: "300"}); failed != "Unhandled" || answer["errorType"] != "Runtime.OutOfMemory" ||
		!strings.Contains(answer["errorMessage"], "signal: killed") {
		t.Errorf("with more than its memory: %q %v", failed, answer)
	}
	if answer, _ := m.invoke(t, order{Text: "again"}); answer["value"] != "again" {
		t.Errorf("the next instance: %v", answer)
	}
}

// What a function would have done after it used too much memory must not happen here
// either. Otherwise a function that dies on AWS works on one machine.
func TestAFunctionThatUsesMoreThanItsMemoryDiesInTheAct(t *testing.T) {
	for name, events := range map[string]int{"an event at a time": 1, "several events at once": 2} {
		t.Run(name, func(t *testing.T) {
			m := withMemory(t, 256/events, events)
			done := filepath.Join(t.TempDir(), "done")
			begin := time.Now()
			answer, failed := m.invoke(t, order{Do: "allocate, then nap", Text: "300 " + done})
			if failed != "Unhandled" || answer["errorType"] != "Runtime.OutOfMemory" {
				t.Errorf("%q %v", failed, answer)
			}
			if took := time.Since(begin); took > 1500*time.Millisecond { // the nap takes two seconds
				t.Errorf("it lived for %v", took)
			}
			if _, err := os.Stat(done); err == nil {
				t.Error("it came to the end of its work")
			}
		})
	}
}

// withMemory is a machine whose function has that many MB for each of the events that it
// takes at once.
func withMemory(t *testing.T, size, events int) *machine {
	t.Helper()
	if !lambda.MemoryIsBounded {
		t.Skip("the memory of a process is known on Linux only")
	}
	return newMachine(t, func(f *lambda.Function, c *lambda.Config) {
		f.MemorySize, f.Timeout, c.EventsPerInstance = size, 60, events
	})
}

func TestEventsWaitForAnInstanceUnlessConcurrencyIsReserved(t *testing.T) {
	for _, reserved := range []bool{false, true} {
		m := newMachine(t, func(f *lambda.Function, c *lambda.Config) {
			c.Concurrency = 1
			if one := 1; reserved {
				f.ReservedConcurrentExecutions = &one
			}
		})
		var throttled, answered int
		var mu sync.Mutex
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				_, _, err := m.Invoke(context.Background(), m.arn, []byte(`{}`))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					answered++
				} else if wire.AsError(err).Code == "TooManyRequestsException" {
					throttled++
				}
			})
		}
		callers.Wait()
		if answered+throttled != 8 || (throttled > 0) != reserved || answered == 0 {
			t.Errorf("reserved %v: %d answered, %d throttled", reserved, answered, throttled)
		}
	}
}

func TestAnEventThatFailsIsTriedThreeTimesAndThenGoesToTheDestination(t *testing.T) {
	m := newMachine(t, nil)
	var config lambda.EventInvokeConfig
	config.FunctionName = "test"
	config.DestinationConfig.OnFailure.Destination = "arn:queue"
	if err := m.Configure(config); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	calls := filepath.Join(t.TempDir(), "calls")
	payload, _ := json.Marshal(order{Do: "count", Text: calls})
	if err := m.InvokeAsync(t.Context(), lambda.Event{FunctionARN: m.arn, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-m.undelivered:
		if !strings.HasPrefix(got, "arn:queue ") || !strings.Contains(got, `"RetriesExhausted"`) || !strings.Contains(got, string(payload)) {
			t.Errorf("the destination got %s", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing reached the destination")
	}
	lines, err := os.ReadFile(calls)
	if err != nil || bytes.Count(lines, []byte("\n")) != 3 {
		t.Errorf("called %d times (%v), want 3", bytes.Count(lines, []byte("\n")), err)
	}
}

func TestAnAcceptedEventIsHandledAfterARestart(t *testing.T) {
	m := newMachine(t, nil) // never started: the event stays where it is
	calls := filepath.Join(t.TempDir(), "calls")
	payload, _ := json.MarshalIndent(order{Do: "count", Text: calls}, "", "\n ") // it comes back unchanged, with its lines
	if err := m.InvokeAsync(t.Context(), lambda.Event{FunctionARN: m.arn, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "db") // as a killed process leaves it
	content, err := os.ReadFile(m.db)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	again := &machine{undelivered: make(chan string, 10), db: copied}
	again.run(t, func(f *lambda.Function, _ *lambda.Config) { f.DeadLetterConfig.TargetArn = "arn:dead" })
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-again.undelivered:
		if got != "arn:dead "+string(payload) {
			t.Errorf("the dead-letter queue got %s", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the event was forgotten")
	}
}
