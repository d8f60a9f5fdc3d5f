package states_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/states"
	"hl7lake/local/wire"
)

// answer is what StartSyncExecution says about an execution.
type answer struct {
	Status, Output, Error, Cause string
}

// request is a call of an operation.
func request(t *testing.T, operation string, input any) *http.Request {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(text))
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	return r
}

// ask calls an operation without a network, so that it can be done in a synctest bubble.
func ask(t *testing.T, s *states.Service, operation string, input any, output any) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request(t, operation, input))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), output); err != nil {
		t.Fatal(err)
	}
}

// run runs a definition on an input.
func run(t *testing.T, definition, input string, f functions, options ...states.Option) (a answer) {
	t.Helper()
	s := states.New(allow, f, options...)
	defer s.Close()
	if err := s.Add(machineARN, machine(t, definition)); err != nil {
		t.Fatal(err)
	}
	ask(t, s, "StartSyncExecution", map[string]string{"stateMachineArn": machineARN, "input": input}, &a)
	return a
}

// echo answers with its event, five with 5.
func echo() functions {
	return functions{
		function("echo"): func(_ context.Context, payload []byte) (string, string, error) { return string(payload), "", nil },
		function("five"): func(context.Context, []byte) (string, string, error) { return "5", "", nil },
	}
}

// taking answers after a while.
func taking(d time.Duration) functions {
	return functions{function("f"): func(ctx context.Context, _ []byte) (string, string, error) {
		select {
		case <-time.After(d):
			return "{}", "", nil
		case <-ctx.Done():
			return "", "", ctx.Err()
		}
	}}
}

// only is a machine with one state.
func only(state string) string { return `{"StartAt":"S","States":{"S":` + state + `}}` }

