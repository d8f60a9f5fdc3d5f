package tables

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// A Message is one message of the lake, as it was sent.
type Message struct {
	Root     string    // the id that the sender was told
	Received time.Time // when it was accepted
	Body     []byte    // the ER7; it is neither changed nor kept
	Charset  string    // the character set that the sender declared beside the message, if any
	ReadIn   string    // the character set that an operator set, if any
}

// Files opens the file of a table. It is called for the table's first row. A table
// without rows gets no file.
type Files func(t *Table) (io.WriteCloser, error)

// A Writer writes the rows of messages, to one Parquet file for each table. Its memory
// does not grow with the number of messages. It is not safe for concurrent use.
type Writer struct {
	x      extractor
	files  Files
	tables map[*Table]*tableWriter
	values *tableWriter
	twin   *twin // nil if the rows are not de-identified too
	serial int   // of the message
	err    error
}

// NewWriter returns a Writer that writes to the given files.
func NewWriter(files Files) *Writer {
	w := &Writer{files: files, tables: map[*Table]*tableWriter{}}
	w.x.to = New()
	w.x.scan.bySlot = slotsByName()
	w.x.emit = w.emit
	codec := newCodec()
	for _, t := range w.x.to.All() {
		w.tables[t] = &tableWriter{table: t, codec: codec}
	}
	w.values = w.tables[w.x.to.Values]
	return w
}

// Add writes the rows of a message. A message that cannot be read has only a row in
// messages, which says why. An error is one of writing a file. After an error the Writer
// cannot be used, but Close must still be called.
func (w *Writer) Add(m Message) error {
	if w.err != nil {
		return w.err
	}
	w.serial++
	w.x.read(m)
	w.x.rows()
	w.writeValues()
	return w.err
}

// Deidentify has the rows of all messages that follow also written de-identified, to
// files of their own: those of the tables that [Deidentified] describes. The key, of at
// least 32 bytes, must be secret. The same key makes the same pseudonyms. Close closes
// these files too.
func (w *Writer) Deidentify(key []byte, files Files) { w.twin = newTwin(w.x.to, key, files) }

// Open opens the file of a table even if no row comes. If no table has that name, it does
// nothing.
func (w *Writer) Open(name string) error {
	for _, t := range w.x.to.All() {
		if t.Name == name && w.err == nil && w.tables[t].file == nil {
			w.err = w.tables[t].open(w.files)
		}
	}
	return w.err
}

// OpenDeidentified is Open for the files of [Writer.Deidentify].
func (w *Writer) OpenDeidentified(name string) error {
	if w.twin != nil && w.err == nil {
		w.err = w.twin.open(name)
	}
	return w.err
}

// Close writes the remaining rows and closes the files. It returns the first error.
func (w *Writer) Close() error {
	for _, t := range w.x.to.All() {
		w.err = errors.Join(w.err, w.tables[t].close(w.err == nil))
	}
	if w.twin != nil {
		w.err = errors.Join(w.err, w.twin.close(w.err == nil))
	}
	return w.err
}

// emit makes a row.
func (w *Writer) emit(t *Table, own slot, repetition int32) {
	into := w.tables[t]
	if !w.room(into) {
		return
	}
	r := row{extractor: &w.x, own: own, repetition: repetition, into: into}
	for i := range t.fields {
		f := &t.fields[i]
		if into.repeats(f, own, w.serial, &w.x) {
			for column := f.first; column < f.first+len(f.columns); column++ {
				into.cells[column][into.n] = into.cells[column][into.n-1]
			}
			continue
		}
		f.fill(&r, f.first)
	}
	if w.twin != nil {
		if w.err = w.twin.add(t, &w.x, own, into); w.err != nil {
			return
		}
	}
	into.last, into.lastSerial, into.lastOwn = w.x.current, w.serial, own
	into.n++
}

