package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/received"
)

// batch is how many claims are looked at before the progress is recorded again.
const batch = 500

// sweep is one run through one shard of the index.
type sweep struct {
	handler
	shard  string
	found  *findings
	places *errgroup.Group // limits the work on all shards together
}

// late looks at the claims that earlier runs found late. A claim that cannot be dealt
// with is left to the next run. The error says why the list ended early.
func (s sweep) late(ctx context.Context) (failure error) {
	var work sync.WaitGroup
	defer work.Wait()
	for claim, err := range s.received.Late(ctx, s.shard) {
		if err != nil {
			return err
		}
		s.do(&work, func() { s.found.failed(ctx, s.settle(ctx, claim, s.found)) })
	}
	return nil
}

// fresh looks at the claims that have become overdue since the last run. Their index
// follows the table within a second or so, and the clocks of two functions differ by no
// more, so a claim that is overdue by the full time is in it. Claims that an operator
// wants looked at earlier are looked at again when they are overdue.
func (s sweep) fresh(ctx context.Context, age time.Duration) error {
	now := s.now()
	from, err := s.received.Seen(ctx, s.shard)
	if err != nil {
		return err
	}
	before, final := now.Add(-age), now.Add(-overdue)
	if before.Before(from) {
		return nil
	}
	var claims []received.Unsettled
	for claim, err := range s.received.Fresh(ctx, s.shard, from, before) {
		if err != nil {
			return err
		}
		if claims = append(claims, claim); len(claims) < batch {
			continue
		}
		through := earlier(hub.Received(claim.ID), final) // others of that millisecond may follow
		if err := s.pass(ctx, claims, through); err != nil {
			return err
		}
		claims = claims[:0]
	}
	return s.pass(ctx, claims, earlier(before, final))
}

// pass looks at claims, and records that all before through have been seen, if they have.
// Its error is the first one of a claim that then has neither ended nor is late: the next
// run begins before it.
func (s sweep) pass(ctx context.Context, claims []received.Unsettled, through time.Time) error {
	var work sync.WaitGroup
	var failure atomic.Pointer[error]
	for _, claim := range claims {
		s.do(&work, func() {
			if err := s.sort(ctx, claim); err != nil {
				failure.CompareAndSwap(nil, &err)
			}
		})
	}
	work.Wait()
	if err := failure.Load(); err != nil {
		return *err
	}
	return s.received.See(ctx, s.shard, through)
}

// sort leaves a claim that has ended where it is, and makes any other late before it does
// something about it.
func (s sweep) sort(ctx context.Context, claim received.Unsettled) error {
	entries, err := s.catalog.History(ctx, claim.ID)
	if err != nil {
		return err
	}
	if catalog.Ended(entries) {
		s.found.add(claim, settled, 0)
		return nil
	}
	if err := s.received.Defer(ctx, claim); err != nil {
		return err
	}
	s.found.failed(ctx, s.help(ctx, claim, entries, s.found))
	return nil
}

// do runs what as soon as there is a place for it, and adds it to what work waits for.
func (s sweep) do(work *sync.WaitGroup, what func()) {
	work.Add(1)
	s.places.Go(func() error {
		defer work.Done()
		what()
		return nil
	})
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
