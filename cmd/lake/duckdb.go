package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"hl7lake/tables"
)

// duckDBInstall is the command that installs DuckDB's program.
const duckDBInstall = "pip install duckdb-cli==1.5.6"

// tableFiles returns the files of a table in a folder of tables.
func tableFiles(folder, table string) ([]string, error) {
	return filepath.Glob(filepath.Join(folder, table, "*", "*", "*", "*.parquet"))
}

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
		found, err := tableFiles(folder, t.Name)
		return err == nil && len(found) > 0
	}
	temporary, err := os.MkdirTemp("", "lake-sql-")
	if err != nil {
		return duckDB{}, err
	}
	d := duckDB{path, temporary}
	if err := os.WriteFile(d.views(), []byte(tables.DuckDB(filepath.ToSlash(folder), of, has)), 0o600); err != nil {
		return duckDB{}, errors.Join(err, d.close())
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
