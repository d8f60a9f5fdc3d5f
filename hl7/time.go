package hl7

import (
	"fmt"
	"strings"
	"time"
)

// A Precision says which part of a time is the last one known.
type Precision int

// The precisions.
const (
	Year Precision = iota
	Month
	Day
	Hour
	Minute
	Second
	Fraction
)

// timeLayout is the layout of times of every precision except Fraction.
const timeLayout = "20060102150405"

// length returns how many characters of timeLayout a precision needs.
func (p Precision) length() int { return 4 + 2*int(min(p, Second)) }

// ParseTime reads an HL7 date or time (HL7 v2.5.1, 2.A.22) and returns its precision. A
// time without a zone is in the given location, which may be that of MSH-7; nil means
// UTC. Unknown parts have their lowest value: "2026" is the first moment of that year.
// The error wraps [ErrTime].
func ParseTime(value string, in *time.Location) (time.Time, Precision, error) {
	if in == nil {
		in = time.UTC
	}
	if ISO8601(value) == "" {
		return time.Time{}, 0, fmt.Errorf("hl7: %w", ErrTime)
	}
	digits, zone := cutZone(value)
	digits, fraction, fractional := strings.Cut(digits, ".")
	format, precision := timeLayout[:len(digits)], Precision(len(digits)/2-2)
	if fractional {
		digits, format, precision = digits+"."+fraction, format+"."+strings.Repeat("0", len(fraction)), Fraction
	}
	if zone != "" {
		digits, format = digits+zone, format+"-0700"
	}
	t, err := time.ParseInLocation(format, digits, in)
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("hl7: %w", ErrTime)
	}
	return t, precision, nil
}

// FormatTime writes a time as HL7 does, with the given precision. From hours on it
// includes the zone, and for [Fraction] four decimals of a second.
func FormatTime(t time.Time, p Precision) string {
	format := timeLayout[:p.length()]
	if p == Fraction {
		format += ".0000"
	}
	if p >= Hour {
		format += "-0700"
	}
	return t.Format(format)
}

// Time returns the time at a path. It is [ParseTime] of what [Message.Get] returns. A
// value without a zone is in the zone of MSH-7, as the standard says (HL7 v2.5.1,
// 2.15.9.7), or in UTC if MSH-7 has none. The error wraps [ErrPath], or [ErrTime], also
// if there is no value.
func (m *Message) Time(path string) (time.Time, Precision, error) {
	text, err := m.Text(path)
	if err != nil {
		return time.Time{}, 0, err
	}
	var sender *time.Location
	if sent, _, err := ParseTime(m.msh(7, 1), nil); err == nil {
		sender = sent.Location()
	}
	return ParseTime(text, sender)
}

// cutZone returns a time without its zone, and the zone, if any.
func cutZone(value string) (digits, zone string) {
	if i := max(strings.LastIndexByte(value, '+'), strings.LastIndexByte(value, '-')); i >= 0 {
		return value[:i], value[i:]
	}
	return value, ""
}

// ISO8601 converts an HL7 date or time, YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ],
// to ISO 8601 with the same precision: "201507" becomes "2015-07", "20120918173931-0500"
// becomes "2012-09-18T17:39:31-05:00" (HL7 v2.5.1, 2.A.22 and 2.A.77). It returns "" if
// the value is not one.
func ISO8601(value string) string {
	return string(appendISO8601(make([]byte, 0, len("2006-01-02T15:04:05.999999999-07:00")), value))
}

// appendISO8601 appends what [ISO8601] returns.
func appendISO8601(dst []byte, value string) []byte {
	digits, zone := cutZone(value)
	digits, fraction, fractional := strings.Cut(digits, ".")
	if !isDigits(digits) || fractional && (len(digits) != 14 || len(fraction) > 9 || !isDigits(fraction)) {
		return dst
	}
	if !isTime(digits) {
		return dst
	}
	if zone != "" && !isZone(zone) && len(digits) != len("20060102") { // "2006-01" is not a year with a zone
		return dst
	}
	dst = append(dst, digits[:4]...)
	for i := 4; i < len(digits); i += 2 {
		dst = append(dst, "--T::"[i/2-2])
		dst = append(dst, digits[i:i+2]...)
	}
	if fractional {
		dst = append(append(dst, '.'), fraction...)
	}
	if zone != "" && len(digits) >= len("2006010215") { // ISO 8601 has no zone on a date
		dst = append(append(append(dst, zone[:3]...), ':'), zone[3:]...)
	}
	return dst
}

// isTime reports whether digits are a year and what may follow it: month, day, hour,
// minute, second, each in its range.
func isTime(digits string) bool {
	n := len(digits)
	if n < 4 || n > len(timeLayout) || n%2 != 0 {
		return false
	}
	month, day := 1, 1
	if n > 4 {
		month = pair(digits, 4)
	}
	if n > 6 {
		day = pair(digits, 6)
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	if year := 100*pair(digits, 0) + pair(digits, 2); day > 28 &&
		time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() != day {
		return false
	}
	return (n <= 8 || pair(digits, 8) < 24) && (n <= 10 || pair(digits, 10) < 60) && (n <= 12 || pair(digits, 12) < 60)
}

// pair returns the number that two digits make.
func pair(digits string, at int) int { return 10*int(digits[at]-'0') + int(digits[at+1]-'0') }

// isZone reports whether zone is a sign, hours and minutes.
func isZone(zone string) bool {
	if len(zone) != 5 || !isDigits(zone[1:]) {
		return false
	}
	return pair(zone, 1) < 24 && pair(zone, 3) < 60
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
