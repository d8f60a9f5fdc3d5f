package hl7

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// JSON says how [Message.AppendJSON] writes. The zero value is the lake's shape.
type JSON struct {
	// Members, if set, appends more members to the object of the segment at a 0-based
	// position, each with a comma before it. The package dictionary makes such a function
	// that adds names, dates and groups. [FromJSON] ignores these members.
	Members func(dst []byte, position int) []byte

	// Limit is how many bytes may be appended; zero means any number. The segment that
	// exceeds it is the last one written, and the JSON is then incomplete: if more than
	// Limit bytes were appended, discard them. A segment's JSON is at most some ten times
	// as long as the segment, but forty times for the shortest one, of one letter.
	Limit int
}

// AppendJSON appends the message's segments to dst as a JSON array on one line:
//
//	[{"seq":1,"id":"PID","fields":{"3":[{"1":"123456789","4":"USSSA","4.2":"2.16.840"}]}}]
//
// Keys are HL7's numbers. A field is always a list of its repetitions. A component's
// first sub-component has the component's number as its key. An empty element has no key,
// except that {} keeps the place of an empty repetition before another one. A null is
// "\"\"". Escapes are decoded. MSH-1 and MSH-2 are unchanged. The shape is the same for
// every version and type of message, and always valid UTF-8.
func (m *Message) AppendJSON(dst []byte, as JSON) []byte {
	start := len(dst)
	dst = append(dst, '[')
	for i := range m.segments {
		if as.Limit > 0 && len(dst)-start > as.Limit {
			break
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = m.appendSegment(dst, i)
		if as.Members != nil {
			dst = as.Members(dst, i)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendSegment appends the object of a segment without its closing bracket.
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
		if name := s.name(); isCode(string(name)) {
			dst = append(dst, name...)
		} else {
			dst = m.appendValue(dst, s.start, s.start+len(name))
		}
		dst = append(dst, `","fields":{`...)
	}
	dst = m.appendFields(dst, s)
	return append(dst, '}')
}

// A place is the place of a value in a segment, by HL7's numbers.
type place struct{ field, repetition, component, subcomponent int }

// appendFields goes through the segment's delimiters once. Brackets are written when a
// value needs them, so that empty elements leave no trace.
func (m *Message) appendFields(dst []byte, s Segment) []byte {
	first, start, end := s.fields()
	if start == end {
		return dst
	}
	start++
	if m.isPlain(start, end) {
		return m.appendPlainFields(dst, first, start, end)
	}
	here, open := place{first, 1, 1, 1}, place{}
	delimiters := m.index.from(start)
	for {
		at := delimiters.next(end)
		if start < at {
			dst = appendPlace(dst, open, here, first)
			dst = m.appendValue(dst, start, at)
			dst = append(dst, '"')
			open = here
		}
		if at >= end {
			break
		}
		here = here.after(m.text[at], &m.delimiters)
		start = at + 1
	}
	if open.field > 0 {
		dst = append(dst, "}]"...)
	}
	return dst
}

// after returns the place after a delimiter.
func (p place) after(delimiter byte, d *Delimiters) place {
	switch delimiter {
	case d.Field:
		return place{p.field + 1, 1, 1, 1}
	case d.Component:
		return place{p.field, p.repetition, p.component + 1, 1}
	case d.Subcomponent:
		return place{p.field, p.repetition, p.component, p.subcomponent + 1}
	}
	return place{p.field, p.repetition + 1, 1, 1}
}

// appendPlace closes what is open after the value at one place, and opens what the value
// at the next place needs, up to its opening quote.
func appendPlace(dst []byte, open, here place, first int) []byte {
	switch {
	case open.field != here.field:
		if open.field > 0 {
			dst = append(dst, "}]"...)
		}
		if open.field > 0 || first > 1 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = appendNumber(dst, here.field)
		dst = append(dst, `":[{`...)
		for range here.repetition - 1 {
			dst = append(dst, "},{"...)
		}
	case open.repetition != here.repetition:
		for range here.repetition - open.repetition {
			dst = append(dst, "},{"...)
		}
	default:
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = appendNumber(dst, here.component)
	if here.subcomponent > 1 {
		dst = append(dst, '.')
		dst = appendNumber(dst, here.subcomponent)
	}
	return append(dst, `":"`...)
}

func appendNumber(dst []byte, n int) []byte {
	if n < 10 {
		return append(dst, byte('0'+n))
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendValue appends text[start:end] as the content of a JSON string, with its escapes
// decoded. It copies eight bytes at a time as long as none of them needs another form.
func (m *Message) appendValue(dst []byte, start, end int) []byte {
	length := len(dst)
	dst = slices.Grow(dst, end-start+64)
	for start < end && start+8 <= len(m.text) {
		w := binary.LittleEndian.Uint64(m.text[start:])
		binary.LittleEndian.PutUint64(dst[length:length+8], w)
		n := min(8, end-start)
		if special(w, m.delimiters.Escape)<<(64-8*n) != 0 {
			break
		}
		start, length = start+n, length+n
	}
	dst = dst[:length]
	if start == end {
		return dst
	}
	var buffer [256]byte
	return appendQuoted(dst, m.appendDecoded(buffer[:0], m.text[start:end]))
}

// special returns a bit for each byte of a word that JSON writes in another form, and for
// each escape character (see index.go).
func special(w uint64, escape byte) uint64 {
	b := w & low7
	miss := ((b ^ '"'*each) + low7) & ((b ^ '\\'*each) + low7) & ((b ^ uint64(escape)*each) + low7) & (b&(0x60*each) + low7)
	return ^(miss | w) & top
}

// appendQuoted appends UTF-8 text as the content of a JSON string (RFC 8259, 7).
func appendQuoted(dst, text []byte) []byte {
	const digits = "0123456789abcdef"
	plain := 0
	for i, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[plain:i]...)
		plain = i + 1
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
	return append(dst, text[plain:]...)
}
