// Package telemetry is what the functions report about their work: log lines, with the
// trace that they belong to, and metrics within them. They hold ids, outcomes and places,
// never content.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"hl7lake/internal/hub"
)

// NewLogger writes one JSON object on each line to w, in the shape of Lambda's own log
// records, with milliseconds. Every message leaves several lines, and each byte costs
// money, so members without information are left out: a line without a message has no
// member for it.
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

// requestHandler adds the id of the X-Ray trace to each record, if the trace is recorded.
// It is the same in every function that works on one post: Lambda takes it from what
// invokes the function, the AWS SDK sends it with each call (X-Amzn-Trace-Id), and SNS
// and Step Functions pass it on. A record of a failure also has the id of the request,
// under which Lambda's own lines are found; Lambda writes none for a request that went
// well.
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

// traceOf returns the id of the trace, which is the Root of the header that aws-lambda-go
// puts into the context, and whether X-Ray records it. The id is "" if there is none.
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
