package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/indexer"
	"hl7lake/lambdas/internal/parallel"
	"hl7lake/lambdas/internal/sent"
)

const (
	// together is how many messages are read and entered at the same time.
	together = 32
	// maxWindow is how many messages are entered before the time is looked at, at most.
	maxWindow = 4 * together
	// inMemory is the most bytes of messages in a window. A single message may be larger.
	inMemory = 64 << 20
	// reserve is kept back from the function's time for the window that was begun.
	reserve = 30 * time.Second
)

type handler struct {
	logger  *slog.Logger
	lake    sent.Lake
	indexer indexer.Indexer
}

// request is the function's input: which messages to enter.
type request struct {
	Owner string    `json:"owner"` // of this institution only; "" means all
	From  time.Time `json:"from"`  // accepted at or after; zero means from the beginning
	To    time.Time `json:"to"`    // accepted before; zero means until now
	After *place    `json:"after"` // go on after this message; nil means from the beginning
}

// place is where a run ended: all messages of earlier institutions, in the order of their
// names, and those of this institution up to this message are done.
type place struct {
	Owner string    `json:"owner"`
	ID    uuid.UUID `json:"id"`
}

// RequestError says what is wrong with a request.
type RequestError struct{ Problem string }

func (e *RequestError) Error() string { return e.Problem }

// report is what a run did.
type report struct {
	Messages int    `json:"messages"`        // that were entered
	Entries  int    `json:"entries"`         // that these have in the table
	After    *place `json:"after,omitempty"` // where to go on; nil if all is done
}

// reindex enters the messages that are asked for, until all are done or the function's
// time is over. Entries that were made with an earlier key are removed.
func (h handler) reindex(ctx context.Context, in request) (report, error) {
	if !in.To.IsZero() && !in.From.Before(in.To) {
		return report{}, &RequestError{"from has to be before to"}
	}
	early, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	r := run{handler: h, request: in, over: func() bool { return early.Err() != nil }}
	owners, err := r.owners(ctx)
	for _, owner := range owners {
		if err != nil || r.report.After != nil {
			break
		}
		err = r.enterAll(ctx, owner)
	}
	h.logger.InfoContext(ctx, "reindexed", "report", r.report)
	return r.report, err
}

// run is the work for one request.
type run struct {
	handler
	request
	report report
	over   func() bool // the time is over
}

// owners returns the institutions whose messages are left to do, in order.
func (r *run) owners(ctx context.Context) ([]string, error) {
	owners, err := r.lake.Sources(ctx)
	slices.Sort(owners)
	return slices.DeleteFunc(owners, func(owner string) bool {
		return r.Owner != "" && owner != r.Owner || r.After != nil && owner < r.After.Owner
	}), err
}

// enterAll enters an institution's messages, window by window. If the time is over, the
// report says where to go on.
func (r *run) enterAll(ctx context.Context, owner string) error {
	from, last := r.From, place{Owner: owner}
	if r.After != nil && r.After.Owner == owner {
		last.ID = r.After.ID
		from = later(from, hub.Received(last.ID))
	}
	var window []sent.Message
	size := int64(0)
	for object, err := range r.lake.List(ctx, catalog.Ingestion, owner, from) {
		if err != nil {
			return err
		}
		if !r.To.IsZero() && !hub.Received(object.ID).Before(r.To) {
			break
		}
		if object.Kind.Format() != contract.FormatER7 || !after(object.ID, last.ID) {
			continue
		}
		if len(window) == maxWindow || len(window) > 0 && size+object.Size > inMemory {
			if err := r.enter(ctx, owner, window); err != nil {
				return err
			}
			if last.ID = window[len(window)-1].ID; r.over() {
				r.report.After = &last
				return nil
			}
			window, size = window[:0], 0
		}
		window, size = append(window, object.Message), size+object.Size
	}
	return r.enter(ctx, owner, window)
}

// enter enters the messages of a window.
func (r *run) enter(ctx context.Context, owner string, window []sent.Message) error {
	counts, err := parallel.Map(ctx, together, window, func(ctx context.Context, m sent.Message) (int, error) {
		return r.enterOne(ctx, owner, m)
	})
	if err != nil {
		return err
	}
	for _, count := range counts {
		if count > 0 {
			r.report.Messages, r.report.Entries = r.report.Messages+1, r.report.Entries+count
		}
	}
	return nil
}

// enterOne enters a message, and returns how many entries the table has of it. It has none
// of a message that cannot be parsed, that was forgotten, or that was deleted meanwhile.
func (h handler) enterOne(ctx context.Context, owner string, m sent.Message) (int, error) {
	found, err := h.lake.Read(ctx, owner, m)
	if errors.Is(err, sent.ErrGone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	declared, readIn := found.Charsets()
	entries, err := h.indexer.Entries(ctx, indexer.Message{Root: m.ID, Owner: owner, Charset: declared, ReadIn: readIn, Body: found.Body})
	if err != nil {
		return 0, err
	}
	entered, err := h.indexer.Table.Replace(ctx, m.ID, entries)
	if err != nil || !entered {
		return 0, err
	}
	return len(entries), nil
}

// after reports whether an id is later than another, or that is zero.
func after(id, other uuid.UUID) bool { return id.String() > other.String() }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
