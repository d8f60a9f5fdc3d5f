package main

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"

	"hl7lake/internal/finder"
	"hl7lake/lambdas/internal/parallel"
)

// match is a message that has the identifier.
type match struct {
	finder.Found
	owner string
}

// hashes are those of the identifier for one institution, under one version of the key.
type hashes struct {
	owner     string
	value     string
	authority string // "" means any
}

// walk goes through the messages that have an identifier, from the newest to the oldest.
type walk struct {
	index finder.Index
	in    []hashes
	below uuid.UUID // where the walk is: messages with later ids are behind it
	ended bool      // there is nothing further
}

// newWalk returns the walk through the messages that q asks for.
func (h handler) newWalk(ctx context.Context, q question) (*walk, error) {
	w := &walk{index: h.index, below: q.below}
	for _, owner := range q.owners {
		for _, deriver := range h.keys {
			derived, err := deriver.Key(ctx, finder.Label(owner))
			if err != nil {
				return nil, err
			}
			key := finder.Key(derived)
			one := hashes{owner: owner, value: key.Identifier(q.kind, q.value)}
			if q.authority != "" {
				one.authority = key.Authority(q.kind, q.value, q.authority)
			}
			w.in = append(w.in, one)
		}
	}
	return w, nil
}

// part is what one request returned.
type part struct {
	matches []match
	last    uuid.UUID // the earliest id that was looked at
	more    bool      // there may be earlier ones
}

// next asks for the newest messages under each hash, and returns them as far back as every
// hash was looked at.
func (w *walk) next(ctx context.Context) ([]match, error) {
	parts, err := parallel.Map(ctx, together, w.in, w.ask)
	if err != nil {
		return nil, err
	}
	var end uuid.UUID // where the window ends
	w.ended = true
	for _, p := range parts {
		if p.more {
			w.ended = false
			end = later(end, p.last)
		}
	}
	var window []match
	for _, p := range parts {
		for _, m := range p.matches {
			if bytes.Compare(m.Root[:], end[:]) >= 0 {
				window = append(window, m)
			}
		}
	}
	w.below = end
	slices.SortFunc(window, func(a, b match) int { return bytes.Compare(b.Root[:], a.Root[:]) })
	// While the key is being replaced, a message may have entries under two versions.
	return slices.CompactFunc(window, func(a, b match) bool { return a.Root == b.Root }), nil
}

// back goes back to a message, so that the walk goes on behind it.
func (w *walk) back(id uuid.UUID) { w.below, w.ended = id, false }

// ask makes one request.
func (w *walk) ask(ctx context.Context, of hashes) (part, error) {
	found, more, err := w.index.Newest(ctx, of.value, w.below, perRound)
	result := part{more: more && len(found) > 0}
	for _, each := range found {
		result.last = each.Root
		if of.authority == "" || slices.Contains(each.Authorities, of.authority) {
			result.matches = append(result.matches, match{each, of.owner})
		}
	}
	return result, err
}

func later(a, b uuid.UUID) uuid.UUID {
	if bytes.Compare(a[:], b[:]) > 0 {
		return a
	}
	return b
}
