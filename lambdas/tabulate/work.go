package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"hl7lake/internal/contract"
	"hl7lake/tables"
)

// A set is the files of an hour: those of its tables, or those of their twin.
type set struct {
	tables []*tables.Table
	key    func(table string) string // of a file in the tables' bucket
	there  map[string]version        // before the messages were listed, by table
	folder *folder                   // where they are made
}

// work is what is done for an hour: the tables and, if there is a key for it, their
// de-identified twin.
type work struct {
	sets    []*set // the tables, then the twin if any
	deidKey []byte // of the twin's pseudonyms; nil if there is no twin
}

// begin finds out which files of an hour exist. The caller ends the work.
func (t tabulator) begin(ctx context.Context, h hour) (*work, error) {
	w := &work{sets: []*set{{
		tables: tables.New().All(),
		key: func(table string) string {
			return tables.Key(table, h.source, h.start.Format(time.DateOnly), h.start.Hour())
		},
	}}}
	if t.pseudonyms != nil {
		key, err := t.pseudonyms.Key(ctx, "hl7lake pseudonyms of "+h.source)
		if err != nil {
			return nil, err
		}
		w.deidKey = key
		w.sets = append(w.sets, &set{
			tables: tables.Deidentified(),
			key:    func(table string) string { return twinKey(table, h, key) },
		})
	}
	for _, s := range w.sets {
		var err error
		if s.there, err = t.versions(ctx, s); err != nil {
			return nil, errors.Join(err, w.end())
		}
		if s.folder, err = newFolder(); err != nil {
			return nil, errors.Join(err, w.end())
		}
	}
	return w, nil
}

// end removes the files that were made.
func (w *work) end() error {
	var errs []error
	for _, s := range w.sets {
		if s.folder != nil {
			errs = append(errs, s.folder.remove())
		}
	}
	return errors.Join(errs...)
}

// twinKey returns the key of a twin's file. The key does not reveal the hour, because
// that would reveal when each patient was there.
func twinKey(table string, h hour, key []byte) string {
	sum := hmac.New(sha256.New, key)
	fmt.Fprint(sum, "hour ", h.start.Unix())
	return contract.TablesDeid + "/" + table + "/source=" + h.source + "/" + hex.EncodeToString(sum.Sum(nil)[:16]) + ".parquet"
}

// versions returns the versions of the existing files of a set, by table.
func (t tabulator) versions(ctx context.Context, s *set) (map[string]version, error) {
	found := make([]version, len(s.tables))
	looks, ctx := errgroup.WithContext(ctx)
	for i, table := range s.tables {
		looks.Go(func() (err error) {
			found[i], err = t.tables.version(ctx, s.key(table.Name))
			return err
		})
	}
	if err := looks.Wait(); err != nil {
		return nil, err
	}
	there := map[string]version{}
	for i, table := range s.tables {
		if found[i] != "" {
			there[table.Name] = found[i]
		}
	}
	return there, nil
}

// writer returns the writer of all sets.
func (w *work) writer() *tables.Writer {
	writer := tables.NewWriter(w.sets[0].folder.open)
	if w.deidKey != nil {
		writer.Deidentify(w.deidKey, w.sets[1].folder.open)
	}
	return writer
}

// openExisting opens the files of the tables that exist.
func (w *work) openExisting(writer *tables.Writer) error {
	for i, open := range []func(string) error{writer.Open, writer.OpenDeidentified}[:len(w.sets)] {
		for name := range w.sets[i].there {
			if err := open(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// put puts the files in place of the existing ones.
func (t tabulator) put(ctx context.Context, w *work) error {
	puts, ctx := errgroup.WithContext(ctx)
	for _, s := range w.sets {
		for name, file := range s.folder.files {
			puts.Go(func() error {
				err := t.tables.replace(ctx, s.key(name), s.there[name], file, "application/vnd.apache.parquet")
				if err != nil {
					return fmt.Errorf("table %s: %w", name, err)
				}
				return nil
			})
		}
	}
	return puts.Wait()
}