func TestDataPassesThroughAStatesPathsInOrder(t *testing.T) {
	bare := `"Type":"Task","Resource":"` + function("echo") + `"`
	five := `"Type":"Task","Resource":"` + function("five") + `"`
	for name, test := range map[string]struct{ state, input, want string }{
		"a result replaces the input":       {`{` + five + `,"End":true}`, `{"a":1}`, `5`},
		"InputPath selects":                 {`{` + bare + `,"InputPath":"$.a.b","End":true}`, `{"a":{"b":[1,2]}}`, `[1,2]`},
		"InputPath null is an empty object": {`{` + bare + `,"InputPath":null,"End":true}`, `{"a":1}`, `{}`},
		"OutputPath selects":                {`{` + bare + `,"OutputPath":"$.a","End":true}`, `{"a":"x"}`, `"x"`},
		"OutputPath null":                   {`{` + bare + `,"OutputPath":null,"End":true}`, `{"a":1}`, `{}`},
		"an index from a list":              {`{` + bare + `,"OutputPath":"$.a[1]['b c']","End":true}`, `{"a":[0,{"b c":7}]}`, `7`},
		"the first of a list":               {`{` + bare + `,"OutputPath":"$.a[0]","End":true}`, `{"a":[1,2,3]}`, `1`},
		"the first, counted from the end":   {`{` + bare + `,"OutputPath":"$.a[-3]","End":true}`, `{"a":[1,2,3]}`, `1`},
		"a negative index":                  {`{` + bare + `,"OutputPath":"$.a[-1]","End":true}`, `{"a":[1,2,3]}`, `3`},
		"Parameters":                        {`{` + bare + `,"Parameters":{"k":"v","n":{"x.$":"$.a","l":[{"y.$":"$"}]}},"End":true}`, `{"a":1}`, `{"k":"v","n":{"l":[{"y":{"a":1}}],"x":1}}`},
		"ResultPath adds to the input":      {`{` + five + `,"ResultPath":"$.x.y","End":true}`, `{"a":1}`, `{"a":1,"x":{"y":5}}`},
		"ResultPath into a list":            {`{` + five + `,"ResultPath":"$.a[0]","End":true}`, `{"a":[1,2]}`, `{"a":[5,2]}`},
		"ResultPath null drops the result":  {`{` + five + `,"ResultPath":null,"End":true}`, `{"a":1}`, `{"a":1}`},
		"ResultPath joins the raw input":    {`{` + bare + `,"InputPath":"$.a","ResultPath":"$.r","End":true}`, `{"a":1,"b":2}`, `{"a":1,"b":2,"r":1}`},
		"a bare function":                   {`{` + bare + `,"End":true}`, `{"a":1.0}`, `{"a":1.0}`},
		"ResultSelector":                    {`{` + bare + `,"ResultSelector":{"only.$":"$.a"},"ResultPath":"$.r","End":true}`, `{"a":1}`, `{"a":1,"r":{"only":1}}`},
		"the invoke integration":            {`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"echo","Payload":{"p.$":"$.a"}},"ResultSelector":{"s.$":"$.StatusCode","p.$":"$.Payload"},"End":true}`, `{"a":1}`, `{"p":{"p":1},"s":200}`},
		"no payload is an empty object":     {`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"echo"},"OutputPath":"$.Payload","End":true}`, `{"a":1}`, `{}`},
		"the context object":                {`{` + bare + `,"Parameters":{"s.$":"$$.State.Name","r.$":"$$.Execution.RoleArn","i.$":"$$.Execution.Input.a","m.$":"$$.StateMachine.Name"},"End":true}`, `{"a":1}`, `{"i":1,"m":"Staging","r":"` + roleARN + `","s":"S"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(t, only(test.state), test.input, echo()); got.Status != "SUCCEEDED" || got.Output != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestAFailureHasTheNameThatStepFunctionsGives(t *testing.T) {
	failing := func(output, functionError string, err error) functions {
		return functions{function("f"): func(context.Context, []byte) (string, string, error) { return output, functionError, err }}
	}
	task := `"Type":"Task","Resource":"` + function("f") + `"`
	ends := `{` + task + `,"End":true}`
	for name, test := range map[string]struct {
		state, input string
		functions    functions
		want         answer
	}{
		"Fail":            {`{"Type":"Fail","Error":"E","Cause":"C"}`, `{}`, nil, answer{Error: "E", Cause: "C"}},
		"Fail from paths": {`{"Type":"Fail","ErrorPath":"$.e","CausePath":"$$.State.Name"}`, `{"e":"E"}`, nil, answer{Error: "E", Cause: "S"}},
		"a path that leads nowhere": {`{` + task + `,"InputPath":"$.a","End":true}`, `{"secret":1}`, nil,
			answer{Error: "States.Runtime", Cause: "The JSONPath '$.a' specified for the field 'InputPath' could not be found in the input"}},
		"a parameter that leads nowhere": {`{` + task + `,"Parameters":{"x.$":"$.a"},"End":true}`, `{}`, nil,
			answer{Error: "States.Runtime", Cause: "The JSONPath '$.a' specified for the field 'x.$' could not be found in the input"}},
		"a path into null": {`{` + task + `,"Parameters":{"x.$":"$"},"End":true}`, `null`, nil,
			answer{Error: "States.Runtime", Cause: "The JSONPath '$' specified for the field 'x.$' could not be found in the input"}},
		"an index after the last": {`{` + task + `,"InputPath":"$.a[3]","End":true}`, `{"a":[1,2,3]}`, nil,
			answer{Error: "States.Runtime", Cause: "The JSONPath '$.a[3]' specified for the field 'InputPath' could not be found in the input"}},
		"an index before the first": {`{` + task + `,"InputPath":"$.a[-4]","End":true}`, `{"a":[1,2,3]}`, nil,
			answer{Error: "States.Runtime", Cause: "The JSONPath '$.a[-4]' specified for the field 'InputPath' could not be found in the input"}},
		"a result after the last of a list": {`{` + task + `,"ResultPath":"$.a[2]","End":true}`, `{"a":[1,2]}`, failing("1", "", nil),
			answer{Error: "States.ResultPathMatchFailure", Cause: "the result cannot be put at $.a[2]"}},
		"a result that has no place": {`{` + task + `,"ResultPath":"$.a.b","End":true}`, `{"a":1}`, failing("1", "", nil),
			answer{Error: "States.ResultPathMatchFailure", Cause: "the result cannot be put at $.a.b"}},
		"no choice": {`{"Type":"Choice","Choices":[{"Variable":"$.a","BooleanEquals":true,"Next":"S"}]}`, `{"a":1}`, nil,
			answer{Error: "States.NoChoiceMatched", Cause: "no choice matched and there is no default"}},
		"a function's own": {ends, `{}`, failing(`{"errorMessage":"m","errorType":"ParseError"}`, "Unhandled", nil),
			answer{Error: "ParseError", Cause: `{"errorMessage":"m","errorType":"ParseError"}`}},
		"a function that died": {ends, `{}`, failing(`{"errorMessage":"RequestId: 1 Error: Runtime exited"}`, "Unhandled", nil),
			answer{Error: "Lambda.Unknown", Cause: `{"errorMessage":"RequestId: 1 Error: Runtime exited"}`}},
		"a throttled function": {ends, `{}`, failing("", "", &wire.Error{Status: 429, Code: "TooManyRequestsException", Message: "Rate Exceeded."}),
			answer{Error: "Lambda.TooManyRequestsException", Cause: "Rate Exceeded."}},
		"a role without the grant": {ends, `{}`, failing("", "", &wire.Error{Status: 403, Code: "AccessDeniedException", Message: "no"}),
			answer{Error: "Lambda.AWSLambdaException", Cause: "no"}},
		"no such function": {ends, `{}`, functions{}, answer{Error: "Lambda.ResourceNotFoundException", Cause: "Function not found: " + function("f")}},
		"too much data": {ends, `{}`, failing(`"`+strings.Repeat("x", states.MaxData)+`"`, "", nil),
			answer{Error: "States.DataLimitExceeded", Cause: "The task returned a result with a size exceeding the maximum number of bytes service limit."}},
		"too much to give": {`{` + task + `,"Parameters":{"a.$":"$","b.$":"$"},"End":true}`,
			`"` + strings.Repeat("x", states.MaxData/2) + `"`, failing("{}", "", nil),
			answer{Error: "States.DataLimitExceeded", Cause: "The task's parameters returned a result with a size exceeding the maximum number of bytes service limit."}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Status = "FAILED"
			if diff := cmp.Diff(test.want, run(t, only(test.state), test.input, test.functions)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAResultMayBeAsLongAsTheQuota(t *testing.T) {
	longest := `"` + strings.Repeat("x", states.MaxData-2) + `"`
	f := functions{function("f"): func(context.Context, []byte) (string, string, error) { return longest, "", nil }}
	got := run(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true}`), `{}`, f)
	if got.Status != "SUCCEEDED" || got.Output != longest {
		t.Errorf("got %s and %d bytes, error %q", got.Status, len(got.Output), got.Error)
	}
}

