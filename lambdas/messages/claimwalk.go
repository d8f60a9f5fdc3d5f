package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/lambdas/internal/history"
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
// the newest to the oldest: the fresh claims, for messages that were just accepted, or
// the late ones. A request covers a shard of the claims, of all institutions.
type claimWalk struct {
	descent
	received received.Table
	late     bool
}

// newClaimWalk returns the walk through the claims whose messages q may list.
func newClaimWalk(table received.Table, q query) *claimWalk {
	c := &claimWalk{newDescent(q), table, q.state == history.StatusMissing}
	if earliest := q.now.Add(-accepting); !c.late && c.from.Before(earliest) {
		c.from = earliest
	}
	return c
}

func (c *claimWalk) affords() bool { return c.left >= len(received.Shards()) }

// next asks each shard for its newest claims, and returns them as far back as every shard
// was looked at.
func (c *claimWalk) next(ctx context.Context) ([]candidate, error) {
	shards := received.Shards()
	c.left -= len(shards)
	found, err := forEach(ctx, shards, func(ctx context.Context, shard string) (latest[received.Unsettled], error) {
		claims, more, err := c.received.Newest(ctx, shard, c.late, c.from, c.below, perShard)
		return latest[received.Unsettled]{claims, more}, err
	})
	if err != nil {
		return nil, err
	}
	var end uuid.UUID // where the window ends
	c.ended = true
	for _, claims := range found {
		if last := len(claims.of) - 1; claims.more && last >= 0 {
			c.ended = false
			if compare(claims.of[last].ID, end) > 0 {
				end = claims.of[last].ID
			}
		}
	}
	var window []candidate
	for _, claims := range found {
		for _, claim := range claims.of {
			if compare(claim.ID, end) >= 0 && slices.Contains(c.owners, claim.Owner) {
				window = append(window, candidate{id: claim.ID, owner: claim.Owner, claimed: true, late: c.late})
			}
		}
	}
	sortNewestFirst(window)
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
		return history.StatusMissing, nil
	}
	return state, nil
}
