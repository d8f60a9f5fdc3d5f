package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"hl7lake/lambdas/internal/parallel"
)

// descent is how far a walk through claims or errors has come, from the newest to the
// oldest.
type descent struct {
	owners []string
	from   time.Time // nothing earlier is wanted
	below  uuid.UUID // where the walk is: later messages are behind it
	left   int       // how many requests may still be made
	ended  bool      // there is nothing further
}

func newDescent(q query) descent {
	return descent{owners: q.owners, from: q.from, below: q.below(), left: maxRequests}
}

func (d *descent) more() bool { return !d.ended && above(d.below) > placeAt(d.from) }

func (d *descent) back(id uuid.UUID) { d.below, d.ended = id, false }

func (d *descent) cursor() cursor { return cursor{d.below, firstWidth} }

// latest is what one request for the newest of something returned.
type latest[T any] struct {
	of   []T  // newest first
	more bool // there may be earlier ones
}

// forEach calls do for each item, for some at the same time, and returns the results in
// the order of the items.
func forEach[T, R any](ctx context.Context, items []T, do func(context.Context, T) (R, error)) ([]R, error) {
	return parallel.Map(ctx, together, items, do)
}

// sortNewestFirst sorts messages by their ids, the latest first.
func sortNewestFirst(messages []candidate) {
	slices.SortFunc(messages, func(a, b candidate) int { return compare(b.id, a.id) })
}
