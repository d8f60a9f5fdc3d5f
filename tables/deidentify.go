package tables

import (
	"errors"

	"github.com/parquet-go/parquet-go"
)

// Deidentified returns the tables of the de-identified twin, in the order of the
// documents. Each has the name of the table that it is made from, and those of its columns
// whose [Class] is not left out. A column's Doc describes it as it was before. There is no
// table values: its texts may be anything that was sent.
//
// What becomes of a column follows the method of 45 CFR 164.514(b)(2), with two
// exceptions: identifiers become pseudonyms, and dates are shifted
// (docs/decisions/0017-a-de-identified-twin.md).
func Deidentified() []*Table {
	var all []*Table
	to := New()
	for _, t := range to.All() {
		if t != to.Values {
			all = append(all, newTwinTable(to, t, nil).table)
		}
	}
	return all
}

// A twin writes the rows of a Writer once more, without what identifies a person.
type twin struct {
	files  Files
	names  *pseudonyms
	order  []*twinTable
	tables map[*Table]*twinTable // by the tables whose rows they have
}

// A twinTable writes the de-identified rows of one table.
type twinTable struct {
	*tableWriter
	from       []int       // of each column, the one of the other table that it is made of
	treatments []treatment // of each column
	state      int         // the other table's column of the state in an address, -1 if it has none
	ages       *ages       // nil of all tables but observations
}

func newTwin(to Tables, key []byte, files Files) *twin {
	d := &twin{files: files, names: newPseudonyms(key), tables: map[*Table]*twinTable{}}
	codec := newCodec()
	for _, t := range to.All() {
		if t == to.Values {
			continue
		}
		made := newTwinTable(to, t, &tableWriter{codec: codec})
		d.order, d.tables[t] = append(d.order, made), made
	}
	return d
}

// newTwinTable returns the twin of a table, with a writer of its rows.
func newTwinTable(to Tables, t *Table, w *tableWriter) *twinTable {
	if w == nil {
		w = &tableWriter{}
	}
	w.table = &Table{Name: t.Name, Doc: t.Doc, Key: t.Key}
	made := &twinTable{tableWriter: w, state: t.Index("state")}
	for i, c := range t.Columns {
		if how := treat(c); how != nil {
			w.table.Columns = append(w.table.Columns, c)
			made.from, made.treatments = append(made.from, i), append(made.treatments, how)
		}
	}
	if t == to.Observations {
		made.ages = newAges(t, w.table)
	}
	return made
}

// add adds the row that w has made last, about a segment of the slot own.
func (d *twin) add(t *Table, x *extractor, own slot, w *tableWriter) error {
	into := d.tables[t]
	if into == nil {
		return nil
	}
	if err := into.room(d.files); err != nil {
		return err
	}
	r := twinRow{names: d.names, received: x.received.Int64(), shift: d.names.shift(whose(x, own))}
	if into.state >= 0 {
		r.state = w.cells[into.state][w.n].ByteArray()
	}
	for i, from := range into.from {
		if v := w.cells[from][w.n]; !v.IsNull() {
			v = into.treatments[i](v, &r)
			into.cells[i][into.n] = v
			if v.Kind() == parquet.ByteArray {
				into.bytes += len(v.ByteArray())
			}
		}
	}
	if into.ages != nil {
		into.ages.cap(w, into.tableWriter, &r)
	}
	into.n++
	return nil
}

// whose returns what decides by how many days a row's dates are moved: the patient's first
// identifier, which is in the column patient_id, or the message's id if the row has no
// patient. A row of the table messages belongs to the message's first patient.
func whose(x *extractor, own slot) (kind string, id []byte) {
	i := x.current[pid]
	if own == msh {
		i = x.ahead(-1, pid)
	}
	if i >= 0 {
		at := x.scan.segments[i]
		for _, field := range []int32{3, 2} {
			if id := x.scan.get(at, field, 1, 1); id != nil {
				if string(id) == deleted {
					break
				}
				return "patient", id
			}
		}
	}
	return "message", x.root.ByteArray()
}

// open opens the file of a table, as [Writer.Open] does.
func (d *twin) open(name string) error {
	for _, t := range d.order {
		if t.table.Name == name && t.file == nil {
			return t.open(d.files)
		}
	}
	return nil
}

// close writes the remaining rows, if all went well so far, and closes the files.
func (d *twin) close(well bool) error {
	var err error
	for _, t := range d.order {
		err = errors.Join(err, t.close(well))
	}
	return err
}
