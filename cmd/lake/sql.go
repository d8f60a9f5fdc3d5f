package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/operate"
	"hl7lake/tables"
)

type sqlOptions struct {
	folder string // --tables
	csv    bool
}

func (p *program) sqlCommand() *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:   "sql [QUERY|FILE]",
		Short: "Ask the lake in SQL, with DuckDB",
		Long: `sql runs duckdb with a view for each table of docs/tables.md, and one more,
observations_current, of the results as they are now. It asks one query, those of a
file whose name ends in .sql, or, without either, opens DuckDB's shell. The tables are
those of the lake on this machine, which are brought up to date first, or with
--tables those in a folder. A lake on AWS is asked in Athena.

duckdb is a program of its own, which is not part of lake: pip install duckdb-cli==1.5.6, or
see https://duckdb.org/install.
` + exitCodes,
		Example: `  lake sql
  lake sql "SELECT type, count(*) FROM messages GROUP BY ALL"
  lake sql --tables tables --csv questions.sql`,
		Args: atMostOne("one query or file"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if o.csv && p.json {
				return usage(cmd, errors.New("--csv and --json are two forms of one answer"))
			}
			query := ""
			if len(arguments) == 1 {
				query = arguments[0]
			}
			return p.sql(cmd.Context(), o, query)
		},
	}
	cmd.Flags().StringVar(&o.folder, "tables", "", "ask the tables in this `folder`, as tables write makes it")
	cmd.Flags().BoolVar(&o.csv, "csv", false, "write CSV")
	p.placeFlags(cmd)
	return cmd
}

// sql runs DuckDB on the tables in a folder.
func (p *program) sql(ctx context.Context, o sqlOptions, query string) error {
	path, err := exec.LookPath("duckdb")
	if err != nil {
		return &hintError{
			err:  errors.New("there is no program duckdb in PATH"),
			hint: "pip install duckdb-cli==1.5.6 gets it; `" + p.name + " tables show FILE` needs none.",
		}
	}
	if o.folder == "" {
		if o.folder, err = p.freshTables(ctx); err != nil {
			return err
		}
	}
	has := func(t *tables.Table) bool {
		found, err := filepath.Glob(filepath.Join(o.folder, t.Name, "*", "*", "*", "*.parquet"))
		return err == nil && len(found) > 0
	}
	if _, err := os.Stat(o.folder); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "lake-sql-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	views := filepath.Join(temporary, "views.sql")
	if err := os.WriteFile(views, []byte(tables.DuckDB(filepath.ToSlash(o.folder), has)), 0o600); err != nil {
		return err
	}
	return p.runDuckDB(ctx, path, query == "", append([]string{"-bail", "-cmd", ".read '" + views + "'"}, p.asking(o, query)...))
}

// freshTables brings the tables of the lake on this machine up to date, and returns their
// folder.
func (p *program) freshTables(ctx context.Context) (string, error) {
	connection, err := p.connection()
	if err != nil {
		return "", err
	}
	bucket, err := connection.Outputs.Get(client.OutputTables)
	if err != nil {
		return "", err
	}
	if connection.Credentials == nil {
		return "", &hintError{
			err:  errors.New("a lake on AWS is asked in Athena"),
			hint: "Or copy what you need: aws s3 sync s3://" + bucket + " FOLDER, and ask with --tables FOLDER.",
		}
	}
	operator, err := p.operator(ctx)
	if err != nil {
		return "", err
	}
	if err := tabulate(ctx, operator); err != nil {
		return "", p.notTabulated(err)
	}
	return filepath.Join(p.access.dir, "s3", bucket), nil
}

// How long sql waits for a run of tabulate that is under way, such as one of `lake up`, and
// how often it tries.
const (
	tabulatePatience = time.Minute
	tabulateRetry    = 200 * time.Millisecond
)

// tabulate brings the tables up to date. A run that is under way may have begun before the
// last messages came, so it is waited for, and another one started.
func tabulate(ctx context.Context, operator *operate.Operator) error {
	for end := time.Now().Add(tabulatePatience); ; {
		_, err := operator.Tabulate(ctx)
		if !errors.Is(err, operate.ErrTabulating) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(tabulateRetry):
		}
	}
}

// asking are DuckDB's arguments for one query, a file of them, or none.
func (p *program) asking(o sqlOptions, query string) []string {
	var arguments []string
	switch {
	case p.json:
		arguments = append(arguments, "-json")
	case o.csv:
		arguments = append(arguments, "-csv")
	}
	switch {
	case strings.HasSuffix(query, ".sql"):
		return append(arguments, "-f", query)
	case query != "":
		return append(arguments, "-c", query)
	}
	return arguments
}

// runDuckDB runs the program. Its answers pass through the screen, which lets no content
// command a terminal; its shell has the terminal for itself.
func (p *program) runDuckDB(ctx context.Context, path string, shell bool, arguments []string) error {
	duckdb := exec.CommandContext(ctx, path, arguments...)
	duckdb.Stdin, duckdb.Stdout, duckdb.Stderr = p.in, p.out, p.err
	if shell && p.out.Live {
		duckdb.Stdout, duckdb.Stderr = os.Stdout, os.Stderr
	}
	err := duckdb.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return errReported // DuckDB said why
	}
	if err != nil {
		return fmt.Errorf("run duckdb: %w", err)
	}
	return nil
}

func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, arguments []string) error {
		if len(arguments) > 1 {
			return usage(cmd, &argumentError{want: what, got: len(arguments)})
		}
		return nil
	}
}
