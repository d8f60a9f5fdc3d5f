package tables_test

import (
	"strings"
	"testing"
	"time"

	"hl7lake/tables"
)

func TestAKeyIsReadAsItIsMade(t *testing.T) {
	want := tables.Partition{Table: "visits", Source: "st-elsewhere", Hour: time.Date(2026, 3, 14, 7, 0, 0, 0, time.UTC)}
	got, ok := tables.ParseKey(tables.Key("visits", "st-elsewhere", "2026-03-14", 7))
	if !ok || got != want {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, key := range []string{
		"", "visits/all.parquet", "visits/source=a/date=2026-03-14/hour=07/other.parquet", "visits/source=a/date=2026-03-14/hour=24/all.parquet",
		"visits/source=a/date=2026-02-30/hour=07/all.parquet", "visits/a/date=2026-03-14/hour=07/all.parquet", "x/visits/source=a/date=2026-03-14/hour=07/all.parquet",
	} {
		if got, ok := tables.ParseKey(key); ok {
			t.Errorf("%s is read as %+v", key, got)
		}
	}
}

func TestAViewIsDefinedForEachTableThatIsAskedForOnly(t *testing.T) {
	all := tables.New()
	none := func(*tables.Table) bool { return false }
	got := tables.DuckDB("folder", []*tables.Table{all.Visits}, none)
	if strings.Count(got, "CREATE VIEW") != 1 || !strings.Contains(got, `CREATE VIEW "visits"`) {
		t.Error(got)
	}
	got = tables.DuckDB("folder", []*tables.Table{all.Observations}, none)
	if strings.Count(got, "CREATE VIEW") != 2 || !strings.Contains(got, "CREATE VIEW "+tables.CurrentName) {
		t.Error(got)
	}
}
