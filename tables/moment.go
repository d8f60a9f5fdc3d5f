package tables

import (
	"bytes"
	"time"

	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// A moment is what the columns of a time hold.
type moment struct {
	moment, precision, offset, zone parquet.Value
}

// moments reads times, and keeps some of them: the results of a report often share theirs.
type moments struct {
	read map[string]moment
	in   *time.Location
}

// keptMoments is how many times are kept.
const keptMoments = 256

// longestTime is the length of the longest time: YYYYMMDDHHMMSS.SSSSSSSSS+ZZZZ.
const longestTime = 29

// parse reads a time, which is in the given zone where it names none itself; nil where the message names none either. It
// reports false for what is no time.
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

// parseMoment is parse for one that was not kept. What is no time has no moment.
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

// precisionName is how a precision is written.
func precisionName(p hl7.Precision) string {
	return [...]string{"year", "month", "day", "hour", "minute", "second", "fraction"}[p]
}

// hasZone reports whether a time names its offset.
func hasZone(text []byte) bool { return bytes.ContainsAny(text, "+-") }
