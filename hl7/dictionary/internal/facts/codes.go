package facts

import (
	"strconv"
	"strings"
)

// CleanCodes cleans a table's codes as hl7apy took them from the printed standard: a
// range becomes its members, and a note is dropped. It also reports whether the table has
// more codes than it lists.
func CleanCodes(printed map[string]string) (codes []string, open bool) {
	for text := range printed {
		text = strings.TrimSpace(strings.NewReplacer("Â", "", "\u00a0", " ").Replace(text))
		if from, to, ok := codeRange(text); ok {
			codes = append(codes, members(from, to)...)
			continue
		}
		switch {
		case text == "…", text == "...", strings.HasSuffix(text, "..."), strings.HasSuffix(text, " _"), strings.Contains(text, "<integer>"),
			strings.Contains(text, "< integer >"), strings.Contains(text, "nnn"), strings.Contains(text, "<spec>"), strings.Contains(text, "and higher"):
			open = true
		case strings.ReplaceAll(text, " ", "") == "L,M,N":
			codes = append(codes, "L", "M", "N")
		case text == "", strings.EqualFold(text, "<null>"), strings.EqualFold(text, "not present"), isNote(text):
		case text == "* (star)":
			codes = append(codes, "*")
		case strings.HasSuffix(text, " (obsolete)"):
			codes = append(codes, strings.TrimSuffix(text, " (obsolete)"))
		case text == "ISO 2022-199": // cut off in print
			codes = append(codes, "ISO 2022-1994")
		default:
			codes = append(codes, strings.ReplaceAll(text, " - ", "-"))
		}
	}
	return codes, open
}

// isNote reports whether a text in the column of codes is a note: words with spaces
// between them that are not names of character sets.
func isNote(text string) bool {
	return strings.Count(text, " ") >= 2 && !strings.HasPrefix(text, "KS X") && !strings.Contains(text, " - ") ||
		strings.HasPrefix(text, "For ")
}

// codeRange reads "W1 ... W4", "10 ...19" and "31 _ 39".
func codeRange(text string) (from, to string, ok bool) {
	for _, mark := range []string{"...", " _ ", " _"} {
		if from, to, ok = strings.Cut(text, mark); ok && from != "" && to != "" {
			return strings.TrimSpace(from), strings.TrimSpace(to), true
		}
	}
	return "", "", false
}

// members lists the codes of a range, which end in numbers.
func members(from, to string) []string {
	prefix := strings.TrimRight(from, "0123456789")
	first, err1 := strconv.Atoi(strings.TrimPrefix(from, prefix))
	last, err2 := strconv.Atoi(strings.TrimPrefix(to, prefix))
	if err1 != nil || err2 != nil || last < first || last-first > 1000 {
		return nil
	}
	var codes []string
	for n := first; n <= last; n++ {
		code := strconv.Itoa(n)
		if width := len(from) - len(prefix); prefix == "" && len(code) < width {
			code = strings.Repeat("0", width-len(code)) + code
		}
		codes = append(codes, prefix+code)
	}
	return codes
}
