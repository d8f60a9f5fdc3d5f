package hl7

import (
	"bytes"
	"encoding/binary"
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
	if len(m.segments) == 0 {
		return append(dst, "[]"...)
	}
	w := jsonWriter{m: m}
	w.written(dst)
	for i := range m.segments {
		w.segment(i)
		if as.Members != nil {
			w.written(as.Members(w.out[:w.n], i))
		}
		if as.Limit > 0 && w.n+len("}]")-len(dst) > as.Limit {
			break
		}
	}
	return append(w.out[:w.n], "}]"...)
}

// segment writes the object of a segment, without its closing bracket but with that of
// the segment before.
func (w *jsonWriter) segment(i int) {
	s, text := w.m.segments[i], w.m.text
	b := w.out[:w.n]
	if i == 0 {
		b = append(b, `[{"seq":`...)
	} else {
		b = append(b, `},{"seq":`...)
	}
	b = append(appendNumber(b, i+1), `,"id":"`...)
	if s.start < w.m.body {
		w.header(b, s)
		return
	}
	fields := s.start + 3
	if fields < s.end && text[fields] == w.m.delimiters.Field && isCode(text[s.start:fields]) {
		b = append(b, text[s.start], text[s.start+1], text[s.start+2]) // as nearly all names
	} else {
		fields = w.m.Segment(i).separator()
		b = w.m.appendValue(b, text[s.start:fields])
	}
	b = append(b, `","fields":{`...)
	// What fields writes begins with "}], as if another field stood before. That goes
	// over the end of b, which is then put back.
	begin := len(b) - len(`s":{`)
	w.written(b[:begin])
	if w.fields(1, fields+1, s.end); w.n == begin {
		w.written(append(w.out[:begin], `s":{}`...))
		return
	}
	*(*[4]byte)(w.out[begin:]) = [4]byte{'s', '"', ':', '{'}
	w.written(append(w.out[:w.n], `"}]}`...))
}

// header appends the rest of an MSH segment's object to b. Its first two fields are the
// delimiters. They are not divided.
func (w *jsonWriter) header(b []byte, s segment) {
	text := w.m.text
	b = append(b, `MSH","fields":{"1":[{"1":"`...)
	b = appendQuoted(b, text[s.start+3:s.start+4])
	b = append(b, `"}],"2":[{"1":"`...)
	w.written(appendQuoted(b, text[s.start+4:w.m.body]))
	w.fields(3, w.m.body+1, s.end)
	w.written(append(w.out[:w.n], `"}]}`...))
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
	for i := 0; i < len(text); i++ {
		if len(text)-i >= 8 && isPlain(binary.LittleEndian.Uint64(text[i:])) {
			i += 7
			continue
		}
		c := text[i]
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

// isPlain reports whether eight bytes stand in a JSON string as they are. It compares
// them as [wordMarker] does.
func isPlain(eight uint64) bool {
	b := eight & low7
	miss := ((b ^ '"'*each) + low7) & ((b ^ '\\'*each) + low7) & (b&(0x60*each) + low7)
	return (miss|eight)&top == top
}
