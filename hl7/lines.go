package hl7

import "bytes"

// breaks finds what may end a segment.
type breaks struct{ cr, lf ahead }

func newBreaks() breaks { return breaks{aheadOf('\r'), aheadOf('\n')} }

// findLineEnd returns the offset of the next CR or LF, or the end of the text.
func (b *breaks) findLineEnd(text []byte, from int) int {
	return min(b.cr.find(text, from), b.lf.find(text, from))
}

// ahead remembers where a byte comes next in a text, so that no stretch is searched
// twice.
type ahead struct {
	c  byte
	at int // -1 if not known

	none int // the byte is not between the last offset asked for and this one
}

func aheadOf(c byte) ahead { return ahead{c: c, at: -1} }

// find returns the next offset of the byte from a given offset on, or the end of the
// text. Offsets only grow from one call to the next.
func (a *ahead) find(text []byte, from int) int {
	if a.at >= from {
		return a.at
	}
	return a.search(text, from)
}

func (a *ahead) search(text []byte, from int) int {
	a.at, from = len(text), max(from, a.none)
	if n := bytes.IndexByte(text[from:], a.c); n >= 0 {
		a.at = from + n
	}
	return a.at
}

// line returns the 1-based line of an offset, as an editor counts lines.
func line(text []byte, offset int) int {
	text = text[:offset]
	return 1 + bytes.Count(text, []byte{'\r'}) + bytes.Count(text, []byte{'\n'}) - bytes.Count(text, []byte("\r\n"))
}
