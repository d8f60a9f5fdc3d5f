package tables

import (
	"bytes"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// A treatment makes the value of a de-identified row from the value that was sent, which
// is not NULL. The result may be NULL.
type treatment func(v parquet.Value, r *twinRow) parquet.Value

// A twinRow is what the treatment of a row's values needs to know.
type twinRow struct {
	names    *pseudonyms
	received int64  // when the message was accepted, in milliseconds
	shift    int32  // by how many days its dates are moved back
	state    []byte // of the address in the row
}

// treat returns the treatment of a column, or nil if the column is left out, as one
// without a class is.
func treat(c Column) treatment {
	switch c.Class {
	case Plain:
		return func(v parquet.Value, _ *twinRow) parquet.Value { return v }
	case Code:
		return keepIf(isCode)
	case Quantity:
		return quantity
	case State:
		return keepIf(isState)
	case PostalCode:
		return postalCode
	case Identifier:
		return func(v parquet.Value, r *twinRow) parquet.Value { return like(v, r.names.of(v.ByteArray())) }
	case Day:
		if c.Type == Timestamp {
			return shifted
		}
	case Birth:
		if c.Type == Date {
			return birth
		}
	}
	return nil
}

// deleted is the value with which HL7 deletes another. It stays unchanged.
const deleted = `""`

// like gives a new value the Parquet levels of the value that it replaces.
func like(v, replacement parquet.Value) parquet.Value {
	return replacement.Level(0, v.DefinitionLevel(), 0)
}

// keepIf keeps a text that has the form, and leaves out any other. In a column that is
// never NULL, `unknown` replaces it.
func keepIf(form func(text []byte) bool) treatment {
	return func(v parquet.Value, _ *twinRow) parquet.Value {
		switch {
		case form(v.ByteArray()) || string(v.ByteArray()) == deleted:
			return v
		case v.DefinitionLevel() == 0:
			return requiredText([]byte("unknown"))
		}
		return parquet.Value{}
	}
}

// longestCode is the most bytes that a code has. Those of SNOMED CT have up to 18 digits.
const longestCode = 20

// isCode reports whether a text has the form of a code: printable ASCII without spaces. A
// text that looks like an internet address, a social security number, a telephone number
// or a date is not a code.
func isCode(text []byte) bool {
	if len(text) == 0 || len(text) > longestCode {
		return false
	}
	for _, c := range text {
		if c <= ' ' || c > '~' || c == '@' {
			return false
		}
	}
	if bytes.Contains(text, []byte("://")) || bytes.HasPrefix(bytes.ToLower(text), []byte("www.")) {
		return false
	}
	for digits := range bytes.FieldsFuncSeq(text, func(c rune) bool { return c < '0' || '9' < c }) {
		if isDay(digits) {
			return false
		}
	}
	switch digitGroups(text) {
	case "3-2-4", "3-3-4", "3.3.4", "(3)3-4", "1-3-3-4", "+1-3-3-4":
		return false
	}
	return true
}

// isDay reports whether a text begins with a date of these centuries, as HL7 writes it.
func isDay(text []byte) bool {
	if len(text) < len("20060102") || text[0] != '1' && text[0] != '2' {
		return false
	}
	at, _, err := hl7.ParseTime(string(text), nil)
	return err == nil && 1850 < at.Year() && at.Year() < 2100
}

// digitGroups returns the lengths of the groups of digits in a text: 3-2-4 for
// 123-45-6789.
func digitGroups(text []byte) string {
	var groups []byte
	digits := byte(0)
	for _, c := range text {
		if '0' <= c && c <= '9' && digits < 9 {
			digits++
			continue
		}
		if digits > 0 {
			groups, digits = append(groups, '0'+digits), 0
		}
		groups = append(groups, c)
	}
	if digits > 0 {
		groups = append(groups, '0'+digits)
	}
	return string(groups)
}

// mostCounted is the largest whole number that is taken for a count, a rank or a length
// of time. A larger one may be an identifier in the wrong place.
const mostCounted = 9999

// quantity keeps a number that cannot be a date or an identifier.
func quantity(v parquet.Value, _ *twinRow) parquet.Value {
	switch {
	case v.Kind() == parquet.Int32 && (v.Int32() > mostCounted || v.Int32() < -mostCounted),
		v.Kind() == parquet.Double && isDay(strconv.AppendFloat(nil, v.Double(), 'f', -1, 64)):
		return parquet.Value{}
	}
	return v
}

// postalCode keeps the first three digits of a ZIP code. It leaves the value out if the
// state is not one of the United States.
func postalCode(v parquet.Value, r *twinRow) parquet.Value {
	if !isState(r.state) {
		return parquet.Value{}
	}
	zip, ok := shortZIP(v.ByteArray())
	if !ok {
		return parquet.Value{}
	}
	return like(v, textValue(zip))
}

const msPerDay = 24 * 60 * 60 * 1000

// shifted moves a time back by whole days.
func shifted(v parquet.Value, r *twinRow) parquet.Value {
	return like(v, parquet.Int64Value(v.Int64()-int64(r.shift)*msPerDay))
}

// eldest is the highest age that is shown: ages over 89 may be shown only as 90 or older
// (45 CFR 164.514(b)(2)(i)(C)).
const eldest = 90

// isEldest reports whether someone who was born at a time was 90 or older when the
// message was accepted.
func (r *twinRow) isEldest(born time.Time) bool {
	return !born.AddDate(eldest, 0, 0).After(time.UnixMilli(r.received).UTC())
}

// birth moves a date of birth back by as many days as the other dates, so that ages stay
// the same. If the patient was 90 or older when the message was accepted, the result is
// the first day of the year 90 years before.
func birth(v parquet.Value, r *twinRow) parquet.Value {
	day := int64(v.Int32())
	if r.isEldest(time.Unix(day*24*60*60, 0).UTC()) {
		accepted := time.UnixMilli(r.received - int64(r.shift)*msPerDay).UTC()
		day = time.Date(accepted.Year()-eldest, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
	} else {
		day -= int64(r.shift)
	}
	return like(v, parquet.Int32Value(int32(day)))
}

// ages finds results that show an age over 89.
type ages struct {
	codes   []int // columns of the table observations with a code of what was observed
	numbers []int // of the twin, with the value as a number
	at      int   // of the table observations, with the value as a time
	twinAt  int   // of the twin
}

func newAges(observations, twin *Table) *ages {
	return &ages{
		codes:   []int{observations.Index("observation_code"), observations.Index("observation_alternate_code")},
		numbers: []int{twin.Index("value_number"), twin.Index("value_number_2")},
		at:      observations.Index("value_at"), twinAt: twin.Index("value_at"),
	}
}

// cap leaves out the value of a result that is an age over 89, in any unit, or the date
// of birth of somebody of that age. It recognizes such results by their LOINC codes only.
func (a *ages) cap(from, into *tableWriter, r *twinRow) {
	for _, column := range a.codes {
		switch string(from.cells[column][from.n].ByteArray()) {
		case "30525-0", "21611-9", "21612-7", "29553-5", "35659-2": // age: as known, estimated, reported, calculated, when the specimen was taken
			for _, number := range a.numbers {
				if v := into.cells[number][into.n]; !v.IsNull() && v.Double() >= eldest {
					into.cells[number][into.n] = parquet.Value{}
				}
			}
		case "21112-8": // date of birth
			if v := from.cells[a.at][from.n]; !v.IsNull() && r.isEldest(time.UnixMilli(v.Int64()).UTC()) {
				into.cells[a.twinAt][into.n] = parquet.Value{}
			}
		}
	}
}
