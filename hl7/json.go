package hl7

import (
	"encoding/binary"
	"strconv"
)

// JSON chooses how [Message.AppendJSON] writes. The zero value is the lake's shape.
type JSON struct{}

// AppendJSON appends the message's segments to dst as a JSON array on one line:
//
//	[{"seq":1,"id":"PID","fields":{"3":[{"1":"123456789","4":"USSSA","4.2":"2.16.840"}]}}]
//
// Keys are HL7's numbers. A field is always a list of its repetitions; a component's
// first sub-component goes by the component's number alone; what is empty has no key,
// except that {} holds the place of an empty repetition before another one; a null is
// "\"\"". Escapes are decoded. MSH-1 and MSH-2 are given as they stand. The shape is
// the same for every version and type of message, and always valid UTF-8.
func (m *Message) AppendJSON(dst []byte, _ JSON) []byte {
	dst = append(dst, '[')
	for i := range m.segments {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.appendSegment(dst, i)
	}
	return append(dst, ']')
}

func (m *Message) appendSegment(dst []byte, i int) []byte {
	s := m.Segment(i)
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, int64(i+1), 10)
	dst = append(dst, `,"id":"`...)
	if s.isHeader() {
		dst = append(dst, `MSH","fields":{"1":[{"1":"`...)
		dst = appendQuoted(dst, m.text[s.start+3:s.start+4])
		dst = append(dst, `"}],"2":[{"1":"`...)
		dst = appendQuoted(dst, m.text[s.start+4:m.body])
		dst = append(dst, `"}]`...)
	} else {
		dst = m.appendValue(dst, s.name())
		dst = append(dst, `","fields":{`...)
	}
	dst = m.appendFields(dst, s)
	return append(dst, "}}"...)
}

// appendFields walks the segment's delimiters once. Fields and repetitions are opened
// when their first value is written, so that what is empty leaves no trace.
func (m *Message) appendFields(dst []byte, s Segment) []byte {
	field, start, end := s.fields()
	repetition, component, subcomponent := 1, 1, 1
	open := 0          // repetitions begun in this field
	comma := field > 1 // another field stands before this one
	d := m.delimiters
	for c := m.index.from(start + 1); start < end; {
		start++
		at := c.next(end)
		if start < at {
			switch {
			case open == 0:
				dst = appendField(dst, field, comma)
				dst = appendRepetitions(dst, repetition-1)
				comma = true
			case open < repetition:
				dst = appendRepetitions(dst, repetition-open)
			default:
				dst = append(dst, ',')
			}
			open = repetition
			dst = appendKey(dst, component, subcomponent)
			dst = m.appendValue(dst, m.text[start:at])
			dst = append(dst, '"')
		}
		start = at
		delimiter := d.Field
		if at < end {
			delimiter = m.text[at]
		}
		switch delimiter {
		case d.Field:
			if open > 0 {
				dst = append(dst, "}]"...)
			}
			field, repetition, component, subcomponent, open = field+1, 1, 1, 1, 0
		case d.Component:
			component, subcomponent = component+1, 1
		case d.Repetition:
			repetition, component, subcomponent = repetition+1, 1, 1
		default:
			subcomponent++
		}
	}
	return dst
}

func appendField(dst []byte, field int, comma bool) []byte {
	if comma {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = appendNumber(dst, field)
	return append(dst, `":[{`...)
}

func appendRepetitions(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, "},{"...)
	}
	return dst
}

func appendKey(dst []byte, component, subcomponent int) []byte {
	dst = append(dst, '"')
	dst = appendNumber(dst, component)
	if subcomponent > 1 {
		dst = append(dst, '.')
		dst = appendNumber(dst, subcomponent)
	}
	return append(dst, `":"`...)
}

func appendNumber(dst []byte, n int) []byte {
	if n < 10 {
		return append(dst, byte('0'+n))
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendValue appends a value as the content of a JSON string, its escapes decoded.
func (m *Message) appendValue(dst, value []byte) []byte {
	plain := plainPrefix(value, m.delimiters.Escape)
	dst = append(dst, value[:plain]...)
	if plain == len(value) {
		return dst
	}
	var buffer [256]byte
	return appendQuoted(dst, m.appendDecoded(buffer[:0], value[plain:]))
}

// plainPrefix returns how many bytes at the front of value stand for themselves in
// JSON, found eight at a time (see index.go).
func plainPrefix(value []byte, escape byte) int {
	if escape == 0 {
		escape = '"'
	}
	i := 0
	for ; i+8 <= len(value); i += 8 {
		w := binary.LittleEndian.Uint64(value[i:])
		b := w & low7
		miss := (b ^ '"'*each + low7) & (b ^ '\\'*each + low7) & (b ^ uint64(escape)*each + low7) & (b&(0x60*each) + low7)
		if ^(miss|w)&top != 0 {
			break
		}
	}
	for i < len(value) && value[i] >= ' ' && value[i] != '"' && value[i] != '\\' && value[i] != escape {
		i++
	}
	return i
}

// appendQuoted appends UTF-8 text as the content of a JSON string (RFC 8259, 7).
func appendQuoted(dst, text []byte) []byte {
	const digits = "0123456789abcdef"
	for len(text) > 0 {
		plain := plainPrefix(text, 0)
		dst, text = append(dst, text[:plain]...), text[plain:]
		if len(text) == 0 {
			break
		}
		c := text[0]
		text = text[1:]
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, digits[c>>4], digits[c&15])
		}
	}
	return dst
}
