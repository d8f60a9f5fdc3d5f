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
	layouts := [...]struct{ hl7, iso string }{
		{"2006", "2006"}, {"200601", "2006-01"}, {"20060102", "2006-01-02"},
		{"2006010215", "2006-01-02T15"}, {"200601021504", "2006-01-02T15:04"}, {"20060102150405", "2006-01-02T15:04:05"},
	}
	for _, l := range layouts {
		if len(l.hl7) != len(digits) {
			continue
		}
		t, err := time.Parse(l.hl7, digits)
		if err != nil {
			return ""
		}
		iso := t.Format(l.iso)
		if fractional {
			iso += "." + fraction
		}
		if zone == "" || len(digits) < len("2006010215") { // ISO 8601 has no zone on a date
			return iso
		}
		return withZone(iso, zone)
	}
	return ""
}

func withZone(iso, zone string) string {
	if len(zone) != 5 || !isDigits(zone[1:]) {
		return ""
	}
	if _, err := time.Parse("1504", zone[1:]); err != nil {
		return ""
	}
	return iso + zone[:3] + ":" + zone[3:]
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
