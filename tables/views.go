package tables

import (
	"fmt"
	"strings"
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

// DuckDB returns SQL for DuckDB that defines a view for each table, over all its files in
// a folder or bucket, and [Current]. If a table has no file there, which has reports, its
// view has the same columns and no rows.
func DuckDB(folder string, has func(t *Table) bool) string {
	var b strings.Builder
	for _, t := range New().All() {
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
	fmt.Fprintf(&b, "CREATE VIEW observations_current AS\n%s;\n", Current())
	return b.String()
}

// duckDB returns the type's name in DuckDB.
func (t Type) duckDB() string {
	return [...]string{Text: "VARCHAR", Integer: "INTEGER", Number: "DOUBLE", Date: "DATE", Timestamp: "TIMESTAMP"}[t]
}

// quoted returns a text as an SQL literal.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

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
