package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/lambdas/internal/received"
)

const (
	// accepting is how long ago a message was accepted, at most, that is listed as
	// accepted. Reconcile looks at older claims, and finds those late whose messages have
	// not ended.
	accepting = 30 * time.Minute
	// perShard is how many claims one request returns.
	perShard = 50
)

// claimWalk goes through the claims of ingest whose messages may not be in the lake, from
// the newest to the oldest: the fresh claims, for messages that were just accepted, or the
// late ones. A request covers a shard of the claims, of all institutions.
type claimWalk struct {
	received received.Table
	late     bool
	owners   []string
	from     time.Time
	below    uuid.UUID
	left     int  // how many requests may still be made
	ended    bool // there are no further claims
}

// newClaimWalk returns the walk through the claims whose messages q may list.
func newClaimWalk(table received.Table, q query) *claimWalk {
	c := &claimWalk{received: table, late: q.state == statusMissing, owners: q.owners, from: q.from, below: q.below(), left: maxRequests}
	if earliest := q.now.Add(-accepting); !c.late && c.from.Before(earliest) {
		c.from = earliest
	}
	return c
}

func (c *claimWalk) more() bool { return !c.ended && above(c.below) > placeAt(c.from) }

func (c *claimWalk) affords() bool { return c.left >= len(received.Shards()) }

func (c *claimWalk) back(id uuid.UUID) { c.below, c.ended = id, false }

func (c *claimWalk) cursor() cursor { return cursor{c.below, firstWidth} }

// next asks each shard for its newest claims, and returns them as far back as every shard
// was looked at.
func (c *claimWalk) next(ctx context.Context) ([]candidate, error) {
	shards := received.Shards()
	c.left -= len(shards)
	found, further := make([][]received.Unsettled, len(shards)), make([]bool, len(shards))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, shard := range shards {
		group.Go(func() (err error) {
			found[i], further[i], err = c.received.Newest(working, shard, c.late, c.from, c.below, perShard)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var end uuid.UUID // where the window ends
	c.ended = true
	for i, claims := range found {
		if last := len(claims) - 1; further[i] && last >= 0 {
			c.ended = false
			if compare(claims[last].ID, end) > 0 {
				end = claims[last].ID
			}
		}
	}
	var window []candidate
	for _, claim := range slices.Concat(found...) {
		if compare(claim.ID, end) >= 0 && slices.Contains(c.owners, claim.Owner) {
			window = append(window, candidate{id: claim.ID, owner: claim.Owner, claimed: true, late: c.late})
		}
	}
	slices.SortFunc(window, func(a, b candidate) int { return compare(b.id, a.id) })
	c.below = end
	return window, nil
}

// claimState returns the state of a claimed message, given its state by its entries in
// the catalog: "" if nobody was told that it is accepted, and missing if reconcile found
// it late and the lake does not hold it.
func (h handler) claimState(ctx context.Context, c candidate, state string, entries []catalog.Entry) (string, error) {
	if _, stored := catalog.Raw(entries); stored {
		return state, nil
	}
	if len(entries) == 0 {
		owner, err := h.received.Owner(ctx, c.id)
		if owner == "" || err != nil {
			return "", err
		}
	}
	if c.late {
		return statusMissing, nil
	}
	return state, nil
}