// writeValues makes the rows of the table values.
func (w *Writer) writeValues() {
	into := w.values
	for i := range w.x.scan.segments {
		at := &w.x.scan.segments[i]
		seq, name := required(int32(i)+1), parquet.Value{}
		if isSegmentName(at.name) {
			name = textValue([]byte(at.name))
		}
		if name.IsNull() || at.first == at.last {
			about := value{}
			if name.IsNull() {
				about.cell = textValue([]byte(at.name))
			}
			w.addValue(into, seq, name, &about)
		}
		for j := at.first; j < at.last; j++ {
			w.addValue(into, seq, name, &w.x.scan.values[j])
		}
	}
}

func (w *Writer) addValue(into *tableWriter, seq, name parquet.Value, v *value) {
	if !w.room(into) {
		return
	}
	n := into.n
	into.cells[0][n], into.cells[1][n], into.cells[2][n] = w.x.root, seq, name
	into.cells[3][n], into.cells[4][n] = required(v.field), required(v.repetition)
	into.cells[5][n], into.cells[6][n] = required(v.component), required(v.subcomponent)
	into.cells[7][n] = v.cell
	into.bytes += len(v.text())
	into.n++
}

// room makes room for another row. It reports false after an error.
func (w *Writer) room(into *tableWriter) bool {
	if w.err == nil {
		w.err = into.room(w.files)
	}
	return w.err == nil
}

// batch is how many rows are collected before they are written to their columns.
const batch = 512

// A row group ends at a number of rows, or at a number of bytes of their texts. Readers
// skip or read whole row groups, and a writer has one in memory.
const (
	groupRows  = 1 << 17
	groupBytes = 32 << 20
)

// A tableWriter writes the rows of one table.
type tableWriter struct {
	table   *Table
	codec   *zstd.Codec
	file    io.WriteCloser
	parquet *parquet.GenericWriter[any]
	columns []*parquet.ColumnWriter

	cells [][]parquet.Value // by column, then row
	n     int               // rows in cells
	rows  int               // of the row group, without those in cells
	bytes int               // of texts in the row group

	last       [slots]int32 // the segments in effect for the last row
	lastSerial int          // its message
	lastOwn    slot
}

// repeats reports whether a field has the same values as in the last row: all its
// segments are still in effect, and none is the row's own segment.
func (w *tableWriter) repeats(f *field, own slot, serial int, x *extractor) bool {
	if w.n == 0 || w.lastSerial != serial || w.lastOwn != own || len(f.slots) == 0 {
		return false
	}
	for _, s := range f.slots {
		if s == own || w.last[s] != x.current[s] {
			return false
		}
	}
	return true
}

// room makes room for another row, and opens the file for the first one.
func (w *tableWriter) room(files Files) error {
	if w.file == nil {
		return w.open(files)
	}
	if w.n == batch {
		return w.flush()
	}
	return nil
}

func (w *tableWriter) open(files Files) error {
	file, err := files(w.table)
	if err != nil {
		return fmt.Errorf("open the file of %s: %w", w.table.Name, err)
	}
	w.file = file
	w.parquet = parquet.NewGenericWriter[any](file, options(w.table, w.codec)...)
	w.columns = w.parquet.ColumnWriters()
	w.cells = make([][]parquet.Value, len(w.table.Columns))
	all := make([]parquet.Value, batch*len(w.cells))
	for i := range w.cells {
		w.cells[i] = all[i*batch : (i+1)*batch : (i+1)*batch]
	}
	return nil
}

// flush writes the rows to their columns, and ends the row group if it is large enough.
func (w *tableWriter) flush() error {
	for i, column := range w.columns {
		cells := w.cells[i][:w.n]
		if _, err := column.WriteRowValues(cells); err != nil {
			return fmt.Errorf("write %s: %w", w.table.Name, err)
		}
		clear(cells)
	}
	w.rows += w.n
	w.n = 0
	if w.rows < groupRows && w.bytes < groupBytes {
		return nil
	}
	w.rows, w.bytes = 0, 0
	if err := w.parquet.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", w.table.Name, err)
	}
	return nil
}

// close writes the remaining rows, unless there was an error, and closes the file.
func (w *tableWriter) close(well bool) error {
	if w.file == nil {
		return nil
	}
	var err error
	if well {
		if err = w.flush(); err == nil {
			err = w.parquet.Close()
		}
	}
	return errors.Join(err, w.file.Close())
}
