package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/telemetry"
)

// line returns what a logger writes for one record with the members.
func line(ctx context.Context, t *testing.T, members ...any) map[string]any {
	t.Helper()
	var log bytes.Buffer
	telemetry.NewLogger(&log).InfoContext(ctx, "said", members...)
	var read map[string]any
	if err := json.Unmarshal(log.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// The members are those of Amazon CloudWatch, Specification: Embedded metric
// format.
func TestALineThatCountsIsInTheEmbeddedMetricFormat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which it is the year 2000
		metrics := telemetry.Metrics{Environment: "dev"}
		got := line(t.Context(), t, "id", "1", metrics.Measure(
			[]telemetry.Metric{{Name: "Failed", Value: 1}, {Name: "Took", Unit: "Milliseconds", Value: 84}},
			slog.String("owner", "st-elsewhere"), slog.String("reason", "no-header")))
		for _, member := range []string{"timestamp", "time", "level", "message"} {
			delete(got, member)
		}
		want := map[string]any{
			"id": "1", "environment": "dev", "owner": "st-elsewhere", "reason": "no-header", "Failed": 1.0, "Took": 84.0,
			"_aws": map[string]any{
				"Timestamp": 946684800000.0,
				"CloudWatchMetrics": []any{map[string]any{
					"Namespace":  "hl7lake",
					"Dimensions": []any{[]any{"environment"}, []any{"environment", "owner"}, []any{"environment", "reason"}},
					"Metrics": []any{
						map[string]any{"Name": "Failed"}, map[string]any{"Name": "Took", "Unit": "Milliseconds"},
					},
				}},
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEachLineNamesItsTraceIfThatIsRecorded(t *testing.T) {
	const root = "1-6921e2a0-0123456789abcdef01234567"
	for header, want := range map[string]any{
		"Root=" + root + ";Parent=0123456789abcdef;Sampled=1": root,
		"Sampled=1;Root=" + root:                              root,
		"Root=" + root + ";Sampled=0":                         nil,
		"Parent=0123456789abcdef;Root=" + root:                nil,
		"Self=1-2-3;Sampled=1":                                nil,
		"":                                                    nil,
	} {
		ctx := context.WithValue(t.Context(), "x-amzn-trace-id", header) //nolint:staticcheck // aws-lambda-go's own key is a string
		if got := line(ctx, t)["traceId"]; got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
	if got, there := line(t.Context(), t)["traceId"]; there {
		t.Errorf("got %v without a trace", got)
	}
}

func TestALineHasNoMemberThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
		logger := telemetry.NewLogger(&log)
		logger.InfoContext(ctx, "", "n", 1)
		logger.WarnContext(ctx, "said", "n", 2)
		const want = `{"timestamp":"2000-01-01T00:00:00.000Z","level":"INFO","n":1}` + "\n" +
			`{"timestamp":"2000-01-01T00:00:00.000Z","level":"WARN","message":"said","n":2,"requestId":"request-1"}` + "\n"
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Error(diff)
		}
	})
}
