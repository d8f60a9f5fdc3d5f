package function_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/smithy-go"

	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/telemetry"
)

// run calls handle behind the edge and returns its error and the log.
func run(t *testing.T, handle func() error, expected ...reflect.Type) (map[string]any, error) {
	t.Helper()
	var log bytes.Buffer
	edge := function.Edge(telemetry.NewLogger(&log),
		func(context.Context, struct{}) (struct{}, error) { return struct{}{}, handle() }, expected...)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	_, err := edge(ctx, struct{}{})
	line := map[string]any{}
	if log.Len() > 0 {
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatalf("the log is not one JSON object: %s", log.Bytes())
		}
	}
	return line, err
}

func TestAnErrorOfAWSLeavesWithoutItsText(t *testing.T) {
	refusal := fmt.Errorf("publish: %w", fake.Refusal("SNS", "Publish", "InvalidParameter", http.StatusBadRequest))
	line, err := run(t, func() error { return refusal })
	const want = "SNS Publish: InvalidParameter (HTTP 400)"
	if err.Error() != want || line["error"] != want {
		t.Errorf("left as %q, logged as %q", err, line["error"])
	}
	if line["requestId"] != "request-1" || line["level"] != "ERROR" || line["message"] != "failed" {
		t.Errorf("logged as %v", line)
	}
}

func TestErrorsOfABatchAreDescribedOneByOne(t *testing.T) {
	_, err := run(t, func() error {
		return errors.Join(fake.Refusal("S3", "PutObject", "SlowDown", 503), errors.New("hub: ours"))
	})
	if want := "S3 PutObject: SlowDown (HTTP 503); hub: ours"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestATimeoutWithinACallIsNamed(t *testing.T) {
	call := &smithy.OperationError{ServiceID: "SFN", OperationName: "StartSyncExecution", Err: fmt.Errorf("POST /: %w", context.DeadlineExceeded)}
	if got, want := function.Describe(call), "SFN StartSyncExecution: deadline exceeded"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type refusal struct{ text string }

func (e *refusal) Error() string { return e.text }

func TestAnExpectedErrorLeavesUnwrapped(t *testing.T) {
	line, err := run(t, func() error { return fmt.Errorf("parse: %w", &refusal{"code=x"}) }, reflect.TypeFor[*refusal]())
	if reflect.TypeOf(err) != reflect.TypeFor[*refusal]() || err.Error() != "code=x" {
		t.Errorf("left as %T %q", err, err)
	}
	if line["level"] != "WARN" || line["errorType"] != "refusal" {
		t.Errorf("logged %v", line)
	}
}

func TestAPanicLeavesWithoutItsValue(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"a text", "Doe, Jane", "panic: string"},
		{"an error", errors.New("Doe, Jane"), "panic: *errors.errorString"},
	} {
		t.Run(test.name, func(t *testing.T) {
			line, err := run(t, func() error { panic(test.value) })
			if err.Error() != test.want {
				t.Errorf("left as %q, want %q", err, test.want)
			}
			if frames := fmt.Sprint(line["frames"]); !strings.Contains(frames, "edge_test.go:") || strings.Contains(frames, "Doe") {
				t.Errorf("logged frames %s", frames)
			}
		})
	}
}

func TestARunTimeErrorSaysWhatItWas(t *testing.T) {
	var none []int
	_, err := run(t, func() error { return fmt.Errorf("%d", none[len(none)]) })
	if want := "panic: runtime error: index out of range [0] with length 0"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestSuccessIsSilentAtTheEdge(t *testing.T) {
	if line, err := run(t, func() error { return nil }); err != nil || len(line) != 0 {
		t.Errorf("%v, logged %v", err, line)
	}
}
