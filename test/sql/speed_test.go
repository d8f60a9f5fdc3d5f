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
	fmt.Fprintf(&out, "| | question | JSON, s | tables, s |\n|--:|---|--:|--:|\n")
	var total [2]time.Duration
	for i, q := range questions() {
		begin := time.Now()
		fromJSON := lake.ask(t, duckdb, lake.json(), q.json)
		inJSON := time.Since(begin)
		times := make([]time.Duration, 3)
		for run := range times {
			begin := time.Now()
			if fromTables := lake.ask(t, duckdb, lake.tables(), q.tables); !slices.Equal(fromJSON, fromTables) {
				t.Errorf("%s the JSON says %v, the tables %v", q.ask, fromJSON, fromTables)
			}
			times[run] = time.Since(begin)
		}
		slices.Sort(times)
		total[0], total[1] = total[0]+inJSON, total[1]+times[1]
		fmt.Fprintf(&out, "| %d | %s | %.1f | %.2f |\n", i+1, q.ask, inJSON.Seconds(), times[1].Seconds())
		t.Logf("%2d %.1f s %.2f s", i+1, inJSON.Seconds(), times[1].Seconds())
	}
	fmt.Fprintf(&out, "| | **all** | **%.0f** | **%.1f** |\n", total[0].Seconds(), total[1].Seconds())
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
