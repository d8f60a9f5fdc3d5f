package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

const (
	// overdue is the age at which a message should have ended. On a busy lake it may only
	// be late. That is harmless: a message that is published again is still one message.
	overdue = 10 * time.Minute
	// givenUp is the age at which a claim whose message was never published is no longer
	// waited for.
	givenUp = 24 * time.Hour
	// keepAhead is how long before its expiry the claim of a missing message is kept for
	// keepFor more: longer than any time between two looks, and seldom enough to cost
	// nothing.
	keepAhead = 7 * 24 * time.Hour
	keepFor   = 30 * 24 * time.Hour
	// reserve is kept back from the function's time to report what was found.
	reserve = 5 * time.Second
	// workers is how many messages are looked at together.
	workers = 16
)

type handler struct {
	logger   *slog.Logger
	metrics  telemetry.Metrics
	received received.Table
	catalog  catalog.Table
	route    replay.Route
	now      func() time.Time
}

// request is the function's input. EventBridge sends none of these fields; an operator
// who invokes the function may.
type request struct {
	OverdueSeconds *int `json:"overdueSeconds"` // nil means the default, ten minutes
}

// reconcile looks at the claims that earlier runs found late and at those that have
// become overdue since, oldest first in each shard, until all are seen or its time is
// over. The next run begins where this one ended.
func (h handler) reconcile(ctx context.Context, in request) (report, error) {
	work, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	age := overdue
	if in.OverdueSeconds != nil {
		age = time.Duration(*in.OverdueSeconds) * time.Second
	}
	found := newFindings()
	var places errgroup.Group
	places.SetLimit(workers)
	var shards sync.WaitGroup
	for _, shard := range received.Shards() {
		shards.Go(func() {
			s := sweep{handler: h, shard: shard, found: found, places: &places}
			found.failed(work, s.late(work))
			found.failed(work, s.fresh(work, age))
		})
	}
	shards.Wait()
	return h.report(ctx, found, work.Err() == nil)
}

// settle looks whether a late claim has ended, and if not, does what can be done about
// it.
func (h handler) settle(ctx context.Context, claim received.Unsettled, found *findings) error {
	entries, err := h.catalog.History(ctx, claim.ID)
	if err != nil {
		return err
	}
	if catalog.Ended(entries) {
		found.add(claim, settled, 0)
		return h.received.Settle(ctx, claim)
	}
	return h.help(ctx, claim, entries, found)
}

// help publishes the message of a claim again, or finds that this is not possible.
func (h handler) help(ctx context.Context, claim received.Unsettled, entries []catalog.Entry, found *findings) error {
	standing, err := h.received.Standing(ctx, claim)
	if err != nil {
		return err
	}
	now := h.now()
	age := now.Sub(hub.Received(claim.ID))
	switch {
	case len(entries) == 0 && !standing.Done:
		return h.unpublished(ctx, claim, standing, found)
	case !due(claim, standing, now):
		found.add(claim, waiting, age)
		return nil
	}
	raw, ok := catalog.Raw(entries)
	if !ok {
		found.add(claim, missing, age)
		h.logger.ErrorContext(ctx, "missing: accepted, and not in the lake; look into the dead-letter queues",
			"id", claim.ID, "owner", claim.Owner, "ageSeconds", int(age.Seconds()))
		return h.keep(ctx, claim, standing)
	}
	if err := h.route.Publish(ctx, raw, ""); err != nil {
		return err
	}
	found.add(claim, republished, age)
	h.logger.WarnContext(ctx, "published again", "id", claim.ID, "owner", claim.Owner, "zone", raw.Zone, "ageSeconds", int(age.Seconds()))
	return h.received.Retry(ctx, claim, now)
}

// keep makes the claim of a missing message outlast the next runs: nothing else tells of
// the message.
func (h handler) keep(ctx context.Context, claim received.Unsettled, standing received.Standing) error {
	if standing.Expiry.After(h.now().Add(keepAhead)) {
		return nil
	}
	return h.received.Keep(ctx, claim, h.now().Add(keepFor))
}

// unpublished handles a claim whose message was never on the hub, as far as is known:
// nobody was told that it is accepted. It stays for the sender's next try, which takes it
// over.
func (h handler) unpublished(ctx context.Context, claim received.Unsettled, standing received.Standing, found *findings) error {
	if h.now().Sub(hub.Received(claim.ID)) < givenUp || h.now().Before(standing.Lease) {
		found.add(claim, unpublished, 0)
		return nil
	}
	found.add(claim, abandoned, 0)
	h.logger.WarnContext(ctx, "abandoned: never published, and not sent again", "id", claim.ID, "owner", claim.Owner)
	return h.received.Abandon(ctx, claim, standing)
}

// due reports whether it is time to publish a message again: at once the first time, and
// then whenever its age has doubled, so that a message that cannot be helped does not
// keep the lake busy.
func due(claim received.Unsettled, standing received.Standing, now time.Time) bool {
	return standing.Retried.IsZero() || now.Sub(standing.Retried) >= standing.Retried.Sub(hub.Received(claim.ID))
}
