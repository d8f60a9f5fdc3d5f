package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
	"hl7lake/tables"
)

const (
	// mostCopied is the most that sql copies of a deployed lake's tables, in bytes: the
	// results of some ten million messages.
	mostCopied = 4 << 30
	// copiers is how many files are copied at once.
	copiers = 16
)

// A part is the part of a deployed lake's tables that a query reads.
type part struct {
	source   string    // the institution; empty for all
	from, to time.Time // of acceptance, by whole hours; zero for no limit
}

// limited reports whether the part is not all.
func (c part) limited() bool { return c != part{} }

// has reports whether a partition is in the part.
func (c part) has(p tables.Partition) bool {
	return (c.source == "" || c.source == p.Source) &&
		(c.from.IsZero() || c.from.Before(p.Hour.Add(time.Hour))) &&
		(c.to.IsZero() || p.Hour.Before(c.to))
}

// prefix returns what the keys of a table's files begin with. It names the institution if
// the part does, because the user may not be allowed to list others.
func (c part) prefix(table string) string {
	if c.source == "" {
		return table + "/"
	}
	return table + "/" + tables.PartitionSource + "=" + c.source + "/"
}

// asked returns the tables that a query names. Without a query, because it is still to be
// typed, it returns all. If the name of a table is not found in a query, the table has no
// view. Then the answer is an error, and never one with too few rows.
func asked(query string) []*tables.Table {
	all := tables.New().All()
	if query == "" {
		return all
	}
	named := map[string]bool{}
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(strings.ToLower(query), -1) {
		named[word] = true
	}
	return slices.DeleteFunc(all, func(t *tables.Table) bool {
		return !named[t.Name] && (t.Name != tables.New().Observations.Name || !named[tables.CurrentName])
	})
}

// copiedTables copies the tables that a query, or a file of queries, names. It returns
// them and the new folder, which the caller removes.
func (p *program) copiedTables(ctx context.Context, query string, c part) (of []*tables.Table, folder string, err error) {
	if isQueryFile(query) {
		text, err := os.ReadFile(query)
		if err != nil {
			return nil, "", err
		}
		query = string(text)
	}
	of = asked(query)
	folder, err = p.copyTables(ctx, of, c)
	return of, folder, err
}

// copyTables copies files of a deployed lake's tables into a new folder, which the caller
// removes.
func (p *program) copyTables(ctx context.Context, of []*tables.Table, c part) (folder string, err error) {
	operator, err := p.operator(ctx)
	if err != nil {
		return "", err
	}
	progress := term.NewProgress(p.err)
	defer progress.Clear()
	progress.Say("listing the tables")
	files, total, err := listTables(ctx, operator, of, c)
	if problem, ok := errors.AsType[smithy.APIError](err); ok && problem.ErrorCode() == "AccessDenied" && c.source == "" {
		return "", &hintError{
			err:  p.unworkable(err),
			hint: "A user who may read one institution only names it: --source NAME.",
		}
	}
	if err != nil {
		return "", p.unworkable(err)
	}
	if total > mostCopied {
		return "", &hintError{
			err:  fmt.Errorf("these tables take %s, and sql copies %s at most", size(total), size(mostCopied)),
			hint: "--source, --from and --to choose a part of them; Athena asks all of them where they are.",
		}
	}
	if folder, err = os.MkdirTemp("", "lake-tables-"); err != nil {
		return "", err
	}
	var done atomic.Int64
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(copiers)
	for _, file := range files {
		work.Go(func() error {
			err := copyTable(working, operator, file.Key, filepath.Join(folder, filepath.FromSlash(file.Key)))
			progress.Bar("copying the tables", done.Add(file.Size), total)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return "", errors.Join(p.unworkable(err), os.RemoveAll(folder))
	}
	return folder, nil
}

// listTables lists the files of tables in a part, and adds up their bytes.
func listTables(ctx context.Context, operator *operate.Operator, of []*tables.Table, c part) (files []operate.TableFile, total int64, err error) {
	for _, table := range of {
		for file, err := range operator.TableFiles(ctx, c.prefix(table.Name)) {
			if err != nil {
				return nil, 0, err
			}
			if partition, ok := tables.ParseKey(file.Key); ok && c.has(partition) {
				files = append(files, file)
				total += file.Size
			}
		}
	}
	return files, total, nil
}

// copyTable copies one file.
func copyTable(ctx context.Context, operator *operate.Operator, key, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return operator.ReadTable(ctx, key, file)
}
