package hl7

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// VersionNumber returns the number in a value of MSH-12, such as "2.5.1", "v2.3" or
// "2.3.1 DE": the first two or three numbers with dots between them. It reports false if
// there is none.
func VersionNumber(msh12 string) (number string, ok bool) {
	notInNumber := func(r rune) bool { return r != '.' && (r < '0' || r > '9') }
	for word := range strings.FieldsFuncSeq(msh12, notInNumber) {
		word = strings.Trim(word, ".")
		parts := strings.Split(word, ".")
		if len(parts) != 2 && len(parts) != 3 {
			continue
		}
		if !slices.ContainsFunc(parts, func(part string) bool { return part == "" || len(part) > 2 }) {
			return word, true
		}
	}
	return "", false
}

// CompareVersions compares two version numbers as [VersionNumber] returns them. The
// result is negative if a is earlier, and 0 if they are equal.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var m, n string
		m, a, _ = strings.Cut(a, ".")
		n, b, _ = strings.Cut(b, ".")
		x, _ := strconv.Atoi(m)
		y, _ := strconv.Atoi(n)
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}
