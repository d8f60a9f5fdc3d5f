package states

import "slices"

// Error names of the language and of Step Functions
// (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
const (
	errAll        = "States.ALL"
	errTaskFailed = "States.TaskFailed"
	errTimeout    = "States.Timeout"
	errRuntime    = "States.Runtime"
	errDataLimit  = "States.DataLimitExceeded"
	errResultPath = "States.ResultPathMatchFailure"
	errNoChoice   = "States.NoChoiceMatched"
)

// Failure is how a state, or a whole execution, failed.
type Failure struct {
	Error string // name, for retriers and catchers
	Cause string // for people; a function's is its answer as JSON
}

// matches reports whether a retrier or catcher with these names takes the failure.
// States.ALL does not take the errors that always end an execution, and a runtime error
// cannot be taken at all.
func (f *Failure) matches(names []string) bool {
	if f.Error == errRuntime {
		return false
	}
	if slices.Contains(names, f.Error) {
		return true
	}
	if f.Error == errDataLimit {
		return false
	}
	return slices.Contains(names, errAll) || slices.Contains(names, errTaskFailed) && f.Error != errTimeout
}