func TestACatcherTakesTheErrorsThatItNames(t *testing.T) {
	failing := func(name string) functions {
		return functions{function("f"): func(context.Context, []byte) (string, string, error) {
			return `{"errorType":"` + name + `"}`, "Unhandled", nil
		}}
	}
	tooMuch := functions{function("f"): func(context.Context, []byte) (string, string, error) {
		return `"` + strings.Repeat("x", states.MaxData) + `"`, "", nil
	}}
	for name, test := range map[string]struct {
		names     string
		functions functions
		caught    bool
	}{
		"its own name":               {`["A","B"]`, failing("B"), true},
		"another name":               {`["A"]`, failing("B"), false},
		"any":                        {`["States.ALL"]`, failing("B"), true},
		"any failed task":            {`["States.TaskFailed"]`, failing("B"), true},
		"no time-out":                {`["States.TaskFailed"]`, failing("States.Timeout"), false},
		"too much data is not any":   {`["States.ALL"]`, tooMuch, false},
		"too much data by name":      {`["States.DataLimitExceeded"]`, tooMuch, true},
		"a runtime error never":      {`["States.ALL"]`, functions{function("f"): func(context.Context, []byte) (string, string, error) { return "{", "", nil }}, false},
		"nor by its name":            {`["States.Runtime"]`, functions{function("f"): func(context.Context, []byte) (string, string, error) { return "{", "", nil }}, false},
		"the service's own, as any":  {`["States.ALL"]`, functions{}, true},
		"the service's own, by name": {`["Lambda.ResourceNotFoundException"]`, functions{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, `{"StartAt":"T","States":{
				"T":{"Type":"Task","Resource":"`+function("f")+`","End":true,"Catch":[{"ErrorEquals":`+test.names+`,"Next":"Caught","ResultPath":"$.error"}]},
				"Caught":{"Type":"Fail","ErrorPath":"$.error.Error","CausePath":"$.kept"}}}`, `{"kept":"caught"}`, test.functions)
			if caught := got.Error != "" && got.Cause == "caught"; caught != test.caught || got.Status != "FAILED" {
				t.Errorf("got %s %s %s", got.Status, got.Output, got.Error)
			}
		})
	}
}

