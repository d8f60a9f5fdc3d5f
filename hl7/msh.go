package hl7

import (
	"bytes"
	"strings"
)

// A Header is what an MSH segment says about its message (HL7 v2.5.1, 2.15.9). Missing
// parts are empty.
type Header struct {
	Type                 string // MSH-9 as "ADT^A01", or "ACK" if there is no event; "unknown" if MSH-9 does not have that form
	Message              string // MSH-9.1, the message code
	Event                string // MSH-9.2, the trigger event
	Structure            string // MSH-9.3, the message structure
	Version              string // MSH-12.1
	ControlID            string // MSH-10
	SendingApplication   string // MSH-3.1
	SendingFacility      string // MSH-4.1
	ReceivingApplication string // MSH-5.1
	ReceivingFacility    string // MSH-6.1
	SentAt               string // MSH-7 in ISO 8601, with its own precision; empty if it is not a date
	Charset              string // the one that MSH-18 declares, unchanged
}

// UnknownType is the type of a message without a usable MSH-9.
const UnknownType = "unknown"

// peekLimit is how many bytes Peek looks at, at most.
const peekLimit = 64 << 10

// peekStack is the length of the longest header that Peek reads without allocating
// memory.
const peekStack = 1024

// Peek reads only the MSH segment at the front of an input. Its time does not grow with
// the input. It reports false, and the type "unknown", if there is no MSH that can be
// read. A batch has none.
func Peek(data []byte) (Header, bool) {
	front := data[:min(len(data), peekLimit)]
	start := leadingFrame(front)
	if len(front) == len(data) {
		front = front[:max(start, len(front)-trailingFrame(front))]
	}
	line := front[:start+lineLength(front[start:])]
	if h, err := readHeader(line); err == nil && len(line) <= peekStack && !isOdd(line[h.body:], h.delimiters.Escape) {
		var words [peekStack / 64]uint64
		if x, beyondASCII := index(words[:0]).build(line, h.delimiters); !beyondASCII {
			return headerOf(line, x, h.body, &h.delimiters, nil), true
		}
	}
	if _, encoding := wide(line); encoding == nil && len(line) < len(front) && bytes.IndexByte(line[:start], vt) < 0 {
		line = append(bytes.Clone(line), "\rZ"...) // what looks like the end of a frame stands within a message
	}
	m, err := Parse(line)
	if err != nil {
		return Header{Type: UnknownType}, false
	}
	return m.Header(), true
}

// isOdd reports whether a header can only be read by a whole [Message]: it has escapes,
// an MLLP frame's end, or another character set.
func isOdd(text []byte, escape byte) bool {
	return escape != 0 && bytes.IndexByte(text, escape) >= 0 || bytes.IndexByte(text, esc) >= 0 || bytes.IndexByte(text, fs) >= 0
}

// lineLength returns the length of text up to its first CR or LF. It searches for both in
// pieces, because one of them may be far away or absent.
func lineLength(text []byte) int {
	const piece = 256
	for at := 0; at < len(text); at += piece {
		line := text[at:min(at+piece, len(text))]
		if n := bytes.IndexByte(line, '\r'); n >= 0 {
			line = line[:n]
		}
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		if at += len(line); at < len(text) && isLineEnd(text[at]) {
			return at
		}
		at -= len(line)
	}
	return len(text)
}

// Header returns what the message's MSH segment says.
func (m *Message) Header() Header {
	if len(m.segments) == 0 {
		return Header{Type: UnknownType}
	}
	return headerOf(m.text[:m.segments[0].end], m.index, m.body, &m.delimiters, m)
}

// headerOf reads the MSH segment at the end of text, whose MSH-3 comes after body, with
// the index x. m decodes its values; m may be nil if there is nothing to decode.
func headerOf(text []byte, x index, body int, d *Delimiters, m *Message) Header {
	var places [19]headerPlace
	end := findHeader(&places, text, x, body, d)
	values := string(text[body:end])
	whole := m == nil || d.Escape == 0 || strings.IndexByte(values, d.Escape) < 0
	value := func(field, component int) string {
		p := places[field][component-1]
		switch {
		case p.start == p.end:
			return ""
		case whole: // all values share one piece of memory
			return values[p.start-body : p.end-body]
		}
		return m.decode(text[p.start:p.end])
	}
	message, event := value(9, 1), value(9, 2)
	return Header{
		Type:                 typeOf(message, event),
		Message:              message,
		Event:                event,
		Structure:            value(9, 3),
		Version:              value(12, 1),
		ControlID:            value(10, 1),
		SendingApplication:   value(3, 1),
		SendingFacility:      value(4, 1),
		ReceivingApplication: value(5, 1),
		ReceivingFacility:    value(6, 1),
		SentAt:               ISO8601(value(7, 1)),
		Charset:              value(18, 1),
	}
}

// A headerPlace is where the first three components of a field stand.
type headerPlace [3]struct{ start, end int }

// findHeader sets the places of MSH-3 to MSH-18, of the first repetition and
// sub-component, and returns where the last of them ends. What is absent stays empty. It
// goes through MSH once, and no further than MSH-18.
func findHeader(places *[19]headerPlace, text []byte, x index, body int, d *Delimiters) (last int) {
	field, component, first := 3, 0, true // first: of the component's sub-components
	start, end := min(body+1, len(text)), len(text)
	last = start
	for delimiters := x.from(start); start < end; start = last + 1 {
		last = delimiters.next(end)
		if first && component < len(headerPlace{}) {
			places[field][component].start, places[field][component].end = start, last
		}
		if last == end {
			break
		}
		switch text[last] {
		case d.Field:
			if field++; field == len(places) {
				return last
			}
			component, first = 0, true
		case d.Component:
			component, first = component+1, true
		case d.Subcomponent:
			first = false
		default: // other repetitions are not needed
			component = len(headerPlace{})
		}
	}
	return last
}

// Type returns MSH-9 as message code and trigger event, "ADT^A01", or as the code alone
// if there is no event, "ACK". If MSH-9 does not have that form (three capital letters or
// digits each, HL7 v2.5.1, 2.15.9.9), it returns [UnknownType]. So the result is always
// safe as a name or an attribute.
func (m *Message) Type() string {
	return typeOf(m.msh(9, 1), m.msh(9, 2))
}

func typeOf(code, event string) string {
	switch {
	case !isCode(code) || event != "" && !isCode(event):
		return UnknownType
	case event == "":
		return code
	}
	return code + "^" + event
}

// ControlID returns MSH-10, which an acknowledgment repeats (HL7 v2.5.1, 2.15.9.10).
func (m *Message) ControlID() string { return m.msh(10, 1) }

// Version returns MSH-12.1, such as "2.5.1".
func (m *Message) Version() string { return m.msh(12, 1) }

func (m *Message) msh(field, component int) string {
	if len(m.segments) == 0 {
		return ""
	}
	return m.Segment(0).get(Path{Field: field, Component: component})
}

func isCode(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) || s[i] >= 'a' {
			return false
		}
	}
	return len(s) == 3
}
