package hl7

// Normalize appends data to dst with every segment ended by CR, the only terminator that
// HL7 allows (HL7 v2.5.1, 2.5.4), and without byte order mark, MLLP framing (HL7
// Transport Specification: MLLP, 2) and the blank lines around them. A single LF that
// [Message.Parse] takes as part of a value stays. Nothing else changes: several messages
// stay several. Text that is not a message is returned with CR as its line ends. UTF-16
// and UTF-32 are returned unchanged.
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
			// A NUL before a frame's end would look like that at the end of dst.
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
