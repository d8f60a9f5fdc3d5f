package hl7

import "bytes"

// A mark is what a line begins with: whether it starts or ends a message, batch or file.
type mark int

const (
	plain     mark = iota // a segment or text
	opens                 // a header: MSH, BHS or FHS with a separator and encoding characters
	closes                // a trailer: BTS or FTS
	broken                // a header's name and the separator in use, but no encoding characters
	lookalike             // such a name and then another character, as in "FHS: regular": text
)

// markLength is how many bytes of a line decide its mark.
const markLength = len("MSH|") + maxEncodingCharacters + len("|")

// markOf tells a segment that begins or ends a message, batch or file (HL7 v2.5.1,
// 2.10.3) from one within a message, and both from text that only looks like one. A
// header has its separator and its encoding characters, followed by a separator or the
// end of the line (HL7 v2.5.1, 2.15.9.1 and 2.15.9.2). A trailer does not state its
// delimiters: it has the separator in use, which is 0 if none is known, or stands alone
// on its line (2.15.3 and 2.15.7: all of its fields are optional).
func markOf(text []byte, separator byte) (name string, _ mark) {
	name, ok := envelopeName(text)
	if !ok {
		return "", plain
	}
	trailer := name[1] == 'T'
	if len(text) == 3 || text[3] < ' ' {
		if trailer {
			return name, closes
		}
		return name, plain
	}
	used := text[3] == separator || separator == 0
	switch {
	case !canDelimit(text[3]):
		return name, plain
	case trailer && used:
		return name, closes
	case !trailer && hasEncodingCharacters(text):
		return name, opens
	case !trailer && used:
		return name, broken
	}
	return name, lookalike
}

// hasEncodingCharacters reports whether a header's second field holds encoding
// characters.
func hasEncodingCharacters(header []byte) bool {
	rest := header[4:min(len(header), markLength)]
	end := bytes.IndexAny(rest, string(header[3])+"\r\n")
	if end < 0 {
		end = len(rest)
	}
	d := Delimiters{Field: header[3]}
	return d.setEncodingCharacters(rest[:end])
}

// envelopeName returns the name that text begins with, if it is the name of a header or a
// trailer.
func envelopeName(text []byte) (string, bool) {
	if len(text) < 3 || text[2] != 'H' && text[2] != 'S' {
		return "", false
	}
	for _, name := range [...]string{"MSH", "BHS", "FHS", "BTS", "FTS"} {
		if string(text[:3]) == name {
			return name, true
		}
	}
	return "", false
}