func TestARetrierWaitsLongerEachTimeUpToItsLimit(t *testing.T) {
	for name, test := range map[string]struct {
		retry string
		want  []float64 // when each attempt is made, in seconds since the start
	}{
		"by default":      {`{"ErrorEquals":["E"]}`, []float64{0, 1, 3, 7}},
		"its own pace":    {`{"ErrorEquals":["States.ALL"],"IntervalSeconds":3,"BackoffRate":1.5,"MaxAttempts":2}`, []float64{0, 3, 7.5}},
		"up to a limit":   {`{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxDelaySeconds":5,"MaxAttempts":4}`, []float64{0, 2, 6, 11, 16}},
		"not at all":      {`{"ErrorEquals":["E"],"MaxAttempts":0}`, []float64{0}},
		"another's error": {`{"ErrorEquals":["X"]}`, []float64{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var got []float64
				f := functions{function("f"): func(context.Context, []byte) (string, string, error) {
					got = append(got, time.Since(begin).Seconds())
					return `{"errorType":"E"}`, "Unhandled", nil
				}}
				run(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true,"Retry":[`+test.retry+`]}`), `{}`, f)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("attempts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestAStateSeesHowOftenItWasRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		f := functions{function("f"): func(_ context.Context, payload []byte) (string, string, error) {
			got = append(got, string(payload))
			return `{"errorType":"E"}`, "Unhandled", nil
		}}
		run(t, only(`{"Type":"Task","Resource":"`+function("f")+`","Parameters":{"n.$":"$$.State.RetryCount"},"End":true,
			"Retry":[{"ErrorEquals":["E"],"MaxAttempts":2}]}`), `{}`, f)
		if diff := cmp.Diff([]string{`{"n":0}`, `{"n":1}`, `{"n":2}`}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestEachRetrierCountsForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		f := functions{function("f"): func(context.Context, []byte) (string, string, error) {
			calls++
			return fmt.Sprintf(`{"errorType":"E%d"}`, calls%2), "Unhandled", nil
		}}
		got := run(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true,"Retry":[
			{"ErrorEquals":["E1"],"MaxAttempts":2},{"ErrorEquals":["E0"],"MaxAttempts":1}]}`), `{}`, f)
		if calls != 4 || got.Error != "E0" {
			t.Errorf("%d calls, then %s; want 4, then E0", calls, got.Error)
		}
	})
}

func TestJitterStaysWithinTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		run(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true,"Retry":[
			{"ErrorEquals":["States.ALL"],"IntervalSeconds":10,"BackoffRate":1,"MaxAttempts":5,"JitterStrategy":"FULL"}]}`), `{}`, functions{})
		if took := time.Since(begin); took <= 0 || took >= 50*time.Second {
			t.Errorf("five retries with jitter took %s", took)
		}
	})
}

func TestATaskThatTakesTooLongIsTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		f := functions{function("f"): func(ctx context.Context, _ []byte) (string, string, error) {
			<-ctx.Done()
			return "", "", ctx.Err()
		}}
		got := run(t, `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"`+function("f")+`","TimeoutSeconds":25,"End":true,
			"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"F"}]},"F":{"Type":"Fail","ErrorPath":"$.Error"}}}`, `{}`, f)
		if want := (answer{Status: "FAILED", Error: "States.Timeout"}); got != want || time.Since(begin) != 25*time.Second {
			t.Errorf("got %+v after %s", got, time.Since(begin))
		}
	})
}

