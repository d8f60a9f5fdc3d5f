package tables

import (
	"bytes"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// MaxShared is the largest value of another segment, in bytes, that a row repeats.
// Otherwise a hundred thousand results could each repeat a long text of their order. A
// longer value is NULL there. It is still in the row of its own segment and in the table
// values.
const MaxShared = 256

// A row is a row while it is made. Its cells are NULL until they are set.
type row struct {
	*extractor
	own        slot  // of the segment that the row is about
	repetition int32 // of the field that the row is about, if any
	into       *tableWriter
}

func (r *row) set(column int, v parquet.Value) { r.into.cells[column][r.into.n] = v }

// text sets a column, unless the text is nil.
func (r *row) text(column int, text []byte) {
	if text != nil {
		r.set(column, textValue(text))
		r.into.bytes += len(text)
	}
}

// value sets a column to a value of a segment, unless there is none or it is too long to
// be repeated.
func (r *row) value(column int, of slot, v *value) {
	if text := r.bounded(of, v.text()); text != nil {
		r.set(column, v.cell)
		r.into.bytes += len(text)
	}
}

func (r *row) integer(column int, n int32)  { r.set(column, parquet.Int32Value(n).Level(0, 1, 0)) }
func (r *row) number(column int, n float64) { r.set(column, parquet.DoubleValue(n).Level(0, 1, 0)) }

func textValue(text []byte) parquet.Value { return parquet.ByteArrayValue(text).Level(0, 1, 0) }

// segment returns the segment that is in effect. It reports false if there is none.
func (r *row) segment(of slot) (segment, bool) {
	i := r.current[of]
	if i < 0 {
		return segment{}, false
	}
	return r.scan.segments[i], true
}

// bounded returns a text of a segment, or nil if it is too long to be repeated.
func (r *row) bounded(of slot, text []byte) []byte {
	if of != r.own && len(text) > MaxShared {
		return nil
	}
	return text
}

// find returns the value of the first repetition of the first place that has one, and the
// segment that it is from.
func (r *row) find(places []place) (slot, *value) {
	for _, p := range places {
		segment, ok := r.segment(p.slot)
		if !ok {
			continue
		}
		if found := r.scan.at(segment, p.field, 1, p.component, p.subcomponent); found != nil {
			return p.slot, found
		}
	}
	return other, nil
}

// get returns the text of what find returns; nil if it is too long to be repeated.
func (r *row) get(places []place) []byte {
	of, found := r.find(places)
	return r.bounded(of, found.text())
}

// components sets columns, from at on, to the components of a field's first repetition.
// It reports whether there is any.
func (r *row) components(at int, p place, count int) bool {
	segment, ok := r.segment(p.slot)
	if !ok {
		return false
	}
	found := false
	values := r.scan.values[r.scan.find(segment, p.field, 1, 1, 1):segment.last]
	for i := range values {
		v := &values[i]
		if v.field != p.field || v.repetition != 1 || int(v.component) > count {
			break
		}
		if v.subcomponent == 1 {
			r.value(at+int(v.component)-1, p.slot, v)
			found = true
		}
	}
	return found
}

// timestamp sets the columns of [timestampColumns]. A time without an offset has the
// offset of MSH-7 (HL7 v2.5.1, 2.15.9.7), or is in UTC if MSH-7 has none.
func (r *row) timestamp(at int, text []byte) {
	if text == nil {
		return
	}
	r.text(at+1, text)
	parsed, ok := r.times.parse(text, r.zone)
	if !ok {
		return
	}
	r.set(at, parsed.moment)
	r.set(at+2, parsed.precision)
	r.set(at+3, parsed.offset)
	r.set(at+4, parsed.zone)
}

// day sets a date, its text and its precision.
func (r *row) day(at int, text []byte) {
	if text == nil {
		return
	}
	r.text(at+1, text)
	day, precision, err := hl7.ParseTime(string(text), nil)
	if err != nil {
		return
	}
	days := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
	r.set(at, parquet.Int32Value(int32(days)).Level(0, 1, 0))
	r.text(at+2, []byte(precisionName(precision)))
}

// parseInteger reads digits with an optional sign.
func parseInteger(text []byte) (int32, bool) {
	if len(text) == 0 || len(text) > 11 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 32)
	return int32(n), err == nil
}

// parseNumber reads an NM: digits with an optional sign and decimal point (HL7 v2.5.1,
// 2.A.47). Spaces around it are ignored. Exponents, thousands separators and words are
// not allowed.
func parseNumber(text []byte) (float64, bool) {
	text = bytes.TrimSpace(text)
	digits := 0
	for i, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '.':
		case (c == '+' || c == '-') && i == 0:
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 300 {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(text), 64) // which rejects a second point
	return n, err == nil
}

// joined returns the first components of a field's repetitions as one text, or nil if
// there are none.
func (r *row) joined(p place, separator string) []byte {
	segment, ok := r.segment(p.slot)
	if !ok {
		return nil
	}
	var texts [][]byte
	values := r.scan.of(segment, p.field)
	for i := range values {
		v := &values[i]
		if v.component == 1 && v.subcomponent == 1 {
			texts = append(texts, v.text())
		}
	}
	switch len(texts) {
	case 0:
		return nil
	case 1:
		return r.bounded(p.slot, texts[0])
	}
	return r.bounded(p.slot, bytes.Join(texts, []byte(separator)))
}

// required sets a number in a column that is never NULL.
func required(n int32) parquet.Value { return parquet.Int32Value(n) }

// requiredText sets a text in a column that is never NULL.
func requiredText(text []byte) parquet.Value { return parquet.ByteArrayValue(text) }

// isSegmentName reports whether a name has the form of a segment's name: three capital
// letters or digits (HL7 v2.5.1, 2.5.1).
func isSegmentName(name string) bool {
	if len(name) != 3 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return true
}
