package tables

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A Reader reads a Parquet file whose columns have the types of package tables. It is for
// tests and for a first look at a table. Questions are better asked in SQL.
type Reader struct {
	// Columns is the names of the columns, in order.
	Columns []string

	file  *parquet.File
	types []func(parquet.Value) any
}

// ErrColumn is the error for a column of a type that no table has, such as a list.
var ErrColumn = errors.New("not a column of a table")

// ErrNotParquet is the error for a file that is not a Parquet file.
var ErrNotParquet = errors.New("not a Parquet file")

// magic is how a Parquet file begins (Apache Parquet, File Format).
const magic = "PAR1"

// NewReader returns a Reader of a file of the given size in bytes. The error wraps
// [ErrNotParquet] or [ErrColumn], or says that the file could not be read.
func NewReader(from io.ReaderAt, size int64) (*Reader, error) {
	var front [len(magic)]byte
	if n, err := from.ReadAt(front[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the table: %w", err)
	} else if string(front[:n]) != magic {
		return nil, ErrNotParquet
	}
	file, err := parquet.OpenFile(from, size)
	if err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	r := &Reader{file: file}
	for _, column := range file.Schema().Fields() {
		convert := converter(column)
		if convert == nil {
			return nil, fmt.Errorf("read the table: %w: %s", ErrColumn, column.Name())
		}
		r.Columns = append(r.Columns, column.Name())
		r.types = append(r.types, convert)
	}
	return r, nil
}

// Len returns the number of rows.
func (r *Reader) Len() int64 { return r.file.NumRows() }

// converter returns a function that converts a value of the column to a Go value, or nil
// for a column of another type. The value must not be NULL.
func converter(column parquet.Field) func(parquet.Value) any {
	if !column.Leaf() || column.Repeated() {
		return nil
	}
	var logical any
	if l := column.Type().LogicalType(); l != nil {
		logical = l.Value
	}
	_, date := logical.(*format.DateType)
	_, timestamp := logical.(*format.TimestampType)
	switch kind := column.Type().Kind(); {
	case kind == parquet.Int32 && date:
		return func(v parquet.Value) any { return time.Unix(int64(v.Int32())*24*60*60, 0).UTC() }
	case kind == parquet.Int32:
		return func(v parquet.Value) any { return int64(v.Int32()) }
	case kind == parquet.Int64 && timestamp:
		return func(v parquet.Value) any { return time.UnixMilli(v.Int64()).UTC() }
	case kind == parquet.Double:
		return func(v parquet.Value) any { return v.Double() }
	case kind == parquet.ByteArray:
		return func(v parquet.Value) any { return string(v.ByteArray()) }
	}
	return nil
}

// Rows returns an iterator over the rows. A row has for each column nil, a string, an
// int64, a float64, or a time.Time in UTC. The slice is reused for the next row. An error
// ends the iteration.
func (r *Reader) Rows() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		row := make([]any, len(r.types))
		for _, group := range r.file.RowGroups() {
			more, err := r.group(group, row, yield)
			if err != nil {
				yield(nil, fmt.Errorf("read the table: %w", err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// group yields the rows of a row group, and reports whether more are wanted.
func (r *Reader) group(group parquet.RowGroup, row []any, yield func([]any, error) bool) (more bool, err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, read := range buffer[:n] {
			for _, v := range read {
				row[v.Column()] = nil
				if !v.IsNull() {
					row[v.Column()] = r.types[v.Column()](v)
				}
			}
			if !yield(row, nil) {
				return false, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
