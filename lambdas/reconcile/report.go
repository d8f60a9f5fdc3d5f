package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

// finding is what became of a claim that was looked at.
type finding int

const (
	settled     finding = iota // its message has ended
	republished                // it was published again
	waiting                    // it was published again by an earlier run
	missing                    // it was accepted, and is not in the lake
	unpublished                // nobody was told that it is accepted
	abandoned                  // and will not be waited for
)

// report is what a run found, as numbers of claims.
type report struct {
	Settled     int `json:"settled"`     // have ended
	Republished int `json:"republished"` // stuck, and published again
	Waiting     int `json:"waiting"`     // published again by an earlier run
	Missing     int `json:"missing"`     // accepted, and not in the lake
	Unpublished int `json:"unpublished"` // never published: the sender was not told that the message is accepted
	Abandoned   int `json:"abandoned"`   // the same, and no longer waited for
	Failed      int `json:"failed"`      // could not be handled; the next run tries again

	OldestUnstagedSeconds int64 `json:"oldestUnstagedSeconds"` // age of the oldest message that has not ended
	Complete              bool  `json:"complete"`              // all were looked at; false if the time was over

	MissingMessages []missingMessage `json:"missingMessages,omitempty"` // the missing messages, at most named of them
}

// missingMessage is what a person needs to look for a missing message.
type missingMessage struct {
	ID         string `json:"id"`
	Owner      string `json:"owner"`
	AgeSeconds int64  `json:"ageSeconds"`
}

// named is how many missing messages a report names, so that it stays short. The log has
// a line for each.
const named = 100

// findings collects what the workers find. It is safe for concurrent use.
type findings struct {
	mu     sync.Mutex
	all    report
	owners map[string]*report
	err    error // the first
}

func newFindings() *findings { return &findings{owners: map[string]*report{}} }

// add counts a claim. age is the age of a message that has not ended, and 0 for any
// other.
func (f *findings) add(claim received.Unsettled, what finding, age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all.count(what, age)
	if what == missing && len(f.all.MissingMessages) < named {
		f.all.MissingMessages = append(f.all.MissingMessages, missingMessage{claim.ID.String(), claim.Owner, int64(age.Seconds())})
	}
	if what == settled {
		return
	}
	of := f.owners[claim.Owner]
	if of == nil {
		of = &report{}
		f.owners[claim.Owner] = of
	}
	of.count(what, age)
}

// failed counts what could not be done about a claim or a list of claims. It ignores nil,
// and what was given up because ctx had ended: the report then says that the run is not
// complete.
func (f *findings) failed(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all.Failed++
	if f.err == nil {
		f.err = err
	}
}

func (r *report) count(what finding, age time.Duration) {
	switch what {
	case settled:
		r.Settled++
	case republished:
		r.Republished++
	case waiting:
		r.Waiting++
	case missing:
		r.Missing++
	case unpublished:
		r.Unpublished++
	case abandoned:
		r.Abandoned++
	}
	r.OldestUnstagedSeconds = max(r.OldestUnstagedSeconds, int64(age.Seconds()))
}

// report writes the run's metrics: a line for each institution with something stuck or,
// so that an alarm sees that the lake is watched, one line of zeros. Its error is the
// first that a claim met.
func (h handler) report(ctx context.Context, found *findings, complete bool) (report, error) {
	found.mu.Lock()
	defer found.mu.Unlock()
	for owner, of := range found.owners {
		h.logger.InfoContext(ctx, "reconciled", h.metrics.Measure(of.metrics(), slog.String("owner", owner)))
	}
	if len(found.owners) == 0 {
		h.logger.InfoContext(ctx, "reconciled", h.metrics.Measure(found.all.metrics()))
	}
	all := found.all
	all.Complete = complete
	h.logger.InfoContext(ctx, "reconciled all", "report", all)
	return all, found.err
}

func (r *report) metrics() []telemetry.Metric {
	return []telemetry.Metric{
		{Name: contract.MetricOldestUnstagedAge, Unit: "Seconds", Value: r.OldestUnstagedSeconds},
		{Name: contract.MetricMissing, Value: int64(r.Missing)},
		{Name: "Republished", Value: int64(r.Republished)},
		{Name: "Abandoned", Value: int64(r.Abandoned)},
	}
}
