package view

import "unicode/utf8"

// fold returns the beginning of a text, of at most the given number of bytes and of whole
// characters, and how many bytes are left out.
func fold(text []byte, most int) (beginning string, folded int) {
	if len(text) <= most {
		return string(text), 0
	}
	end := most
	for range utf8.UTFMax - 1 { // longer runs are not UTF-8, and may be cut anywhere
		if end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
	}
	return string(text[:end]), len(text) - end
}

// jsonLength returns how many bytes a text takes between its quotation marks in JSON, at
// most, as encoding/json writes it.
func jsonLength(text string) int {
	n := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			n += 2
		case c < ' ' || c == '<' || c == '>' || c == '&' || c == 0x7f:
			n += 6 // \u0001
		case c == 0xe2:
			n += 4 // with the two bytes that follow it: \u2028
		default:
			n++
		}
	}
	return n
}
