// Package tables describes the lake's tables and writes them: HL7 v2 messages in, one Parquet file a table out, which
// Athena, DuckDB and Spark query.
//
// The description is data. Each [Table] lists its columns with their type, the place in HL7 that they come from, what they
// mean and what de-identification does with them. The Parquet schema, the Glue columns and docs/tables.md are made from it,
// and nothing else says what a table holds.
//
//	w := tables.NewWriter(files)            // files opens a file for a table when its first row comes
//	err := w.Add(tables.Message{…})         // one message: rows of several tables
//	err := w.Close()
//
// A row is found by its key: root, the id that the sender was told, and seq, the position of its segment in the message,
// from 1. Rows of one message refer to each other by seq: patient_seq of an observation is the seq of its row in patients.
//
// What a message says is kept beside what it means. A number, a date, a time has a typed column, which is NULL where the text
// is none, and the text as it was sent. Absent is NULL; `""`, with which HL7 deletes a value, stays `""`. Texts are decoded:
// character set and escapes.
//
// The same messages in the same order make the same bytes. The time and the size of what a message becomes are bounded by
// its size: a column of another segment than the row's own holds at most [MaxShared] bytes.
//
// The package knows hl7 and no other package of this module. Who lists the messages and where the files go is the caller's
// business.
package tables