func TestAnExecutionThatTakesTooLongIsTimedOut(t *testing.T) {
	again := `{"Type":"Task","Resource":"` + function("f") + `","Next":"S"}`
	for name, test := range map[string]struct {
		definition string
		functions  functions
		want       time.Duration
	}{
		"the machine's own time":        {`{"StartAt":"S","TimeoutSeconds":60,"States":{"S":` + again + `}}`, taking(61 * time.Second), time.Minute},
		"an Express workflow's":         {only(again), taking(100 * time.Second), 5 * time.Minute},
		"in the pause before a retrial": {only(`{"Type":"Task","Resource":"` + function("f") + `","End":true,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":400}]}`), functions{}, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				got := run(t, test.definition, `{}`, test.functions)
				if got != (answer{Status: "TIMED_OUT"}) || time.Since(begin) != test.want {
					t.Errorf("got %+v after %s, want TIMED_OUT after %s", got, time.Since(begin), test.want)
				}
			})
		})
	}
}

func TestATimeScaleMultipliesTimeOuts(t *testing.T) {
	for definition, want := range map[string]answer{
		`{"StartAt":"S","TimeoutSeconds":60,"States":{"S":{"Type":"Task","Resource":"` + function("f") + `","End":true}}}`: {Status: "TIMED_OUT"},
		only(`{"Type":"Task","Resource":"` + function("f") + `","TimeoutSeconds":60,"End":true}`):                          {Status: "FAILED", Error: "States.Timeout"},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			got := run(t, definition, `{}`, taking(time.Hour), states.WithTimeScale(1.5))
			if got != want || time.Since(begin) != 90*time.Second {
				t.Errorf("got %+v after %s, want %+v after 90s", got, time.Since(begin), want)
			}
		})
	}
}

func TestAnExecutionIsTimedToTheMillisecondAndBilledInStepsOf100(t *testing.T) {
	for took, billed := range map[time.Duration]int64{
		time.Millisecond: 100, 100 * time.Millisecond: 100, 101 * time.Millisecond: 200, 250 * time.Millisecond: 300,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := states.New(allow, taking(took))
			defer s.Close()
			if err := s.Add(machineARN, machine(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true}`))); err != nil {
				t.Fatal(err)
			}
			type times struct {
				StartDate, StopDate float64 // seconds
				BillingDetails      struct{ BilledDurationInMilliseconds int64 }
			}
			var got, want times
			want.StartDate, want.StopDate = float64(time.Now().UnixMilli())/1000, float64(time.Now().Add(took).UnixMilli())/1000
			want.BillingDetails.BilledDurationInMilliseconds = billed
			ask(t, s, "StartSyncExecution", map[string]string{"stateMachineArn": machineARN}, &got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", took, diff)
			}
		})
	}
}

func TestAnExecutionEndsWithTheServiceAndItsCallerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := states.New(allow, taking(time.Minute))
		if err := s.Add(machineARN, machine(t, only(`{"Type":"Task","Resource":"`+function("f")+`","End":true}`))); err != nil {
			t.Fatal(err)
		}
		begin, w := time.Now(), httptest.NewRecorder()
		time.AfterFunc(time.Second, s.Close)
		s.ServeHTTP(w, request(t, "StartSyncExecution", map[string]string{"stateMachineArn": machineARN}))
		if took := time.Since(begin); w.Code != http.StatusServiceUnavailable || took != time.Second {
			t.Errorf("got %d %s after %s", w.Code, w.Body, took)
		}
	})
}
