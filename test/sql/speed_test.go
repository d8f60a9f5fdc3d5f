package sql_test

import (
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// runs is how often a question is asked of the tables. The quickest counts.
const runs = 3

var load = flag.Int("load", 0, "ask the questions of so many messages, and write how long each takes")

// TestHowLongTheQuestionsTake asks the questions of the messages of a feed, in their
// tables and in their JSON. It writes a table for docs/tables.md. The answers must be the
// same.
func TestHowLongTheQuestionsTake(t *testing.T) {
	if *load == 0 {
		t.Skip("takes half an hour: -load 100000 -timeout 2h -v")
	}
	duckdb := duckDBProgram(t)
	lake := writeLake(t, feed(*load))
	var out strings.Builder
	fmt.Fprintf(&out, "| | question | JSON, s | of processors | tables, s | of processors |\n|--:|---|--:|--:|--:|--:|\n")
	var all [2]cost
	for i, q := range questions() {
		fromJSON, inJSON := lake.ask(t, duckdb, lake.json(), q.json)
		inTables := cost{time: time.Hour}
		for range runs {
			fromTables, took := lake.ask(t, duckdb, lake.tables(), q.tables)
			if !slices.Equal(fromJSON, fromTables) {
				t.Errorf("%s the JSON says %v, the tables %v", q.ask, fromJSON, fromTables)
			}
			if took.time < inTables.time {
				inTables = took
			}
		}
		for i, took := range []cost{inJSON, inTables} {
			all[i].time += took.time
			all[i].processors += took.processors
		}
		line := fmt.Sprintf("| %d | %s | %.1f | %.1f | %.2f | %.2f |", i+1, q.ask,
			inJSON.time.Seconds(), inJSON.processors.Seconds(), inTables.time.Seconds(), inTables.processors.Seconds())
		fmt.Fprintln(&out, line)
		t.Log(line)
	}
	fmt.Fprintf(&out, "| | **all** | **%.0f** | **%.0f** | **%.1f** | **%.1f** |\n",
		all[0].time.Seconds(), all[0].processors.Seconds(), all[1].time.Seconds(), all[1].processors.Seconds())
	t.Logf("%d messages, %d MB of JSON, %d MB of tables\n%s", *load, size(t, filepath.Join(lake.path, "staging"))>>20,
		size(t, filepath.Join(lake.path, "tables"))>>20, out.String())
}

// size is how many bytes the files in a folder have.
func size(t *testing.T, folder string) (all int64) {
	t.Helper()
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			all += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
