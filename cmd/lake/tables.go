package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
	"hl7lake/tables"
)

func (p *program) tablesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tables",
		Short: "Messages as tables for SQL: write, show, rebuild",
		Long: `tables writes messages as Parquet files, one a table, which sql and any tool that
reads Parquet take. A lake writes its own, each hour. docs/tables.md describes the
tables and their columns.
` + exitCodes,
		Example: `  lake tables write --out tables export/
  lake tables show tables/messages/source=files/*/*/all.parquet`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.tablesWriteCommand(), p.tablesShowCommand(), p.tablesRebuildCommand())
	return cmd
}

func (p *program) tablesWriteCommand() *cobra.Command {
	var out, source string
	cmd := &cobra.Command{
		Use:   "write FILE|FOLDER|-… --out FOLDER",
		Short: "Write messages of files as tables, without a lake",
		Long: `write reads messages as parse does, from files, folders and standard input, and
writes a Parquet file for each table that has a row. A message's root is made of
its content, and its time of acceptance is that of the run. What cannot be read has
a row in messages, with the reason.
` + exitCodes,
		Example: `  lake tables write --out tables export/
  lake sql --tables tables "SELECT type, count(*) FROM messages GROUP BY type"`,
		Args: atLeastOne("a file to read"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if out == "" {
				return usage(cmd, errors.New("--out names the folder to write to"))
			}
			return p.writeTables(cmd.Context(), arguments, out, source)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write to this `folder`")
	cmd.Flags().StringVar(&source, "source", "files", "who sent them, the `name` of the first partition")
	return cmd
}

// writeTables writes the messages of files as the tables of one hour: that of the run.
func (p *program) writeTables(ctx context.Context, names []string, folder, source string) error {
	now := time.Now().UTC()
	w := tables.NewWriter(func(t *tables.Table) (io.WriteCloser, error) {
		path := filepath.Join(folder, filepath.FromSlash(tables.Key(t.Name, source, now.Format(time.DateOnly), now.Hour())))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		return os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	})
	count := 0
	err := p.eachMessage(ctx, names, func(body []byte) error {
		count++
		sum := sha256.Sum256(body)
		return w.Add(tables.Message{Root: uuid.NewSHA1(uuid.NameSpaceOID, sum[:]).String(), Received: now, Body: body})
	})
	if closing := w.Close(); err == nil { // Close repeats an error of Add
		err = closing
	}
	if err != nil {
		return err
	}
	p.note(fmt.Sprintf("%d messages; `%s sql --tables %s` asks them", count, p.name, quote(folder)))
	if count == 0 {
		return errReported
	}
	return nil
}

// eachMessage calls do with each message of files, and tells what is in none.
func (p *program) eachMessage(ctx context.Context, names []string, do func(body []byte) error) error {
	for file := range walk(names) {
		if file.err != nil {
			return file.err
		}
		for from := range p.contents(file, func(int64) {}) {
			if from.err != nil {
				return from.err
			}
			reader := hl7.NewReader(from.input)
			reader.Tell = func(n hl7.Notice) {
				if n.Reason == hl7.Outside {
					p.note(place(from.name, n))
				}
			}
			if err := eachPart(ctx, from.name, reader, do); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachPart calls do with each message of one file.
func eachPart(ctx context.Context, name string, reader *hl7.Reader, do func(body []byte) error) error {
	for ctx.Err() == nil {
		part, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return readError(name, err)
		}
		if part.Kind != hl7.Single {
			continue
		}
		if err := do(part.Data); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func (p *program) tablesShowCommand() *cobra.Command {
	var rows int
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show the rows of a table's Parquet file",
		Long: `show writes the first rows of a Parquet file that tables wrote, a line a value that
is not NULL; with --json an object a row. It needs no other program; questions are
better asked with sql.
` + exitCodes,
		Example: `  lake tables show -n 3 tables/observations/source=files/*/*/all.parquet`,
		Args:    exactly(1, "a Parquet file"),
		RunE: func(_ *cobra.Command, arguments []string) error {
			return p.showTable(arguments[0], rows)
		},
	}
	cmd.Flags().IntVarP(&rows, "rows", "n", 10, "at most so many rows")
	return cmd
}

func (p *program) showTable(name string, most int) error {
	file, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	r, err := tables.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return readError(name, err)
	}
	shown := 0
	for row, err := range r.Rows() {
		if err != nil {
			return readError(name, err)
		}
		if shown == most {
			break
		}
		shown++
		if err := p.showRow(r.Columns, row, shown); err != nil {
			return err
		}
	}
	if more := r.Len() - int64(shown); more > 0 && !p.json {
		p.note(fmt.Sprintf("and %d rows more", more))
	}
	return nil
}

// showRow writes a row: as an object, or a line for each of its values.
func (p *program) showRow(columns []string, row []any, number int) error {
	if p.json {
		object := map[string]any{}
		for i, v := range row {
			object[columns[i]] = v
		}
		return p.object(object)
	}
	fmt.Fprintf(p.out, "%s\n", p.out.Styled(term.Bold, "row "+strconv.Itoa(number)))
	for i, v := range row {
		if v == nil {
			continue
		}
		if at, ok := v.(time.Time); ok {
			v = at.Format("2006-01-02 15:04:05.999")
		}
		if _, err := fmt.Fprintf(p.out, "  %s%s\n", p.out.Styled(term.Dim, fmt.Sprintf("%-32s", columns[i])), term.OnOneLine(fmt.Sprint(v))); err != nil {
			return err
		}
	}
	return nil
}
