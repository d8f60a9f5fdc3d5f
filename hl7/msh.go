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
	return Header{
		Type:                 m.Type(),
		Message:              m.msh(9, 1),
		Event:                m.msh(9, 2),
		Structure:            m.msh(9, 3),
		Version:              m.msh(12, 1),
		ControlID:            m.msh(10, 1),
		SendingApplication:   m.msh(3, 1),
		SendingFacility:      m.msh(4, 1),
		ReceivingApplication: m.msh(5, 1),
		ReceivingFacility:    m.msh(6, 1),
		SentAt:               ISO8601(m.msh(7, 1)),
		Charset:              m.msh(18, 1),
	}
}

// Type returns MSH-9 as message code and trigger event, "ADT^A01", or as the code alone
// where there is no event, "ACK". Where MSH-9 is not of that form (three capital letters
// or digits each, HL7 v2.5.1, 2.15.9.9) it returns [UnknownType], so that the result may
// become a name or an attribute whatever the sender put there.
func (m *Message) Type() string {
	code, event := m.msh(9, 1), m.msh(9, 2)
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
