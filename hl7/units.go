package hl7

import (
	"bytes"
	"errors"
)

// units are the characters of UTF-16 or UTF-32, as far as needed to find where a message
// begins.
type units struct {
	width     int // in bytes
	bigEndian bool
}

// unitsLength is how many bytes of a text are looked at to recognize them.
const unitsLength = 64

// unitsOf returns the units of a text that begins with a header in UTF-16 or UTF-32,
// after spaces and framing. It returns nil for any other text.
func unitsOf(text []byte) *units {
	front := text[:min(len(text), unitsLength)]
	if bytes.IndexByte(front, 0) < 0 {
		return nil
	}
	for _, u := range [...]units{{4, false}, {4, true}, {2, false}, {2, true}} {
		narrow := u.appendText(nil, front)
		if _, ok := envelopeName(narrow[leadingFrame(narrow):]); ok {
			return &u
		}
	}
	return nil
}

// unitsOfStream is unitsOf for a stream, in which text may stand before the first header.
// A byte order mark followed by ASCII letters then decides.
func unitsOfStream(text []byte) *units {
	if u := unitsOf(text); u != nil {
		return u
	}
	for mark, u := range map[string]units{"\xff\xfe": {2, false}, "\xfe\xff": {2, true}} {
		if !bytes.HasPrefix(text, []byte(mark)) {
			continue
		}
		narrow := u.appendText(nil, text[2:min(len(text), unitsLength)])
		if foreign := bytes.Count(narrow, []byte{0}) + bytes.Count(narrow, []byte{0xff}); 2*foreign < len(narrow) {
			return &u
		}
	}
	return nil
}

// leadingUnits is [leadingFrame] for a text in UTF-16 or UTF-32; it is 0 for any other
// text.
func leadingUnits(text []byte) int {
	u := unitsOf(text)
	if u == nil {
		return 0
	}
	return u.width * leadingFrame(u.appendText(nil, text[:min(len(text), unitsLength)]))
}

// appendText completes text, which has one byte for each unit of buf. A character that is
// not ASCII becomes 0xff there, and a byte order mark becomes a space.
func (u *units) appendText(text, buf []byte) []byte {
	for at := len(text) * u.width; at+u.width <= len(buf); at += u.width {
		value := uint32(0)
		for i := range u.width {
			if u.bigEndian {
				value = value<<8 | uint32(buf[at+i])
			} else {
				value |= uint32(buf[at+i]) << (8 * i)
			}
		}
		switch {
		case value < 0x80:
			text = append(text, byte(value))
		case value == 0xfeff:
			text = append(text, ' ')
		default:
			text = append(text, 0xff)
		}
	}
	return text
}

// placeInSource converts the offset of an error in the text to one in the original bytes.
func (m *Message) placeInSource(err error) {
	var e *ParseError
	if m.charset.encoding == nil || !errors.As(err, &e) || e.Offset > len(m.text) {
		return
	}
	if before, failed := m.charset.encoding.NewEncoder().Bytes(m.text[:e.Offset]); failed == nil {
		e.Offset = min(len(before), len(m.source))
	}
}
