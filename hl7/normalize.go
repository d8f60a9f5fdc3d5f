package hl7

import "bytes"

// Normalize appends data to dst with every segment ended by CR, the only terminator
// that HL7 allows (HL7 v2.5.1, 2.5.4), and without byte order mark, MLLP framing (HL7
// Transport Specification: MLLP, 2) and the blank lines around them. A bare LF that
// [Message.Parse] takes for part of a value stays. Nothing else changes: several
// messages stay several, and what is no message comes back with its line ends made CR.
func Normalize(dst, data []byte) []byte {
	text := data[leadingFrame(data):]
	text = text[:len(text)-trailingFrame(text)]
	h := header{}
	if len(text) > 3 {
		h.delimiters.Field = text[3]
		h.lfIsData = lfIsData(text, text[3])
	}
	for len(text) > 0 {
		n := bytes.IndexAny(text, "\r\n")
		if n < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:n]...)
		switch {
		case !h.endsSegment(text, n):
			dst = append(dst, '\n')
		case text[n] == '\r' && n+1 < len(text) && text[n+1] == '\n':
			dst = append(dst, '\r')
			n++
		default:
			dst = append(dst, '\r')
		}
		text = text[n+1:]
	}
	return dst
}
