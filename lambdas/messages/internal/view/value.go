package view

import (
	"bytes"
	"strings"

	"hl7lake/hl7"
)

// Value returns the element at a path of the segment with an index, as Node.Raw would
// have it without folding, or the whole segment for the zero path. It reports false if
// the message does not reach that far, or if the segment has another name.
func Value(message *hl7.Message, index int, path hl7.Path) (raw []byte, ok bool) {
	if index < 0 || index >= message.Len() {
		return nil, false
	}
	s := message.Segment(index)
	if path == (hl7.Path{}) {
		return s.Raw(), true
	}
	if path.Segment != s.Name() || path.Field == 0 {
		return nil, false
	}
	path.Segment, path.Occurrence = "", 0
	return s.RawField(strings.TrimPrefix(path.String(), "-"))
}

// TextLine returns the line with an index of bytes that are not a message. It reports
// false if there is none.
func TextLine(data []byte, index int) (line []byte, ok bool) {
	n := 0
	for line := range linesIn(data) {
		if n == index {
			return bytes.ToValidUTF8(line, []byte(replacement)), true
		}
		n++
	}
	return nil, false
}
