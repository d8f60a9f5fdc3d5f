package hl7

import (
	"bytes"
	"errors"
)

// units are the characters of UTF-16 or UTF-32, as far as they tell where a message begins.
type units struct {
	width     int // in bytes
	bigEndian bool
}

// unitsLength is how much of a text is looked at to recognise them.
const unitsLength = 64

// unitsOf returns the units of a text that begins with a header in UTF-16 or UTF-32, blanks
// and framing aside; nil where it does not.
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

// unitsOfStream is unitsOf for a stream, in which text may stand before the first header: then
// a byte order mark tells, where letters of ASCII follow it.
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

// leadingUnits is [leadingFrame] of a text in UTF-16 or UTF-32; 0 of any other.
func leadingUnits(text []byte) int {
	u := unitsOf(text)
	if u == nil {
		return 0
	}
	return u.width * leadingFrame(u.appendText(nil, text[:min(len(text), unitsLength)]))
}

// appendText makes text, which has a byte for each unit at the front of buf, complete.
// What is not ASCII becomes 0xff there, a byte order mark a blank.
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

// placeInSource makes the offset of an error in the text one in the bytes that came.
func (m *Message) placeInSource(err error) {
	var e *ParseError
	if m.charset.encoding == nil || !errors.As(err, &e) || e.Offset > len(m.text) {
		return
	}
	if before, failed := m.charset.encoding.NewEncoder().Bytes(m.text[:e.Offset]); failed == nil {
		e.Offset = min(len(before), len(m.source))
	}
}
