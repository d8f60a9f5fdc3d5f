package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/tables"
)

// sampleAnswer is what the samples answer to the demo's question.
func sampleAnswer() [][]any {
	return [][]any{
		{"Hemoglobin", 13.2, "g/dL", "12.0-16.0", "N"},
		{"Leukocytes", 11.9, "10*3/uL", "4.0-11.0", "H"},
	}
}

func TestTheDemosQuestionIsAnsweredWithoutDuckDB(t *testing.T) {
	folder := writtenTables(t)
	t.Setenv("PATH", t.TempDir())
	got, err := demoQuestion().ask(t.Context(), folder)
	if err != nil || got.By != "parquet" {
		t.Fatalf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(sampleAnswer(), got.Rows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDuckDBAnswersTheDemosQuestionAsTheFilesDo(t *testing.T) {
	needDuckDB(t)
	folder := writtenTables(t)
	for _, q := range []question{
		demoQuestion(),
		{table: "messages", columns: []string{"control_id", "type", "bytes"}, present: "bytes"},
		{table: "orders", columns: []string{"service_text", "placer_number"}, present: "service_text"},
	} {
		for _, column := range q.columns { // so that the question is one of columns that exist
			if !hasColumn(q.table, column) {
				t.Fatalf("%s has no column %s", q.table, column)
			}
		}
		want, err := readTable(folder, q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.ask(t.Context(), folder)
		if err != nil || got.By != "duckdb" {
			t.Fatalf("%+v, %v", got, err)
		}
		if diff := cmp.Diff(shown(want), shown(got.Rows)); diff != "" || len(want) == 0 {
			t.Errorf("%s: -file +duckdb:\n%s", q.sql(), diff)
		}
	}
}

func TestAMessageThatIsNotInTheTablesIsADifference(t *testing.T) {
	report := scenario.Report{Messages: []scenario.Message{{Name: "lost.hl7", ID: "01a20506-0000-7000-8000-000000000000", History: client.History{}}}}
	if err := checkRoots(writtenTables(t), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Differences) != 1 || !strings.Contains(report.Differences[0], "lost.hl7: 0 rows") {
		t.Error(report.Differences)
	}
}

// shown returns rows as the demo shows them, because an integer of one source is a float
// of the other.
func shown(rows [][]any) (all []string) {
	for _, row := range rows {
		all = append(all, fmt.Sprint(row...))
	}
	slices.Sort(all) // rows with the same first column have no order
	return all
}

// needDuckDB skips the test if there is no program duckdb, unless CI demands it.
func needDuckDB(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("duckdb"); err != nil {
		if slices.Contains(strings.Fields(os.Getenv("JUDGES")), "duckdb-cli") {
			t.Fatal("duckdb must be there")
		}
		t.Skip("no program duckdb: " + duckDBInstall)
	}
}

func hasColumn(table, column string) bool {
	for _, t := range tables.New().All() {
		if t.Name == table {
			return t.Index(column) >= 0
		}
	}
	return false
}
