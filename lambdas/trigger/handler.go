package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

// reserve is kept back from the function's time to publish the error event of a workflow
// that ended late, and to report one that did not answer.
const reserve = 5 * time.Second

type handler struct {
	logger     *slog.Logger
	metrics    telemetry.Metrics
	claimCheck hub.ClaimCheck
	hub        hub.Topic
	workflow   workflow
	deferral   deferral
}

// handle stages every message of the delivery, or defers it. Staging one again gives the
// same events. It joins the errors, so that the delivery comes again.
func (h handler) handle(ctx context.Context, in delivery) (struct{}, error) {
	var failures []error
	for _, record := range in.Records {
		failures = append(failures, h.take(ctx, record))
	}
	return struct{}{}, errors.Join(failures...)
}

// take stages one message, unless its institution has used up its share. A message that
// was deferred is staged when it comes back: the queue gave it its turn.
func (h handler) take(ctx context.Context, record record) error {
	wire, err := record.wire()
	if err != nil {
		return err
	}
	if !record.deferred() && h.putOff(ctx, wire) {
		return nil
	}
	return h.stage(ctx, wire)
}

// stage runs the workflow for one message. A message that cannot be staged, for a lasting
// reason, becomes an error event. An error is returned only if another delivery may
// succeed.
func (h handler) stage(ctx context.Context, wire hub.Wire) error {
	event, err := wire.Event()
	if err != nil {
		return err
	}
	work, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	reason, err := h.workflow.run(work, event.ID.String(), wire)
	h.account(ctx, event, wire, reason, err)
	if err != nil || reason == nil {
		return err
	}
	return h.refuse(ctx, wire, *reason)
}

// account records the start of the workflow and measures the message's time from the hub
// to its JSON.
func (h handler) account(ctx context.Context, event hub.Event, wire hub.Wire, reason *hub.Reason, err error) {
	owner := slog.String("owner", event.Owner)
	members := []any{"root", event.Root}
	switch {
	case reason != nil:
		members = append(members, "reason", reason.String(), owner)
	case err != nil || wire.Published.IsZero():
		members = append(members, owner)
	default:
		took := max(time.Since(wire.Published), 0) // clocks differ
		latency := telemetry.Metric{Name: contract.MetricStagingLatency, Unit: "Milliseconds", Value: took.Milliseconds()}
		members = append(members, h.metrics.Measure([]telemetry.Metric{latency}, owner))
	}
	audit.Record(ctx, h.logger, "states:StartSyncExecution", outcome(reason, err), members...)
}

// outcome returns how an execution ended, in one word.
func outcome(reason *hub.Reason, err error) string {
	if reason != nil {
		return reason.Code
	}
	return audit.Outcome(err)
}

// refuse publishes the error event: the original ER7 and the reason.
func (h handler) refuse(ctx context.Context, wire hub.Wire, reason hub.Reason) error {
	event, err := h.claimCheck.Open(ctx, wire)
	if err != nil {
		return err
	}
	refused := hub.Derive(event, staginger7.Connector(), hub.Error, event.Kind)
	refused.Reason = reason
	refused.Body = event.Body
	return h.hub.Publish(ctx, refused)
}
