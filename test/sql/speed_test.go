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

// runs is how often a question is asked of the tables. The fastest counts.
const runs = 3

var load = flag.Int("load", 0, "ask the questions of so many messages, and write how long each takes")

// TestHowLongTheQuestionsTake asks the questions of the messages of a feed, in their
// tables and in their JSON. The answers must be the same. It writes a table of the
// processors' time for docs/tables.md, and logs the time that a person waits.
func TestHowLongTheQuestionsTake(t *testing.T) {
	if *load == 0 {
		t.Skip("takes half an hour: -load 100000 -timeout 2h -v")
	}
	duckdb := duckDBProgram(t)
	lake := writeLake(t, feed(*load))
	var out strings.Builder
	fmt.Fprintf(&out, "| | question | JSON, s | tables, s |\n|--:|---|--:|--:|\n")
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
		fmt.Fprintf(&out, "| %d | %s | %.1f | %.2f |\n", i+1, q.ask, inJSON.processors.Seconds(), inTables.processors.Seconds())
		t.Logf("%d: %.1f s in JSON, %.2f s in tables", i+1, inJSON.time.Seconds(), inTables.time.Seconds())
	}
	fmt.Fprintf(&out, "| | **all** | **%.0f** | **%.1f** |\n", all[0].processors.Seconds(), all[1].processors.Seconds())
	t.Logf("all: %.0f s in JSON, %.1f s in tables", all[0].time.Seconds(), all[1].time.Seconds())
	t.Logf("%d messages, %d MB of JSON, %d MB of tables\n%s", *load, size(t, filepath.Join(lake.path, "staging"))>>20,
		size(t, filepath.Join(lake.path, "tables"))>>20, out.String())
}

// size returns the total size of the files in a folder, in bytes.
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
