package hl7

import (
	"bytes"
	"strings"
)

// A Header is what an MSH segment says about its message (HL7 v2.5.1, 2.15.9). What
// the segment leaves out is empty.
type Header struct {
	Type                 string // MSH-9 as "ADT^A01", "ACK" where there is no event; "unknown" where MSH-9 is not of that form
	Message              string // MSH-9.1, the message code
	Event                string // MSH-9.2, the trigger event
	Structure            string // MSH-9.3, the message structure
	Version              string // MSH-12.1
	ControlID            string // MSH-10
	SendingApplication   string // MSH-3.1
	SendingFacility      string // MSH-4.1
	ReceivingApplication string // MSH-5.1
	ReceivingFacility    string // MSH-6.1
	SentAt               string // MSH-7 in ISO 8601, with the precision that it has; empty where it is no date
	Charset              string // the one that MSH-18 declares, as it stands
}

// UnknownType is the type of a message whose MSH-9 does not tell.
const UnknownType = "unknown"

// peekLimit bounds what Peek looks at.
const peekLimit = 64 << 10

// Peek reads only the MSH segment at the front of an input, at a cost that does not
// grow with it. It reports false, and the type "unknown", where there is none that can
// be read; a batch has none.
func Peek(data []byte) (Header, bool) {
	front := data[:min(len(data), peekLimit)]
	start := leadingFrame(front)
	if n := bytes.IndexAny(front[start:], "\r\n"); n >= 0 {
		front = front[:start+n]
	}
	m, err := Parse(front)
	if err != nil {
		return Header{Type: UnknownType}, false
	}
	return m.Header(), true
}

// Header returns what the message's MSH segment says.
func (m *Message) Header() Header {
	if len(m.segments) == 0 {
		return Header{Type: UnknownType}
	}
	places := m.headerPlaces()
	from, to := m.body, places[len(places)-1][0].end
	text, escaped := string(m.text[from:max(from, to)]), m.delimiters.Escape
	whole := escaped == 0 || strings.IndexByte(text, escaped) < 0
	value := func(field, component int) string {
		p := places[field][component-1]
		switch {
		case p.start == p.end:
			return ""
		case whole: // all values share the memory of text
			return text[p.start-from : p.end-from]
		}
		return m.decode(m.text[p.start:p.end])
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

// headerPlaces returns where the first three components of MSH-3 to MSH-18 stand, in
// their first repetition, by field and component (from 0). What is absent is empty, at
// the end of what is there. It walks MSH once, and no further than MSH-18.
func (m *Message) headerPlaces() (places [19][3]segment) {
	first, start, end := m.Segment(0).fields()
	here := place{first, 1, 1, 1}
	delimiters := m.index.from(start)
	if start < end {
		start = delimiters.next(end) + 1
	}
	last := segment{start, start}
	for here.field < len(places) && start < end {
		at := delimiters.next(end)
		if here.repetition == 1 && here.component <= 3 && here.subcomponent == 1 {
			places[here.field][here.component-1] = segment{start, at}
		}
		if last = (segment{at, at}); at == end {
			break
		}
		here = here.after(m.text[at], &m.delimiters)
		start = at + 1
	}
	if end := &places[len(places)-1][0]; end.end == 0 {
		*end = last
	}
	return places
}

// Type returns MSH-9 as message code and trigger event, "ADT^A01", or as the code alone
// where there is no event, "ACK". Where MSH-9 is not of that form (three capital letters
// or digits each, HL7 v2.5.1, 2.15.9.9) it returns [UnknownType], so that the result may
// become a name or an attribute whatever the sender put there.
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

// ControlID returns MSH-10, which an acknowledgment gives back (HL7 v2.5.1, 2.15.9.10).
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
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}
