package hl7

// Normalize appends data to dst with every segment ended by CR, the only terminator
// that HL7 allows (HL7 v2.5.1, 2.5.4), and without byte order mark, MLLP framing (HL7
// Transport Specification: MLLP, 2) and the blank lines around them. A bare LF that
// [Message.Parse] takes for part of a value stays. Nothing else changes: several
// messages stay several, and what is no message comes back with its line ends made CR.
// UTF-16 and UTF-32 come back as they are.
func Normalize(dst, data []byte) []byte {
	if _, encoding := wide(data); encoding != nil {
		return append(dst, data...)
	}
	text := data[leadingFrame(data):]
	framing := trailingFrame(text)
	text = text[:len(text)-framing]
	h := header{}
	if len(text) > 3 {
		h.delimiters.Field = text[3]
		h.lfIsData = lfIsData(text, text[3])
	}
	breaks := newBreaks()
	for start, from := 0, 0; ; {
		end := breaks.findLineEnd(text, from)
		if end == len(text) {
			last := beforeLineFeed(text[start:])
			dst = append(dst, last...)
			// A NUL that stood before a frame's end would look like one at the end of dst.
			if start+len(last) < len(text) || framing > 0 && len(last) > 0 {
				dst = append(dst, '\r')
			}
			return dst
		}
		from = end + 1
		if !h.endsSegment(text, end) {
			continue
		}
		dst = append(append(dst, beforeLineFeed(text[start:end])...), '\r')
		if text[end] == '\r' && from < len(text) && text[from] == '\n' {
			from++
		}
		start = from
	}
}
