// Package tables describes the lake's tables and writes them: HL7 v2 messages in, one
// Parquet file a table out, which Athena, DuckDB and Spark query.
//
// The description is data. Each [Table] lists its columns: their type, their place in
// HL7, their meaning and what de-identification does with them. The Parquet schema, the
// Glue columns and docs/tables.md are made from it, and nothing else says what a table
// contains.
//
//	w := tables.NewWriter(files)            // files opens a file for a table when its first row comes
//	err := w.Add(tables.Message{…})         // one message: rows of several tables
//	err := w.Close()
//
// A row's key is root, the id that the sender was told, and seq, the position of the
// row's segment in the message, from 1. Rows of one message refer to each other by seq:
// patient_seq of an observation is the seq of its row in patients.
//
// Numbers, dates and times are kept twice: in a typed column, and as the text that was
// sent. The typed column is NULL if the text cannot be read as that type. A missing value
// is NULL. The value `""`, with which HL7 deletes a value, stays `""`. Texts have their
// character set and escapes decoded.
//
// The same messages in the same order make the same bytes. Time and output are bounded by
// the size of the message: a value of another segment is repeated in a row only if it has
// at most [MaxShared] bytes.
//
// The package knows hl7 and no other package of this module. The caller lists the
// messages and decides where the files go.
package tables
