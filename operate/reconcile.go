package operate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"hl7lake/client"
)

// Reconciled is what a run of the function reconcile found, as numbers of accepted
// messages that were not known to have ended. A run that could not finish its work
// reports nothing: it is a *FunctionError.
type Reconciled struct {
	Settled     int `json:"settled"`     // have ended
	Republished int `json:"republished"` // were stuck, and were published again
	Waiting     int `json:"waiting"`     // were published again by an earlier run
	Missing     int `json:"missing"`     // were accepted, and are not in the lake
	Unpublished int `json:"unpublished"` // were never published, so their senders were not told that they are accepted
	Abandoned   int `json:"abandoned"`   // the same, and no longer waited for

	OldestUnstagedSeconds int64 `json:"oldestUnstagedSeconds"` // the age of the oldest message that has not ended
	Complete              bool  `json:"complete"`              // all were looked at; false if the function's time ran out

	MissingMessages []MissingMessage `json:"missingMessages,omitempty"` // the first hundred
}

// MissingMessage is a message that was accepted and is not in the lake.
type MissingMessage struct {
	ID         string `json:"id"`
	Owner      string `json:"owner"`
	AgeSeconds int64  `json:"ageSeconds"`
}

// ErrReconciling says that a run of reconcile is already under way. There is only one at
// a time, and the schedule may have started it.
var ErrReconciling = errors.New("a run of reconcile is under way")

// FunctionError says that a function returned an error of its own.
type FunctionError struct {
	Function string // the function's name
	Type     string // the name of its error; "" if it has none that may be shown
}

func (e *FunctionError) Error() string {
	if e.Type == "" {
		return e.Function + " failed"
	}
	return fmt.Sprintf("%s failed: %s", e.Function, e.Type)
}

// Reconcile runs the lake's function reconcile now, for messages that were accepted
// longer than overdue ago, in whole seconds. With a negative overdue, the function uses
// its own default. Reconcile returns when the run has ended, which takes up to five
// minutes. The error is ErrReconciling, a *FunctionError, or an error of the call.
func (o *Operator) Reconcile(ctx context.Context, overdue time.Duration) (Reconciled, error) {
	var request struct {
		OverdueSeconds *int64 `json:"overdueSeconds,omitempty"`
	}
	if overdue >= 0 {
		request.OverdueSeconds = new(int64(overdue.Seconds()))
	}
	return runFunction[Reconciled](ctx, o, client.OutputReconcile, request, ErrReconciling)
}

// runFunction runs a function of the lake that has one run at a time, and returns its
// report. The function's name is the named output. If a run is already under way, the
// error is busy.
func runFunction[Report any](ctx context.Context, o *Operator, output string, request any, busy error) (report Report, err error) {
	name, err := o.outputs.Get(output)
	if err != nil {
		return report, err
	}
	payload, err := json.Marshal(request)
	if err != nil {
		return report, err
	}
	out, err := o.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
	if err != nil {
		if _, throttled := errors.AsType[*types.TooManyRequestsException](err); throttled {
			return report, busy
		}
		return report, err
	}
	if out.FunctionError != nil {
		return report, failure(name, out.Payload)
	}
	if err := json.Unmarshal(out.Payload, &report); err != nil {
		return report, fmt.Errorf("%s did not return a report", name)
	}
	return report, nil
}

// failure returns the error of a function that failed, without its text.
func failure(function string, payload []byte) error {
	var answer struct {
		ErrorType string `json:"errorType"`
	}
	if json.Unmarshal(payload, &answer) != nil || !errorType.MatchString(answer.ErrorType) {
		return &FunctionError{Function: function}
	}
	return &FunctionError{Function: function, Type: answer.ErrorType}
}
