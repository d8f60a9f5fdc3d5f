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

// Fault is the error that leaves a function in place of one whose text is not
// ours: it names operations and codes only.
type Fault struct {
	text string
}

func (e *Fault) Error() string { return e.text }

// PanicError stands for a panic in a handler. It does not repeat the panic's
// value, which may hold content.
type PanicError struct {
	Value  string   // the value's type, or the text of a run-time error
	Frames []string // file:line, innermost first
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// Handler is the shape of a Lambda handler.
type Handler[In, Out any] func(context.Context, In) (Out, error)

// Edge wraps a handler so that what it returns may be seen: an error is logged
// and leaves as text without content, a panic becomes a *PanicError. Errors of
// a type in expected leave as they are and unwrapped, because Lambda reports
// the outermost type as errorType, which a workflow's Retry and Catch compare;
// they are an outcome and no failure of the function.
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

// report logs err and returns it as it may leave the function.
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

// unwrapTo is the first error in err's chain of exactly the type kind.
func unwrapTo(err error, kind reflect.Type) error {
	for ; err != nil; err = errors.Unwrap(err) {
		if reflect.TypeOf(err) == kind {
			return err
		}
	}
	return nil
}

// Describe is the outward text of err: for an AWS call its service, operation,
// code, HTTP status and request id, since AWS's own text can quote the request;
// for the rest the text, which is ours. Of a list, as hub.Each returns it, each
// error is described; a list within one call's error is the SDK's.
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
