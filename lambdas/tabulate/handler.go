package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/lambdas/internal/telemetry"
)

const (
	// settle is how long after its end an hour is looked at again: the writer files a
	// message within seconds, but tries for some minutes after a failure.
	settle = 15 * time.Minute
	// lateDays is how far back the nightly run looks for late messages: dead letters are
	// kept for 14 days.
	lateDays = 15
	// reserve is kept back from the function's time to record and report what was done.
	reserve = 10 * time.Second
)

type handler struct {
	logger  *slog.Logger
	metrics telemetry.Metrics
	tabulator
	now func() time.Time
}

// request is the function's input. Without any field, it brings all tables up to date,
// those of the current hour too.
type request struct {
	// Settled leaves out the hours that may still get messages. A run on a schedule does
	// so, because it would read what it read of such an hour again in the next run.
	Settled bool `json:"settled"`
	// Late also looks at the hours of the last days, for messages that came late or were
	// deleted.
	Late bool `json:"late"`
	// From and To select hours, from From on and before To, whose tables are made again
	// in any case. Both or none are given.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// rebuilds reports whether the request selects hours.
func (r request) rebuilds() bool { return !r.From.IsZero() || !r.To.IsZero() }

// RequestError says what is wrong with a request.
type RequestError struct{ Problem string }

func (e *RequestError) Error() string { return e.Problem }

// report is what a run did.
type report struct {
	Hours     int       `json:"hours"`     // whose tables were made
	Messages  int       `json:"messages"`  // in these
	Conflicts int       `json:"conflicts"` // hours in which another run was working, or that changed meanwhile; the next run looks at them
	Complete  bool      `json:"complete"`  // false if the function's time ran out
	settled   time.Time // up to which all institutions' tables are complete
}

// tabulate brings the tables up to date.
func (h handler) tabulate(ctx context.Context, in request) (report, error) {
	if in.rebuilds() && !in.From.Before(in.To) {
		return report{}, &RequestError{"from has to be before to"}
	}
	work, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	now := h.now().UTC()
	done := report{Complete: true, settled: now}
	sources, err := h.lake.Sources(work)
	for _, source := range sources {
		if err != nil {
			break
		}
		if in.rebuilds() {
			err = h.rebuild(work, source, in, &done)
		} else {
			err = h.advance(work, source, in, now, &done)
		}
	}
	if work.Err() != nil && ctx.Err() == nil { // out of time, and the next run goes on
		done.Complete, err = false, nil
	}
	h.tell(ctx, done, now, in, err)
	return done, err
}

// rebuild makes an institution's tables of the selected hours again.
func (h handler) rebuild(ctx context.Context, source string, in request, done *report) error {
	from, to := in.From.UTC().Truncate(time.Hour), in.To.UTC()
	seen := map[time.Time]bool{}
	for each, err := range h.lake.hours(ctx, source, from, to) {
		if err != nil {
			return err
		}
		seen[each.start] = true
		if err := h.one(ctx, each, true, done); err != nil {
			return err
		}
	}
	return h.emptied(ctx, source, from, to, seen, done)
}

// emptied handles hours that have tables and no message any more, because all were
// deleted.
func (h handler) emptied(ctx context.Context, source string, from, to time.Time, seen map[time.Time]bool, done *report) error {
	for start, err := range h.tables.made(ctx, source, from, to) {
		if err != nil {
			return err
		}
		if seen[start] {
			continue
		}
		if err := h.one(ctx, hour{source: source, start: start}, false, done); err != nil {
			return err
		}
	}
	return nil
}

// advance brings an institution's tables up to date from its cursor on, and moves the
// cursor.
func (h handler) advance(ctx context.Context, source string, in request, now time.Time, done *report) error {
	var at cursor
	was, err := h.tables.read(ctx, cursorKey(source), &at)
	if err != nil {
		return err
	}
	from := at.Settled
	if in.Late && !from.IsZero() {
		from = from.AddDate(0, 0, -lateDays)
	}
	settled, until := now.Add(-settle).Truncate(time.Hour), now.Add(time.Hour)
	if in.Settled {
		until = settled
	}
	conflicts, seen := done.Conflicts, map[time.Time]bool{}
	for each, err := range h.lake.hours(ctx, source, from, until) {
		if err != nil {
			return err
		}
		seen[each.start] = true
		if err := h.one(ctx, each, false, done); err != nil {
			return err
		}
		if done.Conflicts > conflicts && each.start.Before(settled) {
			settled, conflicts = each.start, done.Conflicts // this hour is looked at again
		}
	}
	if in.Late {
		if err := h.emptied(ctx, source, from, until, seen, done); err != nil {
			return err
		}
	}
	settled = later(settled, at.Settled)
	done.settled = earlier(done.settled, settled)
	if settled.Equal(at.Settled) {
		return nil
	}
	err = h.tables.write(ctx, cursorKey(source), was, cursor{settled})
	if errors.Is(err, errConflict) {
		return nil // another run has moved it
	}
	return err
}

// one makes the tables of an hour. If another run is working on the hour, or it changes,
// it is left to the next run.
func (h handler) one(ctx context.Context, each hour, again bool, done *report) error {
	messages, err := h.tabulator.tabulate(ctx, each, again)
	switch {
	case errors.Is(err, errConflict), errors.Is(err, sent.ErrGone):
		done.Conflicts++
		h.logger.WarnContext(ctx, "left to the next run", "owner", each.source, "hour", each.start, "error", err.Error())
		return nil
	case err != nil:
		return err
	case messages > 0:
		done.Hours++
		done.Messages += messages
	}
	return nil
}

// tell logs what was done. A scheduled run reports the age of the oldest hour that is not
// settled, so that an alarm sees that it ran.
func (h handler) tell(ctx context.Context, done report, now time.Time, in request, err error) {
	h.logger.InfoContext(ctx, "tabulated", "report", done)
	if in.rebuilds() || err != nil || !done.Complete {
		return
	}
	lag := telemetry.Metric{Name: contract.MetricTablesLag, Unit: "Seconds", Value: int64(now.Sub(done.settled).Seconds())}
	h.logger.InfoContext(ctx, "tables are complete", "until", done.settled, h.metrics.Measure([]telemetry.Metric{lag}))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
