// Package telemetry is what the functions share around their handlers: the
// logger, the AWS configuration, and the edge at which errors and panics become
// text that is fit to leave the function. What goes out holds ids, outcomes and
// places, never content.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/environment"
)

// NewLogger writes one JSON object a line to w, in the shape of Lambda's own
// log records, to the millisecond. Every message leaves a handful of lines, which
// are paid for by the byte: a line has no member that says nothing, so one
// without a message has none.
func NewLogger(w io.Writer) *slog.Logger {
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
		case attr.Key == slog.TimeKey:
			attr.Value = slog.StringValue(attr.Value.Time().UTC().Format(hub.TimeLayout))
		case attr.Key == slog.MessageKey && attr.Value.String() == "":
			return slog.Attr{}
		}
		return lambdacontext.ReplaceAttr(groups, attr)
	}})
	return slog.New(requestHandler{json})
}

// requestHandler adds the id of the X-Ray trace to each record, where the trace is
// recorded. It is the same in every function that has a part in one post: Lambda
// takes it from what invokes the function, the AWS SDK sends it with each call
// (X-Amzn-Trace-Id), and SNS and Step Functions hand it on. What went wrong also
// has the id of the request, under which Lambda's own lines are found; it writes
// none of a request that went well.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, record slog.Record) error {
	wrong := record.Level >= slog.LevelWarn
	if lambda, ok := lambdacontext.FromContext(ctx); ok && wrong {
		record = record.Clone()
		record.AddAttrs(slog.String("requestId", lambda.AwsRequestID))
	}
	if id, recorded := traceOf(ctx); id != "" && (recorded || wrong) {
		record = record.Clone()
		record.AddAttrs(slog.String("traceId", id))
	}
	return h.Handler.Handle(ctx, record)
}

// traceOf is the id of the trace, the Root of the header that aws-lambda-go puts
// into the context, and whether X-Ray records it; "" where there is none.
func traceOf(ctx context.Context) (id string, recorded bool) {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for part := range strings.SplitSeq(header, ";") {
		if root, ok := strings.CutPrefix(part, "Root="); ok {
			id = root
		}
		recorded = recorded || part == "Sampled=1"
	}
	return id, recorded
}

func (h requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(attrs)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}

// Start is how every function begins: with a logger to standard output, the
// settings that its environment holds (see environment.Load) and the AWS
// configuration. Where these cannot be had it says why and ends the process;
// Lambda shows the line and starts the function anew. The SDK's own log is off:
// it is not JSON, and not ours to vouch for.
func Start[T any]() (*slog.Logger, T, aws.Config) {
	letLie()
	logger := NewLogger(os.Stdout)
	if runtimeAPI, ok := http.DefaultTransport.(*http.Transport); ok { // aws-lambda-go's client begins as a copy of it
		keepConnections(runtimeAPI)
	}
	settings, err := environment.Load[T](os.LookupEnv)
	if err != nil {
		Exit(logger, err)
	}
	configuration, err := config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(newClient()))
	if err != nil {
		Exit(logger, err)
	}
	return logger, settings, configuration
}

// garbage is how much a process that handles several events at once lets lie
// before it collects, in percent of what it uses. With Go's own 100 a process of a
// few megabytes would collect with every other event.
const garbage = 400

// letLie has the garbage of several events lie, within the memory that they have.
// One event at a time makes little, and stays in the processor's cache.
func letLie() {
	if limit := int64(lambdacontext.MemoryLimitInMB) << 20; limit > 0 && lambdacontext.MaxConcurrency() > 1 {
		debug.SetGCPercent(garbage)
		debug.SetMemoryLimit(limit / 4 * 3)
	}
}

// Exit ends a process that cannot start, and says why.
func Exit(logger *slog.Logger, err error) {
	logger.Error("cannot start", "error", err.Error())
	os.Exit(1)
}

// WithReserve ends the work before Lambda ends the function, so that reserve is
// left to clean up and to answer. Without a deadline it only makes ctx
// cancellable.
func WithReserve(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}
