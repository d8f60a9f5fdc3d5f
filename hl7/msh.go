package hl7

import (
	"bytes"
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
	if h, err := readHeader(line); err == nil && len(line) <= peekStack {
		var words [2][peekStack/64 + 1]uint64
		marks := marks{delimiters: words[0][:wordsOf(len(line))], special: words[1][:wordsOf(len(line))]}
		marks.fill(line, h.delimiters)
		special := marks.special.from(h.body)
		if !marks.beyondASCII && (special.next(len(line)) == len(line) || !isOdd(line[h.body:], h.delimiters.Escape)) {
			return headerOf(line, marks.delimiters, h.body, &h.delimiters, nil), true
		}
	}
	if _, encoding := wide(line); encoding == nil && bytes.IndexByte(line[:start], vt) < 0 {
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
	return headerOf(m.text[:m.segments[0].end], m.marks.delimiters, m.body, &m.delimiters, m)
}

// headerOf reads the MSH segment at the end of text, whose MSH-3 comes after body, with
// the index x. m decodes its values; m may be nil if there is nothing to decode.
func headerOf(text []byte, x index, body int, d *Delimiters, m *Message) Header {
	var places headerPlaces
	end := findHeader(&places, text, x, body, d)
	escaped := m != nil && d.Escape != 0 && bytes.IndexByte(text[body:end], d.Escape) >= 0
	// All strings share one allocation: the values unchanged, then MSH-7 in ISO 8601,
	// then the type.
	var stack [256]byte
	memory := append(stack[:0], text[body:end]...)
	raw := func(slot headerSlot) []byte { return text[places[slot].start:places[slot].end] }
	typeAt := len(memory)
	if !escaped {
		memory = appendISO8601(memory, string(raw(sentAt)))
		typeAt = len(memory)
		memory = appendType(memory, raw(messageCode), raw(triggerEvent))
	}
	all := string(memory)
	value := func(slot headerSlot) string {
		if escaped {
			return m.decode(raw(slot))
		}
		return all[places[slot].start-body : places[slot].end-body]
	}
	h := Header{
		Type:                 all[typeAt:],
		Message:              value(messageCode),
		Event:                value(triggerEvent),
		Structure:            value(messageStructure),
		Version:              value(version),
		ControlID:            value(controlID),
		SendingApplication:   value(sendingApplication),
		SendingFacility:      value(sendingFacility),
		ReceivingApplication: value(receivingApplication),
		ReceivingFacility:    value(receivingFacility),
		SentAt:               all[end-body : typeAt],
		Charset:              value(characterSet),
	}
	if escaped {
		h.Type, h.SentAt = typeOf(h.Message, h.Event), ISO8601(value(sentAt))
	}
	return h
}

// A headerSlot is one of the values of an MSH segment that a [Header] has.
type headerSlot uint8

const (
	notWanted headerSlot = iota
	sendingApplication
	sendingFacility
	receivingApplication
	receivingFacility
	sentAt
	messageCode
	triggerEvent
	messageStructure
	controlID
	version
	characterSet
	headerSlots
)

// slotOf returns the slot of a component in the first repetition of a field from 3 to 18.
func slotOf(field, component int) headerSlot {
	if component == 1 {
		return [...]headerSlot{3: sendingApplication, sendingFacility, receivingApplication, receivingFacility, sentAt,
			9: messageCode, controlID, 12: version, 18: characterSet}[field]
	}
	switch {
	case field != 9:
		return notWanted
	case component == 2:
		return triggerEvent
	case component == 3:
		return messageStructure
	}
	return notWanted
}

// headerPlaces are the offsets of the values in the text. The place of notWanted is not
// used.
type headerPlaces [headerSlots]struct{ start, end int }

// findHeader sets the places of the values, each without its further sub-components, and
// returns where the last of them ends. A missing value is empty. findHeader goes through
// MSH once, and no further than MSH-18.
func findHeader(places *headerPlaces, text []byte, x index, body int, d *Delimiters) (last int) {
	for i := range places {
		places[i].start, places[i].end = body, body
	}
	field, component, slot := 3, 1, sendingApplication
	start, end := min(body+1, len(text)), len(text)
	last = start
	delimiters := x.from(start)
	for ; start < end; start = last + 1 {
		last = delimiters.next(end)
		places[slot].start, places[slot].end = start, last
		if last == end {
			break
		}
		switch text[last] {
		case d.Field:
			if field++; field > 18 {
				return last
			}
			component = 1
			slot = slotOf(field, component)
		case d.Component:
			if component > 0 {
				component++
				slot = slotOf(field, component)
			}
		case d.Subcomponent:
			slot = notWanted
		default: // other repetitions are not needed
			component, slot = 0, notWanted
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

func typeOf(code, event string) string { return string(appendType(nil, code, event)) }

func appendType[T string | []byte](dst []byte, code, event T) []byte {
	switch {
	case !isCode(code) || len(event) > 0 && !isCode(event):
		return append(dst, UnknownType...)
	case len(event) == 0:
		return append(dst, code...)
	}
	return append(append(append(dst, code...), '^'), event...)
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

func isCode[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) == 3
}
