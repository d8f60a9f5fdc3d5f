package hl7

import (
	"strings"
	"time"
)

// ISO8601 turns an HL7 date or time, YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ], into
// ISO 8601 without adding to or taking from its precision: "201507" becomes "2015-07",
// "20120918173931-0500" becomes "2012-09-18T17:39:31-05:00" (HL7 v2.5.1, 2.A.22 and
// 2.A.77). It returns "" for what is no such value.
func ISO8601(value string) string {
	digits, zone := value, ""
	if i := strings.LastIndexAny(value, "+-"); i >= 0 {
		digits, zone = value[:i], value[i:]
	}
	digits, fraction, fractional := strings.Cut(digits, ".")
	if !isDigits(digits) || fractional && (len(digits) != 14 || len(fraction) > 9 || !isDigits(fraction)) {
		return ""
	}
	const layout = "20060102150405"
	if len(digits) < 4 || len(digits) > len(layout) || len(digits)%2 != 0 {
		return ""
	}
	if _, err := time.Parse(layout[:len(digits)], digits); err != nil {
		return ""
	}
	iso := make([]byte, 0, len("2006-01-02T15:04:05.999999999-07:00"))
	iso = append(iso, digits[:4]...)
	for i := 4; i < len(digits); i += 2 {
		iso = append(iso, "--T::"[i/2-2])
		iso = append(iso, digits[i:i+2]...)
	}
	if fractional {
		iso = append(append(iso, '.'), fraction...)
	}
	if zone != "" && len(digits) >= len("2006010215") { // ISO 8601 has no zone on a date
		if !isZone(zone) {
			return ""
		}
		iso = append(append(append(iso, zone[:3]...), ':'), zone[3:]...)
	}
	return string(iso)
}

// isZone reports whether zone is a sign, hours and minutes.
func isZone(zone string) bool {
	if len(zone) != 5 || !isDigits(zone[1:]) {
		return false
	}
	_, err := time.Parse("1504", zone[1:])
	return err == nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
