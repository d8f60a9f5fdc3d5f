package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/operate"
	"hl7lake/tables"
)

// A question asks one table for some columns of the rows in which one of them is not
// NULL. It is plain enough to be answered without DuckDB too.
type question struct {
	table   string
	columns []string // the rows are in the order of the first
	present string   // the column that is not NULL
}

// demoQuestion asks for the numbers among the results.
func demoQuestion() question {
	return question{
		table:   "observations",
		columns: []string{"observation_text", "value_number", "unit", "reference_range", "abnormal_flags"},
		present: "value_number",
	}
}

func (q question) sql() string {
	return fmt.Sprintf("SELECT %s\nFROM %s WHERE %s IS NOT NULL ORDER BY %s",
		strings.Join(q.columns, ", "), q.table, q.present, q.columns[0])
}

// An answer is a question in SQL with its rows.
type answer struct {
	Query string `json:"query"`
	// By is duckdb, or parquet if the program itself read the files.
	By      string   `json:"by"`
	Columns []string `json:"columns"`
	// Rows have for each column nil, a string or a number.
	Rows [][]any `json:"rows"`
}

// askDemo brings the tables of the demo's lake up to date and asks them. A message that
// they lack is a difference in the report.
func (p *program) askDemo(ctx context.Context, connection client.Connection, dir string, report *scenario.Report) (answer, error) {
	operator, err := operate.New(connection, aws.Config{})
	if err != nil {
		return answer{}, err
	}
	if err := tabulate(ctx, operator); err != nil {
		return answer{}, p.notTabulated(err)
	}
	bucket, err := connection.Outputs.Get(client.OutputTables)
	if err != nil {
		return answer{}, err
	}
	folder := filepath.Join(dir, "s3", bucket)
	if err := checkRoots(folder, report); err != nil {
		return answer{}, err
	}
	return demoQuestion().ask(ctx, folder)
}

// checkRoots compares the table of messages with what was accepted.
func checkRoots(folder string, report *scenario.Report) error {
	rows, err := readTable(folder, question{table: "messages", columns: []string{"root"}, present: "root"})
	if err != nil {
		return err
	}
	for _, m := range report.Messages {
		n := 0
		for _, row := range rows {
			if row[0] == m.ID {
				n++
			}
		}
		if n != 1 {
			report.Differences = append(report.Differences, fmt.Sprintf("%s: %d rows in the table messages, not 1", m.Name, n))
		}
	}
	return nil
}

// ask answers the question from the tables in a folder, with DuckDB if there is one.
func (q question) ask(ctx context.Context, folder string) (answer, error) {
	a := answer{Query: strings.ReplaceAll(q.sql(), "\n", " "), Columns: q.columns}
	path, err := exec.LookPath("duckdb")
	if err != nil {
		a.By = "parquet"
		a.Rows, err = readTable(folder, q)
		return a, err
	}
	a.By = "duckdb"
	a.Rows, err = q.askDuckDB(ctx, path, folder)
	return a, err
}

// askDuckDB answers the question with DuckDB, without the user's own settings of it.
func (q question) askDuckDB(ctx context.Context, path, folder string) ([][]any, error) {
	duckdb, err := newDuckDB(path, folder, tables.New().All())
	if err != nil {
		return nil, err
	}
	defer duckdb.close()
	command := duckdb.command(ctx, "-no-init", "-json", "-c", q.sql())
	var said bytes.Buffer
	command.Stderr = &said
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("run duckdb: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	var objects []map[string]any
	if err := json.Unmarshal(output, &objects); err != nil {
		return nil, fmt.Errorf("read the answer of duckdb: %w", err)
	}
	rows := make([][]any, len(objects))
	for i, object := range objects {
		for _, column := range q.columns {
			rows[i] = append(rows[i], object[column])
		}
	}
	return rows, nil
}

// readTable answers a question from the Parquet files themselves.
func readTable(folder string, q question) ([][]any, error) {
	files, err := tableFiles(folder, q.table)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		r, err := tables.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return nil, readError(name, err)
		}
		present := slices.Index(r.Columns, q.present)
		for row, err := range r.Rows() {
			if err != nil {
				return nil, readError(name, err)
			}
			if row[present] == nil {
				continue
			}
			picked := make([]any, len(q.columns))
			for i, column := range q.columns {
				picked[i] = row[slices.Index(r.Columns, column)]
			}
			rows = append(rows, picked)
		}
	}
	slices.SortStableFunc(rows, func(a, b []any) int { return strings.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])) })
	return rows, nil
}

// writeAnswer shows the question and the answer.
func writeAnswer(s term.Screen, a answer) error {
	fmt.Fprintf(s, "\n%s\n\n", s.Styled(term.Bold, "And in SQL? One of the tables that the lake makes of its messages:"))
	for line := range strings.Lines(demoQuestion().sql()) {
		fmt.Fprintf(s, "  %s\n", s.Styled(term.Dim, strings.TrimSuffix(line, "\n")))
	}
	fmt.Fprintln(s)
	titles := slices.Clone(a.Columns)
	for i, column := range titles {
		if column == "value_number" {
			titles[i] = ">" + column
		}
	}
	table := term.NewTable(titles...)
	for _, row := range a.Rows {
		cells := make([]term.Cell, len(row))
		for i, v := range row {
			if v != nil {
				cells[i] = term.Text(fmt.Sprint(v))
			}
		}
		table.Row(cells...)
	}
	if err := table.Write(s); err != nil {
		return err
	}
	if a.By != "duckdb" {
		fmt.Fprintf(s, "\n%s\n", term.Paragraph("There is no duckdb in PATH, so the demo read the Parquet files itself. "+
			"`lake sql` answers any SQL with it: "+duckDBInstall))
	}
	return nil
}
