package main

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// perOwner is how many entries of the zone error one request returns.
const perOwner = 500

// errorWalk goes through the messages with an error, from the newest to the oldest, by the
// catalog's index of errors. Errors are few, and looking for them among all messages would
// take a page for each few hundred messages without any.
type errorWalk struct {
	catalog catalog.Table
	owners  []string
	from    time.Time
	below   uuid.UUID
	left    int  // how many requests may still be made
	ended   bool // there are no further errors
}

// newErrorWalk returns the walk through the errors that q may list.
func newErrorWalk(table catalog.Table, q query) *errorWalk {
	return &errorWalk{catalog: table, owners: q.owners, from: q.from, below: q.below(), left: maxRequests}
}

func (w *errorWalk) more() bool { return !w.ended && above(w.below) > placeAt(w.from) }

func (w *errorWalk) affords() bool { return w.left >= len(w.owners) }

func (w *errorWalk) back(id uuid.UUID) { w.below, w.ended = id, false }

func (w *errorWalk) cursor() cursor { return cursor{w.below, firstWidth} }

// next asks for the newest errors of each institution, and returns their messages as far
// back as every institution was looked at.
func (w *errorWalk) next(ctx context.Context) ([]candidate, error) {
	w.left -= len(w.owners)
	found, further := make([][]candidate, len(w.owners)), make([]bool, len(w.owners))
	group, working := errgroup.WithContext(ctx)
	for i, owner := range w.owners {
		group.Go(func() (err error) {
			found[i], further[i], err = w.list(working, owner)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var end uuid.UUID // where the window ends
	w.ended = true
	for i, messages := range found {
		if !further[i] {
			continue
		}
		w.ended = false
		// The index has errors of one millisecond in no order, so the last one is not
		// known to be complete.
		if last := (placeOf(messages[len(messages)-1].id)/millisecond + 1) * millisecond; compare(last.id(), end) > 0 {
			end = last.id()
		}
	}
	if !w.ended && compare(end, w.below) >= 0 {
		return nil, errCrowded
	}
	window := slices.Concat(found...)
	slices.SortFunc(window, func(a, b candidate) int { return compare(b.id, a.id) })
	window = slices.Compact(window) // a message may have several errors
	window = slices.DeleteFunc(window, func(c candidate) bool { return compare(c.id, end) < 0 || compare(c.id, w.below) >= 0 })
	w.below = end
	return window, nil
}

// list returns the messages of an institution's newest errors at or before the walk's
// place, and whether there may be earlier ones.
func (w *errorWalk) list(ctx context.Context, owner string) (messages []candidate, more bool, err error) {
	entries, more, err := w.catalog.NewestErrors(ctx, owner, w.from, hub.Received(w.below), perOwner)
	for _, entry := range entries {
		if root, err := uuid.Parse(entry.Root); err == nil {
			messages = append(messages, candidate{id: root, owner: owner})
		}
	}
	return messages, more && len(messages) > 0, err
}
