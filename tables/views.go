package tables

import (
	"fmt"
	"strings"
	"time"
)

// The partitions of a table's files, in the order of the folders:
// <table>/source=<institution>/date=<YYYY-MM-DD>/hour=<HH>/. Date and hour are those of
// acceptance, in UTC.
const (
	PartitionSource = "source"
	PartitionDate   = "date"
	PartitionHour   = "hour"
)

// FileName is the name of the only file in a table's partition.
const FileName = "all.parquet"

// Key returns the key of a table's file for an hour. The date has the form 2026-03-14.
func Key(table, source, date string, hour int) string {
	return fmt.Sprintf("%s/source=%s/date=%s/hour=%02d/%s", table, source, date, hour, FileName)
}

// A Partition is what [Key] makes a key of.
type Partition struct {
	Table, Source string
	Hour          time.Time // its start, in UTC
}

// ParseKey reads a key as [Key] makes it. It reports false for any other.
func ParseKey(key string) (Partition, bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 5 || parts[4] != FileName {
		return Partition{}, false
	}
	source, hasSource := strings.CutPrefix(parts[1], PartitionSource+"=")
	hour, err := time.Parse(PartitionDate+"=2006-01-02/"+PartitionHour+"=15", parts[2]+"/"+parts[3])
	return Partition{parts[0], source, hour}, hasSource && err == nil
}

// DuckDB returns SQL for DuckDB that defines a view for each of some tables, over all its
// files in a folder or bucket, and [Current] if observations is one of them. If a table
// has no file there, which has reports, its view has the same columns and no rows.
func DuckDB(folder string, of []*Table, has func(t *Table) bool) string {
	var b strings.Builder
	observations := false
	for _, t := range of {
		observations = observations || t.Name == New().Observations.Name
		if has(t) {
			fmt.Fprintf(&b, "CREATE VIEW \"%s\" AS FROM read_parquet(%s, union_by_name = true, hive_partitioning = true,\n"+
				"  hive_types = {'source': VARCHAR, 'date': DATE, 'hour': INTEGER});\n",
				t.Name, quoted(strings.TrimSuffix(folder, "/")+"/"+t.Name+"/*/*/*/*.parquet"))
			continue
		}
		fmt.Fprintf(&b, "CREATE VIEW \"%s\" AS SELECT ", t.Name)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "NULL::%s AS \"%s\", ", c.Type.duckDB(), c.Name)
		}
		b.WriteString("NULL::VARCHAR AS source, NULL::DATE AS date, NULL::INTEGER AS hour WHERE false;\n")
	}
	if observations {
		fmt.Fprintf(&b, "CREATE VIEW %s AS\n%s;\n", CurrentName, Current())
	}
	return b.String()
}

// duckDB returns the type's name in DuckDB.
func (t Type) duckDB() string {
	return [...]string{Text: "VARCHAR", Integer: "INTEGER", Number: "DOUBLE", Date: "DATE", Timestamp: "TIMESTAMP"}[t]
}

// quoted returns a text as an SQL literal.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// CurrentName is the name of the view that [Current] is the query of.
const CurrentName = "observations_current"

// Current is the query of the view observations_current, in SQL that Athena and DuckDB
// share. It selects, for each result, the rows of the message that came last. Two rows
// are about the same result if order, observation, sub-id and patient are equal. Results
// without an order number are never the same in two messages.
func Current() string { return current("") }

// CurrentOf returns [Current] for one institution. Athena's tables need a condition on
// it.
func CurrentOf(source string) string { return current("\n  WHERE source = " + quoted(source)) }

func current(of string) string {
	return `SELECT * FROM (
  SELECT *, rank() OVER (
    PARTITION BY source, patient_id, coalesce(filler_number, placer_number, root), observation_code, sub_id
    ORDER BY received_at DESC, root DESC) AS age
  FROM observations` + of + `) AS ranked
WHERE age = 1`
}
