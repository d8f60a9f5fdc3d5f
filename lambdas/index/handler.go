package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/indexer"
)

type handler struct {
	claimCheck hub.ClaimCheck
	indexer    indexer.Indexer
}

// handle enters every message of the batch that was accepted, and removes the entries of
// every one that was forgotten. An error has Lambda deliver the batch again, and in the end
// leaves it in a dead-letter queue. A message that was replayed in another charset is
// entered beside what was there.
func (h handler) handle(ctx context.Context, batch events.SNSEvent) (struct{}, error) {
	return struct{}{}, hub.Each(batch, func(wire hub.Wire) error {
		event, err := h.claimCheck.Open(ctx, wire)
		if err != nil {
			return err
		}
		if event.Name == hub.Forgotten {
			return h.indexer.Table.Forget(ctx, event.Root, time.Now())
		}
		entries, err := h.indexer.Entries(ctx, indexer.Message{
			Root: event.Root, Owner: event.Owner, Charset: event.Charset, ReadIn: event.ReadIn, Body: event.Body,
		})
		if err != nil {
			return err
		}
		_, err = h.indexer.Table.Enter(ctx, event.Root, entries)
		return err
	})
}
