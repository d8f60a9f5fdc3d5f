package states

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"hl7lake/internal/pause"
)

// MaxData is the most bytes of UTF-8 that an input, an output or a state's data may have
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
const MaxData = 262_144

// execution is one run of a definition.
type execution struct {
	definition *Definition
	invoker    Invoker
	timeScale  float64        // multiplies the definition's time-outs
	object     map[string]any // the context object, without State
}

// The ways in which an execution ends, by their names in the API.
const (
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	timedOut  = "TIMED_OUT"
)

// run runs to the end and returns how it ended. If it failed, there is a failure.
// TIMED_OUT, which has no error name of its own, means that ctx ended, or the machine's
// own time.
func (e *execution) run(ctx context.Context, input any) (status string, output any, failure *Failure) {
	if e.definition.TimeoutSeconds > 0 {
		limited, cancel := context.WithTimeout(ctx, e.seconds(e.definition.TimeoutSeconds))
		defer cancel()
		ctx = limited
	}
	name, data := e.definition.StartAt, input
	for {
		state := e.definition.States[name]
		next, output, failure := e.enter(ctx, name, state, data)
		if ctx.Err() != nil {
			return timedOut, nil, nil
		}
		if failure != nil {
			return failed, nil, failure
		}
		if next == "" {
			return succeeded, output, nil
		}
		name, data = next, output
	}
}

// seconds is a time-out of the definition.
func (e *execution) seconds(n int) time.Duration {
	return time.Duration(float64(n) * e.timeScale * float64(time.Second))
}

// enter runs a state with its retries and catches, and returns what comes next.
func (e *execution) enter(ctx context.Context, name string, state *State, data any) (next string, output any, failure *Failure) {
	object := e.contextObject(name)
	used := make([]int, len(state.Retry))
	for attempt := 0; ; attempt++ {
		object["State"].(map[string]any)["RetryCount"] = json.Number(fmt.Sprint(attempt))
		next, output, failure = e.attempt(ctx, state, data, object)
		if failure == nil || ctx.Err() != nil {
			return next, output, failure
		}
		delay, again := state.retry(failure, used)
		if !again {
			return state.caught(failure, data)
		}
		if pause.For(ctx, delay) != nil {
			return "", nil, failure
		}
	}
}

// contextObject is what $$ paths see
// (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html).
func (e *execution) contextObject(state string) map[string]any {
	object := map[string]any{"State": map[string]any{"Name": state, "EnteredTime": timestamp(time.Now())}}
	for name, value := range e.object {
		object[name] = value
	}
	return object
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// attempt runs a state once.
func (e *execution) attempt(ctx context.Context, state *State, data, object any) (next string, output any, failure *Failure) {
	if state.Type == "Fail" {
		return "", nil, state.fail(data, object)
	}
	input, failure := state.InputPath.follow(data, object, "InputPath")
	if failure != nil {
		return "", nil, failure
	}
	if state.Type == "Choice" {
		if next, failure = state.choose(input, object); failure != nil {
			return "", nil, failure
		}
		output, failure = state.OutputPath.follow(input, object, "OutputPath")
		return next, output, failure
	}
	output, failure = e.work(ctx, state, data, input, object)
	return state.Next, output, failure
}

// work runs a Task state: it passes the input, and the result of the function, through
// the state's paths.
func (e *execution) work(ctx context.Context, state *State, data, input, object any) (output any, failure *Failure) {
	result := input
	if state.Parameters.given {
		if result, failure = state.Parameters.fill(input, object); failure != nil {
			return nil, failure
		}
	}
	result, failure = e.task(ctx, state, result)
	if failure == nil && state.ResultSelector.given {
		result, failure = state.ResultSelector.fill(result, object)
	}
	if failure == nil {
		result, failure = state.ResultPath.merge(data, result)
	}
	if failure == nil {
		output, failure = state.OutputPath.follow(result, object, "OutputPath")
	}
	if failure == nil {
		failure = limit(output, "state")
	}
	return output, failure
}

// follow is the effect of InputPath and OutputPath: $ if there is none, an empty object
// if it is null.
func (p path) follow(data, object any, field string) (any, *Failure) {
	if p.null {
		return map[string]any{}, nil
	}
	value, found := p.find(data, object)
	if !found {
		return nil, missing(p, field)
	}
	return value, nil
}

// merge puts a result into a state's input, or drops it if the path is null.
func (p path) merge(data, result any) (any, *Failure) {
	if p.null {
		return data, nil
	}
	merged, ok := put(data, p.steps, result)
	if !ok {
		return nil, &Failure{errResultPath, "the result cannot be put at " + p.text}
	}
	return merged, nil
}

func limit(data any, what string) *Failure {
	text, err := encode(data)
	if err != nil || len(text) > MaxData {
		return &Failure{errDataLimit, "The " + what + " returned a result with a size exceeding the maximum number of bytes service limit."}
	}
	return nil
}

func (s *State) fail(data, object any) *Failure {
	failure := &Failure{Error: s.Error, Cause: s.Cause}
	for _, member := range []struct {
		path path
		into *string
	}{{s.ErrorPath, &failure.Error}, {s.CausePath, &failure.Cause}} {
		if !member.path.given {
			continue
		}
		value, _ := member.path.find(data, object)
		text, isText := value.(string)
		if !isText {
			return &Failure{errRuntime, "the path " + member.path.text + " does not lead to a string"}
		}
		*member.into = text
	}
	return failure
}

// retry finds the retrier for a failure and how long it wants to wait. used
// counts the retries made so far, for each retrier.
func (s *State) retry(failure *Failure, used []int) (time.Duration, bool) {
	for i, r := range s.Retry {
		if !failure.matches(r.ErrorEquals) {
			continue
		}
		if used[i] >= value(r.MaxAttempts, 3) {
			return 0, false
		}
		seconds := float64(value(r.IntervalSeconds, 1)) * math.Pow(value(r.BackoffRate, 2), float64(used[i]))
		if r.MaxDelaySeconds != nil {
			seconds = min(seconds, float64(*r.MaxDelaySeconds))
		}
		if r.JitterStrategy == "FULL" {
			seconds *= rand.Float64()
		}
		used[i]++
		return time.Duration(seconds * float64(time.Second)), true
	}
	return 0, false
}

// value returns what p points to, or the default.
func value[T any](p *T, byDefault T) T {
	if p == nil {
		return byDefault
	}
	return *p
}

// caught finds the catcher for a failure, and puts the error where it says.
func (s *State) caught(failure *Failure, data any) (next string, output any, uncaught *Failure) {
	for _, c := range s.Catch {
		if failure.matches(c.ErrorEquals) {
			output, uncaught = c.ResultPath.merge(data, map[string]any{"Error": failure.Error, "Cause": failure.Cause})
			return c.Next, output, uncaught
		}
	}
	return "", nil, failure
}
