package tables_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/tables"
)

var update = flag.Bool("update", false, "write the golden files anew")

// root is the id of the only message of a test.
const root = "01a20506-0000-7000-8000-000000000001"

// received is when it was accepted.
var received = time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)

// memory keeps the files of tables.
type memory map[string]*bytes.Buffer

func (m memory) open(t *tables.Table) (io.WriteCloser, error) {
	m[t.Name] = new(bytes.Buffer)
	return closer{m[t.Name]}, nil
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }

// written returns the tables of messages.
func written(t testing.TB, messages ...tables.Message) memory {
	t.Helper()
	files := memory{}
	write(t, tables.NewWriter(files.open), messages)
	return files
}

// write writes messages and closes the writer.
func write(t testing.TB, w *tables.Writer, messages []tables.Message) {
	t.Helper()
	for _, m := range messages {
		if err := w.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// rows calls yield with each row of a table.
func (m memory) rows(t testing.TB, table string, yield func(r *tables.Reader, row []any)) {
	t.Helper()
	file := m[table]
	if file == nil {
		return
	}
	r, err := tables.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range r.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		yield(r, row)
	}
}

// text writes the rows of all tables. For each row it writes the columns that are not
// NULL, except root and received_at, which are the same for all rows.
func (m memory) text(t testing.TB, with func(table string) bool) string {
	t.Helper()
	var b strings.Builder
	for _, table := range tables.New().All() {
		if !with(table.Name) {
			continue
		}
		m.rows(t, table.Name, func(r *tables.Reader, row []any) {
			fmt.Fprintf(&b, "%s\n", table.Name)
			for i, v := range row {
				if v == nil || r.Columns[i] == "root" || r.Columns[i] == "received_at" {
					continue
				}
				if at, ok := v.(time.Time); ok {
					v = at.Format("2006-01-02T15:04:05.999Z07:00")
				}
				fmt.Fprintf(&b, "\t%s\t%q\n", r.Columns[i], fmt.Sprint(v))
			}
		})
	}
	return b.String()
}

func TestMessagesBecomeTheRowsOfTheirGoldenFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hl7")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".hl7")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			message := tables.Message{Root: root, Received: received, Body: body}
			got := written(t, message).text(t, func(table string) bool { return table != "values" || strings.Contains(name, "oddities") })
			golden := strings.TrimSuffix(file, ".hl7") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
