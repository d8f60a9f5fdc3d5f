package hl7

import "strings"

// wideLength is what a UTF-16 or UTF-32 stream is recognised by.
const wideLength = 8

// units are the characters of a UTF-16 or UTF-32 stream.
type units struct {
	width     int // in bytes
	bigEndian bool
}

// unitsOf returns nil where a stream that begins so has a byte for an ASCII character.
func unitsOf(front []byte) *units {
	name, encoding := wide(front)
	if encoding == nil {
		return nil
	}
	u := &units{width: 2, bigEndian: strings.HasSuffix(name, "be")}
	if strings.HasPrefix(name, "utf-32") {
		u.width = 4
	}
	return u
}

// appendText makes text, which has a byte for each unit at the front of buf, complete.
// What is not ASCII becomes 0xff there, a byte order mark a blank.
func (u *units) appendText(text, buf []byte) []byte {
	for at := len(text) * u.width; at+u.width <= len(buf); at += u.width {
		value := uint32(0)
		for i := range u.width {
			b := buf[at+i]
			if u.bigEndian {
				value = value<<8 | uint32(b)
			} else {
				value |= uint32(b) << (8 * i)
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
