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
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"hl7lake/lambdas/internal/environment"
)

// NewLogger writes one JSON object a line to w, in the shape of Lambda's own
// log records, each with the ids of the request and the trace that it belongs
// to.
func NewLogger(w io.Writer) *slog.Logger {
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: lambdacontext.ReplaceAttr})
	return slog.New(requestHandler{json})
}

// requestHandler adds the request id of the context to each record, and the id of
// the X-Ray trace. That one is the same in every function that has a part in one
// post: Lambda takes it from what invokes the function, the AWS SDK sends it with
// each call (X-Amzn-Trace-Id), and SNS and Step Functions hand it on.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, record slog.Record) error {
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		record = record.Clone()
		record.AddAttrs(slog.String("requestId", lambda.AwsRequestID))
	}
	if id := traceOf(ctx); id != "" {
		record = record.Clone()
		record.AddAttrs(slog.String("traceId", id))
	}
	return h.Handler.Handle(ctx, record)
}

// traceOf is the id of the trace, the Root of the header that aws-lambda-go puts
// into the context; "" where there is none.
func traceOf(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for part := range strings.SplitSeq(header, ";") {
		if id, ok := strings.CutPrefix(part, "Root="); ok {
			return id
		}
	}
	return ""
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
	logger := NewLogger(os.Stdout)
	if runtimeAPI, ok := http.DefaultTransport.(*http.Transport); ok { // aws-lambda-go's client begins as a copy of it
		keepConnections(runtimeAPI)
	}
	settings, err := environment.Load[T](os.LookupEnv)
	if err != nil {
		exit(logger, err)
	}
	configuration, err := config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(keepConnections)))
	if err != nil {
		exit(logger, err)
	}
	return logger, settings, configuration
}

// keepConnections has a process that handles several events at once keep a
// connection for each, where one host answers for all services. The defaults are
// made for one event: two connections to the Runtime API, ten to a service.
func keepConnections(transport *http.Transport) {
	transport.MaxIdleConnsPerHost = max(transport.MaxIdleConnsPerHost, 2*lambdacontext.MaxConcurrency())
}

func exit(logger *slog.Logger, err error) {
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
