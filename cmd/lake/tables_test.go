package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writtenTables writes the samples as tables and returns the folder.
func writtenTables(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "it's tables")
	if got := call(t, nil, "", "tables", "write", "samples/messages", "--out", folder); got.Status != statusDone {
		t.Fatalf("%+v", got)
	}
	return folder
}

func TestTablesWriteMakesAFileForEachTableThatHasARow(t *testing.T) {
	folder := writtenTables(t)
	for _, table := range []string{"messages", "patients", "observations", "immunizations", "appointments", "values"} {
		files, err := filepath.Glob(filepath.Join(folder, table, "source=files", "date=*", "hour=*", "all.parquet"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s has the files %v, want one", table, files)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(folder, "patient_links")); len(files) > 0 {
		t.Error("a table without a row has a file")
	}
}

func TestTablesShowWritesRowsWithoutAnotherProgram(t *testing.T) {
	folder := writtenTables(t)
	files, err := filepath.Glob(filepath.Join(folder, "observations", "*", "*", "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	got := call(t, nil, "", "tables", "show", "-n", "1", files[0])
	if got.Status != statusDone || !strings.Contains(got.Out, "observation_code") || !strings.Contains(got.Err, "rows more") {
		t.Errorf("%+v", got)
	}
	got = call(t, nil, "", "tables", "show", "--json", "-n", "1", files[0])
	var row map[string]any
	if err := json.Unmarshal([]byte(got.Out), &row); err != nil || row["value_type"] == nil {
		t.Errorf("%v: %+v", err, got)
	}
	if got := call(t, nil, "", "tables", "show", "samples/not-hl7.txt"); got.Status != statusUnusable {
		t.Errorf("what is no Parquet file: %+v", got)
	}
}

func TestSQLSaysHowToGetDuckDB(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	got := call(t, nil, "", "sql", "--tables", t.TempDir(), "SELECT 1")
	if got.Status != statusUnusable || !strings.Contains(got.Err, "no program duckdb") || !strings.Contains(got.Err, "pip install duckdb-cli") {
		t.Errorf("%+v", got)
	}
}

// TestSQLAnswersFromTheTables runs the user's duckdb, if there is one.
func TestSQLAnswersFromTheTables(t *testing.T) {
	needDuckDB(t)
	folder := writtenTables(t)
	questions := filepath.Join(t.TempDir(), "questions.sql")
	if err := os.WriteFile(questions, []byte("SELECT count(*) AS n FROM patient_links;\nSELECT count(DISTINCT seq) > 0 AS some FROM observations_current;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		arguments []string
		input     string
		status    int
		want      string // on standard output
	}{
		{"a table", []string{"--json", "SELECT count(*) AS n, count(DISTINCT source) AS sources FROM messages"}, "", statusDone, `[{"n":15,"sources":1}]` + "\n"},
		{"CSV", []string{"--csv", "SELECT typeof(received_at) AS t, typeof(hour) AS h FROM messages LIMIT 1"}, "", statusDone, "t,h\nTIMESTAMP,INTEGER\n"},
		{"a file, of a table without rows and the view", []string{"--csv", questions}, "", statusDone, "n\n0\nsome\ntrue\n"},
		{"standard input", []string{"--csv"}, "SELECT count(*) AS n FROM allergies WHERE false;", statusDone, "n\n0\n"},
		{"no such table", []string{"SELECT * FROM nothing"}, "", statusRefused, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, nil, test.input, append([]string{"sql", "--tables", folder}, test.arguments...)...)
			if got.Status != test.status || got.Out != test.want {
				t.Errorf("%+v, want %q", got, test.want)
			}
		})
	}
}
