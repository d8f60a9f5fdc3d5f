package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/function"
)

// queue is the part of Amazon SQS that trigger needs; *sqs.Client has it.
type queue interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// deferral defers what one institution has staged beyond its share. The queue feeds
// trigger with a few messages at a time, taking turns between institutions, so that a
// backlog of one leaves the rest of staging to the others.
type deferral struct {
	shares   *allowance.Buckets
	queueURL string
	queue    queue
}

// putOff puts wire into the queue if its institution has used up its share, and reports
// whether it did. If the share is not known or the queue does not take the message, it is
// staged now: being late is better than being lost, and being early is better than being
// late. A message that is both in the queue and staged now is still one.
func (h handler) putOff(ctx context.Context, wire hub.Wire) bool {
	event, err := wire.Event()
	if err != nil {
		return false
	}
	var exceeded *allowance.ExceededError
	switch err := h.deferral.shares.Take(ctx, event.Owner, wire.Size()); {
	case err == nil:
		return false
	case !errors.As(err, &exceeded):
		h.logger.WarnContext(ctx, "share not known", "id", event.ID, "error", function.Describe(err))
		return false
	}
	if err := h.deferral.put(ctx, wire, event.Owner); err != nil {
		h.logger.WarnContext(ctx, "not deferred", "id", event.ID, "owner", event.Owner, "error", function.Describe(err))
		return false
	}
	h.logger.InfoContext(ctx, "deferred", "id", event.ID, "root", event.Root, h.metrics.Count(contract.MetricDeferred, slog.String("owner", event.Owner)))
	return true
}

// put sends wire in SNS's form, so that a dead letter looks the same whichever way it
// came. The group makes the queue a fair one (Amazon SQS Developer Guide, Amazon SQS fair
// queues).
func (d deferral) put(ctx context.Context, wire hub.Wire, owner string) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // the delimiter & stays one byte, so that the largest event fits
	if err := encoder.Encode(wire.Notification()); err != nil {
		return err
	}
	_, err := d.queue.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &d.queueURL, MessageBody: new(body.String()), MessageGroupId: &owner,
	})
	return err
}
