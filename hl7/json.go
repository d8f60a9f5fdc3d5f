package hl7

import (
	"bytes"
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
	w := jsonWriter{m: m}
	w.written(append(dst, '['))
	for i := range m.segments {
		if as.Limit > 0 && w.n-len(dst) > as.Limit {
			break
		}
		if i > 0 {
			w.written(append(w.out[:w.n], ','))
		}
		w.segment(i)
		if as.Members != nil {
			w.written(as.Members(w.out[:w.n], i))
		}
		w.written(append(w.out[:w.n], '}'))
	}
	return append(w.out[:w.n], ']')
}

// segment writes the object of a segment, without its closing bracket.
func (w *jsonWriter) segment(i int) {
	s, text := w.m.Segment(i), w.m.text
	first, fields, last := 1, s.separator(), `":{`
	w.grow()
	b := append(w.out[:w.n], `{"seq":`...)
	b = append(appendNumber(b, i+1), `,"id":"`...)
	switch name := text[s.start:fields]; {
	case s.isHeader():
		b = append(b, `MSH","fields":{"1":[{"1":"`...)
		b = appendQuoted(b, text[s.start+3:s.start+4])
		b = append(b, `"}],"2":[{"1":"`...)
		b = append(appendQuoted(b, text[s.start+4:w.m.body]), `"}]`...)
		first, fields, last = 3, w.m.body, "}]"
	case isCode(name):
		b = append(append(b, name[0], name[1], name[2]), `","fields":{`...)
	default:
		b = append(w.m.appendValue(b, name), `","fields":{`...)
	}
	w.written(b)
	if fields < s.end {
		w.fields(first, fields+1, s.end, last)
	}
	w.written(append(w.out[:w.n], '}'))
}

func appendNumber(dst []byte, n int) []byte {
	switch {
	case n < 10:
		return append(dst, '0'+byte(n))
	case n < 100:
		return append(dst, '0'+byte(n/10), '0'+byte(n%10))
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendValue appends a value as the content of a JSON string, with its escapes decoded.
func (m *Message) appendValue(dst, value []byte) []byte {
	if m.delimiters.Escape == 0 || bytes.IndexByte(value, m.delimiters.Escape) < 0 {
		return appendQuoted(dst, value)
	}
	var buffer [256]byte
	return appendQuoted(dst, m.appendDecoded(buffer[:0], value))
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
