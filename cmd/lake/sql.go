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
	folder   string // --tables
	csv      bool
	part     part
	from, to string // of the part, as they were given
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
--tables those in a folder.

With --outputs they are those of a deployed lake. The files of the tables that the
query names are copied into a temporary folder, with your AWS credentials, and
removed at the end; --source, --from and --to choose some of them. Athena asks the
same tables where they are.

duckdb is a program of its own, which is not part of lake: ` + duckDBInstall + `, or
see https://duckdb.org/install.
` + exitCodes,
		Example: `  lake sql
  lake sql "SELECT type, count(*) FROM messages GROUP BY ALL"
  lake sql --tables tables --csv questions.sql
  lake sql --outputs outputs.json --from 2026-03-01 "SELECT * FROM visits"`,
		Args: atMostOne("one query or file"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			query := ""
			if len(arguments) == 1 {
				query = arguments[0]
			}
			if err := p.checkSQL(&o); err != nil {
				return usage(cmd, err)
			}
			return p.sql(cmd.Context(), o, query)
		},
	}
	cmd.Flags().StringVar(&o.folder, "tables", "", "ask the tables in this `folder`, as tables write makes it")
	cmd.Flags().BoolVar(&o.csv, "csv", false, "write CSV")
	cmd.Flags().StringVar(&o.part.source, "source", "", "of a deployed lake, ask the tables of this `institution`")
	cmd.Flags().StringVar(&o.from, "from", "", "… of messages accepted from this `time` on, as 2026-03-01 or 2026-03-01T14:00:00Z")
	cmd.Flags().StringVar(&o.to, "to", "", "… and before this `time`, both by whole hours")
	p.placeFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("tables", "outputs")
	return cmd
}

// checkSQL checks the options, and reads the part's times.
func (p *program) checkSQL(o *sqlOptions) (err error) {
	if o.csv && p.json {
		return errors.New("--csv and --json cannot be combined")
	}
	if o.from != "" {
		if o.part.from, err = parseMoment(o.from); err != nil {
			return fmt.Errorf("--from %s: %w", o.from, err)
		}
	}
	if o.to != "" {
		if o.part.to, err = parseMoment(o.to); err != nil {
			return fmt.Errorf("--to %s: %w", o.to, err)
		}
	}
	if o.part.limited() && p.access.outputs == "" {
		return errors.New("--source, --from and --to choose what is copied of a deployed lake: they go with --outputs")
	}
	return nil
}

// sql runs DuckDB on tables.
func (p *program) sql(ctx context.Context, o sqlOptions, query string) (err error) {
	path, err := exec.LookPath("duckdb")
	if err != nil {
		return &hintError{
			err:  errors.New("there is no program duckdb in PATH"),
			hint: duckDBInstall + " gets it; `" + p.name + " tables show FILE` needs none.",
		}
	}
	of := tables.New().All()
	switch {
	case p.access.outputs != "":
		if of, o.folder, err = p.copiedTables(ctx, query, o.part); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.folder)) }()
	case o.folder == "":
		if o.folder, err = p.freshTables(ctx); err != nil {
			return err
		}
	}
	duckdb, err := newDuckDB(path, o.folder, of)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, duckdb.close()) }()
	return p.runDuckDB(duckdb.command(ctx, p.asking(o, query)...), query == "")
}

// isQueryFile reports whether a query is the name of a file of them.
func isQueryFile(query string) bool { return strings.HasSuffix(query, ".sql") }

// freshTables brings the tables of the lake on this machine up to date and returns their
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
	operator, err := p.operator(ctx)
	if err != nil {
		return "", err
	}
	if err := tabulate(ctx, operator); err != nil {
		return "", p.notTabulated(err)
	}
	return filepath.Join(p.access.dir, "s3", bucket), nil
}

// How long sql waits for a run of tabulate that is under way, such as one of `lake up`,
// and how often it tries.
const (
	tabulatePatience = time.Minute
	tabulateRetry    = 200 * time.Millisecond
)

// tabulate brings the tables up to date. A run that is under way may have begun before
// the last messages came, so it is waited for, and another one started.
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
	case isQueryFile(query):
		return append(arguments, "-f", query)
	case query != "":
		return append(arguments, "-c", query)
	}
	return arguments
}

// runDuckDB runs the program. Its answers pass through the screen, which lets no content
// command a terminal; its shell has the terminal for itself.
func (p *program) runDuckDB(duckdb *exec.Cmd, shell bool) error {
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
