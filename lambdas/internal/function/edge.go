package function

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Fault replaces an error whose text is not ours when it leaves a function: it names
// operations and codes only.
type Fault struct {
	text string
}

func (e *Fault) Error() string { return e.text }

// PanicError stands for a panic in a handler. It does not repeat the panic's value, which
// may hold content.
type PanicError struct {
	Value  string   // the value's type, or the text of a run-time error
	Frames []string // file:line, innermost first
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// Handler is the shape of a Lambda handler.
type Handler[In, Out any] func(context.Context, In) (Out, error)

// Edge wraps a handler so that its result may be shown. An error is logged and leaves
// with a text without content, and a panic becomes a *PanicError. Errors of a type in
// expected leave unchanged and unwrapped, because Lambda reports the outermost type as
// errorType, which a workflow's Retry and Catch compare. They are an outcome and not a
// failure of the function.
func Edge[In, Out any](logger *slog.Logger, handle Handler[In, Out], expected ...reflect.Type) Handler[In, Out] {
	return func(ctx context.Context, in In) (out Out, err error) {
		defer func() {
			if value := recover(); value != nil {
				err = newPanicError(value)
			}
			if err != nil {
				err = report(ctx, logger, err, expected)
			}
		}()
		return handle(ctx, in)
	}
}

// report logs err and returns it in the form in which it may leave the function.
func report(ctx context.Context, logger *slog.Logger, err error, expected []reflect.Type) error {
	for _, kind := range expected {
		if found := unwrapTo(err, kind); found != nil {
			logger.WarnContext(ctx, "refused", "errorType", kind.Elem().Name(), "error", found.Error())
			return found
		}
	}
	var panicked *PanicError
	if errors.As(err, &panicked) {
		logger.ErrorContext(ctx, "failed", "error", panicked.Error(), "frames", panicked.Frames)
		return panicked
	}
	fault := &Fault{text: Describe(err)}
	logger.ErrorContext(ctx, "failed", "error", fault.Error())
	return fault
}

// unwrapTo returns the first error in err's chain of exactly the type kind.
func unwrapTo(err error, kind reflect.Type) error {
	for ; err != nil; err = errors.Unwrap(err) {
		if reflect.TypeOf(err) == kind {
			return err
		}
	}
	return nil
}

// Describe returns the outward text of err. For an AWS call that is its service,
// operation, code, HTTP status and request id, because AWS's own text can quote the
// request. Any other error's text is ours. If err is a list, as hub.Each returns it, each
// error is described. A list within one call's error is the SDK's.
func Describe(err error) string {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var texts []string
		for _, one := range many.Unwrap() {
			texts = append(texts, Describe(one))
		}
		return strings.Join(texts, "; ")
	}
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return err.Error()
	}
	text := operation.Service() + " " + operation.Operation()
	var api smithy.APIError
	if errors.As(err, &api) {
		text += ": " + api.ErrorCode()
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		text += fmt.Sprintf(" (HTTP %d)", response.HTTPStatusCode())
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		text += ": deadline exceeded"
	case errors.Is(err, context.Canceled):
		text += ": canceled"
	}
	return text
}

func newPanicError(value any) *PanicError {
	panicked := &PanicError{Value: fmt.Sprintf("%T", value)}
	if fault, ok := value.(runtime.Error); ok {
		panicked.Value = fault.Error()
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	for {
		frame, more := frames.Next()
		panicked.Frames = append(panicked.Frames, fmt.Sprintf("%s:%d", frame.File, frame.Line))
		if !more {
			return panicked
		}
	}
}
