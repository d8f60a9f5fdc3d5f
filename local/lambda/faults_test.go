package lambda_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"hl7lake/local/fault"
	"hl7lake/local/lambda"
	"hl7lake/local/wire"
)

// visits returns how often the function was run with an order to count.
func visits(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("called"))
}

func TestADeliveryGoesWrongAsItsFaultSays(t *testing.T) {
	for kind, want := range map[fault.Kind]struct {
		runs        int
		code, fails string // of Lambda's refusal, or of the function's failure
	}{
		fault.Fail:       {0, "ServiceException", ""},
		fault.Throttle:   {0, "TooManyRequestsException", ""},
		fault.Lose:       {1, "ServiceException", ""},
		fault.Late:       {1, "", "joinError"}, // which is how the function counts
		fault.Stall:      {1, "", "joinError"},
		fault.Repeat:     {2, "", "joinError"},
		fault.KillBefore: {0, "", "Runtime.ExitError"},
		fault.KillAfter:  {1, "", "Runtime.ExitError"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			faults := fault.NewInjector(func(fault.Point) fault.Fault { return fault.Fault{Kind: kind, Delay: time.Millisecond} })
			m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.Faults = faults })
			file := filepath.Join(t.TempDir(), "runs")
			payload, err := json.Marshal(order{Do: "count", Text: file})
			if err != nil {
				t.Fatal(err)
			}
			output, functionError, err := m.Invoke(t.Context(), m.arn, payload)
			code := ""
			if refusal := new(wire.Error); errors.As(err, &refusal) {
				code = refusal.Code
			}
			var failure struct{ ErrorType string }
			if functionError != "" && json.Unmarshal(output, &failure) != nil {
				t.Errorf("answered %q", output)
			}
			if code != want.code || failure.ErrorType != want.fails || visits(t, file) != want.runs {
				t.Errorf("%s %s after %d runs, want %+v", code, failure.ErrorType, visits(t, file), want)
			}
		})
	}
}

// On AWS a throttled event returns to the queue. It does not use up the function's
// attempts.
func TestAnEventThatIsThrottledLosesNoAttempt(t *testing.T) {
	var deliveries atomic.Int32
	faults := fault.NewInjector(func(p fault.Point) fault.Fault {
		if p.Call == fault.Event && deliveries.Add(1) <= 5 {
			return fault.Fault{Kind: fault.Throttle}
		}
		return fault.Fault{}
	})
	m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.Faults = faults })
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "runs")
	payload, err := json.Marshal(order{Do: "count", Text: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.InvokeAsync(t.Context(), lambda.Event{FunctionARN: m.arn, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		pending, err := m.Pending()
		if err != nil {
			t.Fatal(err)
		}
		if pending == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the event is still pending")
		}
	}
	if runs := visits(t, file); runs != 3 { // it fails each time that it counts
		t.Errorf("the function was tried %d times", runs)
	}
}

func TestAProcessIsFoundByItsTraceWhileItWorks(t *testing.T) {
	m := newMachine(t, nil)
	answer, _ := m.invoke(t, order{Do: "environment", Text: "_X_AMZN_TRACE_ID"})
	if answer["value"] == "" {
		t.Fatal("the function has no trace")
	}
	if by, working := m.Process(answer["value"]); working {
		t.Errorf("%+v still works", by)
	}
}

func TestATimeOutIsScaled(t *testing.T) {
	m := newMachine(t, func(_ *lambda.Function, c *lambda.Config) { c.TimeScale = 0.05 }) // of 5 s
	began := time.Now()
	if _, functionError := m.invoke(t, order{Do: "sleep"}); functionError == "" {
		t.Error("the function was not timed out")
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("it took %v", took)
	}
}
