package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/telemetry"
)

type handler struct {
	logger     *slog.Logger
	metrics    telemetry.Metrics
	claimCheck hub.ClaimCheck
	lake       lake
	catalog    table
}

// handle files every event of the batch. Filing one again changes nothing but its count
// of attempts.
func (h handler) handle(ctx context.Context, batch events.SNSEvent) (struct{}, error) {
	return struct{}{}, hub.Each(batch, func(wire hub.Wire) error { return h.file(ctx, wire) })
}

// file writes the object first and its entry second, so that what the catalog shows
// exists. Nothing interprets the body before it is kept. The body is never held in memory
// as a whole, because it may be many times larger than what travels in an event.
func (h handler) file(ctx context.Context, wire hub.Wire) error {
	event, body, err := h.claimCheck.Stream(ctx, wire)
	if err != nil {
		return err
	}
	defer body.Close()
	entry := catalog.NewEntry(event, h.lake.bucket, time.Now())
	object, err := h.lake.put(ctx, entry.Key, event.Kind, body)
	if err != nil {
		return err
	}
	if object.differs {
		h.logger.WarnContext(ctx, "kept the earlier object, which differs", "id", event.ID, "root", event.Root)
	}
	entry.VersionID, entry.SHA256, entry.Size = object.versionID, object.sha256, object.size
	forgotten, err := h.catalog.record(ctx, entry)
	if err != nil {
		return err
	}
	if forgotten {
		// It is not shown, but it exists: the writer may not delete.
		h.logger.ErrorContext(ctx, "filed once more what was forgotten; forget it again", "id", event.ID, "root", event.Root)
	}
	h.tell(ctx, event, object.repeated)
	return nil
}

// tell logs that event was filed. The catalog has everything else about it.
func (h handler) tell(ctx context.Context, event hub.Event, repeated bool) {
	members := []any{"event", event.Name, "root", event.Root}
	if event.ID != event.Root {
		members = append(members, "id", event.ID)
	}
	if repeated {
		members = append(members, "repeated", true)
	}
	h.logger.InfoContext(ctx, "filed", append(members, h.count(event, repeated))...)
}

// count returns the members of the log line that say whose event it is, and that count
// messages when they end: once each, however often the event is delivered.
func (h handler) count(event hub.Event, repeated bool) slog.Attr {
	owner, connector := slog.String("owner", event.Owner), slog.String("connector", event.Connector.Name)
	switch {
	case repeated || event.Name == hub.Ingested:
		return owner
	case event.Name == hub.Error:
		return h.metrics.Count(contract.MetricFailed, owner, connector, slog.String("reason", cmp.Or(event.Reason.Code, "unknown")))
	default:
		return h.metrics.Count(contract.MetricStaged, owner, connector)
	}
}
