package main

import (
	"context"
	"errors"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/sent"
)

const (
	// fetchers is how many messages are read at once.
	fetchers = 32
	// inMemory is the most bytes of messages that are held at once. A single message may
	// be larger.
	inMemory = 64 << 20
)

// tabulator makes the tables of hours.
type tabulator struct {
	lake       lake
	tables     bucket
	pseudonyms *derive.Deriver // of the keys of the de-identified twin; nil if none is made
}

// tabulate makes the tables of an hour, unless they were already made from exactly its
// messages and that is enough. It returns how many messages it read.
//
// Each file depends only on the hour's messages and the lake's edition. Files replace the
// versions that existed before the messages were listed, and the manifest is written
// last. So a run that listed earlier cannot replace what a run that listed later has put.
// A run that was killed leaves a manifest that does not match the files, so the next run
// makes them again. So does one that finds, later than S3 does, an object that the
// catalog did not know yet.
func (t tabulator) tabulate(ctx context.Context, seen hour, again bool) (messages int, err error) {
	var made manifest
	key := manifestKey(seen.source, seen.start)
	was, err := t.tables.read(ctx, key, &made)
	if err != nil {
		return 0, err
	}
	if made.Digest == seen.digest && !again {
		return 0, nil
	}
	work, err := t.begin(ctx, seen)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, work.end()) }()
	now, err := t.listed(ctx, seen)
	if err != nil {
		return 0, err
	}
	known, err := t.fill(ctx, now, work)
	if err != nil {
		return 0, err
	}
	if !known {
		now.digest = unknown
	}
	if err := t.put(ctx, work); err != nil {
		return 0, err
	}
	return len(now.messages), t.tables.write(ctx, key, was, manifest{Digest: now.digest, Messages: len(now.messages)})
}

// unknown is the digest in a manifest of tables that were made before the catalog knew
// all of the hour's objects. It is the digest of no list.
const unknown = "unknown"

// listed lists the messages of the hour now.
func (t tabulator) listed(ctx context.Context, seen hour) (hour, error) {
	for now, err := range t.lake.hours(ctx, seen.source, seen.start, seen.end()) {
		return now, err
	}
	return hour{source: seen.source, start: seen.start}, nil // all were deleted
}

// fill writes the hour's tables to files. A table that exists and no longer has a row
// becomes an empty one. It reports whether the catalog knows all of the hour's objects
// that it was asked for: the writer makes an object's entry after the object.
func (t tabulator) fill(ctx context.Context, h hour, files *work) (known bool, err error) {
	w := files.writer()
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := files.openExisting(w); err != nil {
		return false, err
	}
	missing, asked := h.ids(), map[time.Time]bool{}
	err = t.each(ctx, h, func(m sent.Message, r sent.Reading) error {
		if r.Asked {
			asked[hub.Received(m.ID)] = true
		}
		for _, entry := range r.Entries {
			delete(missing, entry.ID)
		}
		return w.Add(messageOf(m.ID, r))
	})
	maps.DeleteFunc(missing, func(_ string, received time.Time) bool { return !asked[received] })
	return len(missing) == 0, err
}

// each calls do with the hour's messages in their order. Some are read ahead.
func (t tabulator) each(ctx context.Context, h hour, do func(sent.Message, sent.Reading) error) error {
	work, ctx := errgroup.WithContext(ctx)
	room := semaphore.NewWeighted(inMemory)
	coming := make(chan chan sent.Reading, fetchers)
	work.Go(func() error {
		defer close(coming)
		for _, m := range h.messages {
			if err := room.Acquire(ctx, weight(m)); err != nil {
				return context.Cause(ctx)
			}
			one := make(chan sent.Reading, 1)
			select {
			case coming <- one:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			work.Go(func() error {
				found, err := t.lake.Read(ctx, h.source, m)
				if err == nil {
					one <- found
				}
				return err
			})
		}
		return nil
	})
	work.Go(func() error {
		for _, m := range h.messages {
			one, ok := <-coming
			if !ok {
				return context.Cause(ctx)
			}
			select {
			case found := <-one:
				if err := do(m, found); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			room.Release(weight(m))
		}
		return nil
	})
	return work.Wait()
}

// weight is how much memory a message takes.
func weight(m sent.Message) int64 { return min(m.Size+1, inMemory) }
