package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"hl7lake/internal/hub"
	"hl7lake/tables"
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
	lake   lake
	tables bucket
}

// tabulate makes the tables of an hour, unless they were already made from exactly its
// messages and that is enough. It returns how many messages it read.
//
// Each file depends only on the hour's messages and tables.Version. Files replace the
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
	there, err := t.versions(ctx, seen)
	if err != nil {
		return 0, err
	}
	now, err := t.listed(ctx, seen)
	if err != nil {
		return 0, err
	}
	files, err := newFolder()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, files.remove()) }()
	known, err := t.fill(ctx, now, there, files)
	if err != nil {
		return 0, err
	}
	if !known {
		now.digest = unknown
	}
	if err := t.put(ctx, now, there, files); err != nil {
		return 0, err
	}
	return len(now.messages), t.tables.write(ctx, key, was, manifest{Digest: now.digest, Messages: len(now.messages)})
}

// unknown is the digest in a manifest of tables that were made before the catalog knew
// all of the hour's objects. It is the digest of no list.
const unknown = "unknown"

// versions are those of the hour's existing tables, by their names.
func (t tabulator) versions(ctx context.Context, h hour) (map[string]version, error) {
	all := tables.New().All()
	found := make([]version, len(all))
	work, ctx := errgroup.WithContext(ctx)
	for i, table := range all {
		work.Go(func() (err error) {
			found[i], err = t.tables.version(ctx, tableKey(table, h.source, h.start))
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	there := map[string]version{}
	for i, table := range all {
		if found[i] != "" {
			there[table.Name] = found[i]
		}
	}
	return there, nil
}

// listed lists the messages of the hour now.
func (t tabulator) listed(ctx context.Context, seen hour) (hour, error) {
	for now, err := range t.lake.hours(ctx, seen.source, seen.start, seen.end()) {
		return now, err
	}
	return hour{source: seen.source, start: seen.start}, nil // all were deleted
}

// fill writes the hour's tables to files. A table that exists and no longer has a row
// becomes an empty one. It reports whether the catalog knows all of the hour's objects that
// it was asked for: the writer makes an object's entry after the object.
func (t tabulator) fill(ctx context.Context, h hour, there map[string]version, files *folder) (known bool, err error) {
	w := tables.NewWriter(files.open)
	defer func() { err = errors.Join(err, w.Close()) }()
	for name := range there {
		if err := w.Open(name); err != nil {
			return false, err
		}
	}
	missing, asked := h.ids(), map[time.Time]bool{}
	err = t.each(ctx, h, func(m message, r reading) error {
		if r.asked {
			asked[hub.Received(m.id)] = true
		}
		for _, entry := range r.entries {
			delete(missing, entry.ID)
		}
		return w.Add(r.table(m.id))
	})
	maps.DeleteFunc(missing, func(_ string, received time.Time) bool { return !asked[received] })
	return len(missing) == 0, err
}

// each calls do with the hour's messages in their order. Some are read ahead.
func (t tabulator) each(ctx context.Context, h hour, do func(message, reading) error) error {
	work, ctx := errgroup.WithContext(ctx)
	room := semaphore.NewWeighted(inMemory)
	coming := make(chan chan reading, fetchers)
	work.Go(func() error {
		defer close(coming)
		for _, m := range h.messages {
			if err := room.Acquire(ctx, weight(m)); err != nil {
				return context.Cause(ctx)
			}
			one := make(chan reading, 1)
			select {
			case coming <- one:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			work.Go(func() error {
				found, err := t.lake.read(ctx, h.source, m)
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
func weight(m message) int64 { return min(m.size+1, inMemory) }

// put puts the files in place of the existing ones.
func (t tabulator) put(ctx context.Context, h hour, there map[string]version, files *folder) error {
	work, ctx := errgroup.WithContext(ctx)
	for _, table := range tables.New().All() {
		file := files.files[table.Name]
		if file == nil {
			continue
		}
		work.Go(func() error {
			err := t.tables.replace(ctx, tableKey(table, h.source, h.start), there[table.Name], file, "application/vnd.apache.parquet")
			if err != nil {
				return fmt.Errorf("table %s: %w", table.Name, err)
			}
			return nil
		})
	}
	return work.Wait()
}
