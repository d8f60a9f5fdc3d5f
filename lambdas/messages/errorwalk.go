package main

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// perOwner is how many entries of the zone error one request returns.
const perOwner = 500

// errorWalk goes through the messages with an error, from the newest to the oldest, by
// the catalog's index of errors. Errors are few, and looking for them among all messages
// would take a page for each few hundred messages without any.
type errorWalk struct {
	descent
	catalog catalog.Table
}

// newErrorWalk returns the walk through the errors that q may list.
func newErrorWalk(table catalog.Table, q query) *errorWalk {
	return &errorWalk{newDescent(q), table}
}

func (w *errorWalk) affords() bool { return w.left >= len(w.owners) }

// next asks for the newest errors of each institution, and returns their messages as far
// back as every institution was looked at.
func (w *errorWalk) next(ctx context.Context) ([]candidate, error) {
	w.left -= len(w.owners)
	found, err := forEach(ctx, w.owners, w.list)
	if err != nil {
		return nil, err
	}
	var end uuid.UUID // where the window ends
	w.ended = true
	var window []candidate
	for _, messages := range found {
		window = append(window, messages.of...)
		if !messages.more {
			continue
		}
		w.ended = false
		// The index has errors of one millisecond in no order, so the last one is not
		// known to be complete.
		if last := (placeOf(messages.of[len(messages.of)-1].id)/millisecond + 1) * millisecond; compare(last.id(), end) > 0 {
			end = last.id()
		}
	}
	if !w.ended && compare(end, w.below) >= 0 {
		return nil, errCrowded
	}
	sortNewestFirst(window)
	window = slices.Compact(window) // a message may have several errors
	window = slices.DeleteFunc(window, func(c candidate) bool { return compare(c.id, end) < 0 || compare(c.id, w.below) >= 0 })
	w.below = end
	return window, nil
}

// list returns the messages of an institution's newest errors at or before the walk's
// place, and whether there may be earlier ones.
func (w *errorWalk) list(ctx context.Context, owner string) (latest[candidate], error) {
	var messages []candidate
	entries, more, err := w.catalog.NewestErrors(ctx, owner, w.from, hub.Received(w.below), perOwner)
	for _, entry := range entries {
		if root, err := uuid.Parse(entry.Root); err == nil {
			messages = append(messages, candidate{id: root, owner: owner})
		}
	}
	return latest[candidate]{messages, more && len(messages) > 0}, err
}
