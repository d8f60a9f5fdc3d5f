package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"hl7lake/tables"
)

// A duckDB is the user's program duckdb, with views of tables in a folder.
type duckDB struct {
	path      string // of the program
	temporary string // a folder with the views' definitions
}

// newDuckDB defines views of some tables in a folder. The caller closes it.
func newDuckDB(path, folder string, of []*tables.Table) (duckDB, error) {
	if _, err := os.Stat(folder); err != nil {
		return duckDB{}, err
	}
	has := func(t *tables.Table) bool {
		found, err := filepath.Glob(filepath.Join(folder, t.Name, "*", "*", "*", "*.parquet"))
		return err == nil && len(found) > 0
	}
	temporary, err := os.MkdirTemp("", "lake-sql-")
	if err != nil {
		return duckDB{}, err
	}
	d := duckDB{path, temporary}
	if err := os.WriteFile(d.views(), []byte(tables.DuckDB(filepath.ToSlash(folder), of, has)), 0o600); err != nil {
		return duckDB{}, err
	}
	return d, nil
}

func (d duckDB) views() string { return filepath.Join(d.temporary, "views.sql") }

// command returns a run of the program that begins with the views and ends at the first
// error.
func (d duckDB) command(ctx context.Context, arguments ...string) *exec.Cmd {
	return exec.CommandContext(ctx, d.path, append([]string{"-bail", "-cmd", ".read '" + d.views() + "'"}, arguments...)...)
}

// close removes the definitions of the views.
func (d duckDB) close() error { return os.RemoveAll(d.temporary) }
