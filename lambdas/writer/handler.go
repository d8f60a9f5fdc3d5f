package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/hl7"
	"hl7lake/lambdas/internal/catalog"
	"hl7lake/lambdas/internal/hub"
)

type handler struct {
	logger     *slog.Logger
	claimCheck hub.ClaimCheck
	lake       lake
	catalog    table
}

// handle files every event of the batch. Those that fail are reported together,
// so that Lambda delivers the batch again; filing an event twice changes
// nothing but its count of attempts.
func (h handler) handle(ctx context.Context, batch events.SNSEvent) (struct{}, error) {
	var failures []error
	for _, record := range batch.Records {
		if err := h.file(ctx, hub.FromSNS(record.SNS)); err != nil {
			failures = append(failures, err)
		}
	}
	return struct{}{}, errors.Join(failures...)
}

// file writes the object first and its entry second: what the catalog shows is
// there.
func (h handler) file(ctx context.Context, wire hub.Wire) error {
	event, err := h.claimCheck.Open(ctx, wire)
	if err != nil {
		return err
	}
	entry := catalog.NewEntry(event, h.lake.bucket, time.Now())
	if header, ok := hl7.Peek(event.Body); ok && header.ControlID != "" && event.Format != hub.JSON {
		entry.ControlIDSHA256 = catalog.ControlIDHash(event.Owner, header.ControlID)
	}
	object, err := h.lake.put(ctx, entry.Key, event)
	if err != nil {
		return err
	}
	if object.differs {
		h.logger.WarnContext(ctx, "kept the earlier object, which differs", "id", event.ID, "root", event.Root)
	}
	entry.VersionID, entry.SHA256, entry.Size = object.versionID, object.sha256, object.size
	if err := h.catalog.record(ctx, entry); err != nil {
		return err
	}
	h.logger.InfoContext(ctx, "filed", "event", event.Name, "id", event.ID, "root", event.Root,
		"owner", event.Owner, "type", event.Type, "zone", entry.Zone, "size", entry.Size, "repeated", object.repeated)
	return nil
}
