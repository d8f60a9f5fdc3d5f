package tables

import (
	"bytes"
	"time"

	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// A moment is the values of a time's columns.
type moment struct {
	moment, precision, offset, zone parquet.Value
}

// moments reads times. It keeps some of them, because results of a report often have the
// same time.
type moments struct {
	read map[string]moment
	in   *time.Location
}

// keptMoments is how many times are kept.
const keptMoments = 256

// longestTime is the length of the longest time: YYYYMMDDHHMMSS.SSSSSSSSS+ZZZZ.
const longestTime = 29

// parse reads a time. If the time has no offset, it is in the given zone, which is nil if
// the message has none either. It reports false if the text is not a time.
func (m *moments) parse(text []byte, in *time.Location) (moment, bool) {
	if len(text) > longestTime {
		return moment{}, false
	}
	if in != m.in || len(m.read) >= keptMoments {
		clear(m.read)
		m.in = in
	}
	found, ok := m.read[string(text)]
	if !ok {
		found = parseMoment(string(text), in)
		if m.read == nil {
			m.read = make(map[string]moment)
		}
		m.read[string(text)] = found
	}
	return found, !found.moment.IsNull()
}

// parseMoment is parse for a time that was not kept. It returns nil if the text is not a
// time.
func parseMoment(text string, in *time.Location) moment {
	t, precision, err := hl7.ParseTime(text, in)
	if err != nil {
		return moment{}
	}
	m := moment{
		moment:    parquet.Int64Value(t.UnixMilli()).Level(0, 1, 0),
		precision: textValue([]byte(precisionName(precision))),
		zone:      textValue([]byte("unknown")),
	}
	switch {
	case hasZone([]byte(text)):
		m.zone = textValue([]byte("value"))
	case in != nil:
		m.zone = textValue([]byte("message"))
	default:
		return m
	}
	_, seconds := t.Zone()
	m.offset = parquet.Int32Value(int32(seconds/60)).Level(0, 1, 0)
	return m
}

// precisionName returns the name of a precision in the tables.
func precisionName(p hl7.Precision) string {
	return [...]string{"year", "month", "day", "hour", "minute", "second", "fraction"}[p]
}

// hasZone reports whether a time has an offset.
func hasZone(text []byte) bool { return bytes.ContainsAny(text, "+-") }
