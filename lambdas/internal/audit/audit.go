// Package audit records what nothing else records: who posted and read which message, and
// the calls for which CloudTrail has no event, which are SNS's Publish and Step
// Functions' StartSyncExecution. A record is a log line with the member "audit": true and
// no message; its time is the line's. It holds ids, names and outcomes, never content.
package audit

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/problem"
)

// Record writes what was done, how it ended, and further attributes.
func Record(ctx context.Context, logger *slog.Logger, action, outcome string, members ...any) {
	members = append([]any{"audit", true, "action", action, "outcome", outcome}, members...)
	logger.InfoContext(ctx, "", members...)
}

// Outcome returns how an action ended, in one word: the code of a refusal, AWS's error
// code, or done.
func Outcome(err error) string {
	if err == nil {
		return "done"
	}
	if refused := (*problem.Problem)(nil); errors.As(err, &refused) {
		return refused.Code
	}
	if refused := smithy.APIError(nil); errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return "failed"
}

// Publisher is a hub.Publisher that records each published event. The log group names the
// function that publishes.
type Publisher struct {
	Publisher hub.Publisher
	Logger    *slog.Logger
}

// Publish is SNS's.
func (p Publisher) Publish(ctx context.Context, in *sns.PublishInput, options ...func(*sns.Options)) (*sns.PublishOutput, error) {
	out, err := p.Publisher.Publish(ctx, in, options...)
	var members []any
	for _, name := range []string{"event", "id", "root", "owner"} {
		members = append(members, name, aws.ToString(in.MessageAttributes[name].StringValue))
	}
	if out != nil {
		members = append(members, "messageId", aws.ToString(out.MessageId))
	}
	Record(ctx, p.Logger, "sns:Publish", Outcome(err), members...)
	return out, err
}
