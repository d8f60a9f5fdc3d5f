package hl7

import (
	"bytes"
	"fmt"
)

// A Message is one ER7 message: its text and an index into it. The zero value is empty
// and ready for [Message.Parse]. Several goroutines may read a Message at once if none
// parses into it or edits it.
type Message struct {
	source []byte // as it came; nil after an edit
	text   []byte // source, or its conversion to UTF-8; always valid UTF-8

	delimiters Delimiters
	body       int // the offset in text of the field separator after MSH-2
	charset    charset

	marks    marks // of text
	escapes  bool  // text has escape characters after MSH-2
	segments []segment

	converted []byte // the memory of text, if that is not source
}

// A segment is text[start:end], without its terminator.
type segment struct{ start, end int }

// Parse reads exactly one message. The error is a [*ParseError].
func Parse(data []byte) (*Message, error) {
	m := new(Message)
	if err := m.Parse(data); err != nil {
		return nil, err
	}
	return m, nil
}

// Parse reads exactly one message into m. It replaces what m held and reuses m's memory.
// The message refers to data, which must not change while m is in use.
//
// A byte order mark, MLLP framing, blank lines and spaces before a segment's name are
// skipped. Segments end at CR, LF or both, in any mixture (HL7 v2.5.1, 2.5.4 allows only
// CR). But if CR ends the first segment, a single LF after it is part of a value, with
// two exceptions. It ends a segment if the name of a standard segment and a field
// separator follow it. It belongs to the terminator in X LF CR and at the end of the
// message.
//
// If data holds another header or a trailer, the error is [ErrSeveralMessages], also if
// the encoding characters of a second MSH cannot be read. A line of text that only begins
// like one, such as "FHS: regular", is text. So are characters that a program has written
// instead of a line end, such as \r or <cr>; the package dictionary reports them. Bytes
// after the end of an MLLP frame are [ErrOutside].
//
// The error is a [*ParseError]. The message is then empty.
func (m *Message) Parse(data []byte) error { return m.ParseAs("", data) }

// ParseAs is like Parse, for data whose character set was also declared outside the
// message, for example in a Content-Type. That declaration is used if MSH-18 declares no
// known set, and only if the data is neither UTF-8 nor ASCII, which can be recognized.
func (m *Message) ParseAs(charset string, data []byte) error {
	m.reset()
	m.charset.outside = charset
	return m.read(data)
}

// ParseIn is like Parse, in a character set that somebody chose, whatever the message
// declares. UTF-16 and UTF-32, which can be recognized, are still read as what they are.
// The error is [ErrCharset] if the set is not known, or else a [*ParseError].
func (m *Message) ParseIn(charset string, data []byte) error {
	m.reset()
	if _, ok := LookupCharset(charset); !ok {
		return fmt.Errorf("hl7: %w", ErrCharset)
	}
	m.charset.decided = charset
	return m.read(data)
}

// ParseChosen is ParseIn, in the character set that somebody chose, or ParseAs, with the
// one that was declared outside the message, if chosen is empty.
func (m *Message) ParseChosen(chosen, declared string, data []byte) error {
	if chosen != "" {
		return m.ParseIn(chosen, data)
	}
	return m.ParseAs(declared, data)
}

// read is Parse for an empty message.
func (m *Message) read(data []byte) error {
	m.source, m.text = data, data
	m.convertWide()
	err := m.parse()
	if err == nil && m.chooseCharset() {
		err = m.parse() // a second time, because characters hid delimiters or seemed to be some
	}
	if err == nil {
		m.chooseHex()
		err = m.checkLayout()
	}
	if err != nil {
		m.placeInSource(err)
		m.reset()
	}
	return err
}

func (m *Message) reset() {
	*m = Message{marks: m.marks, segments: m.segments[:0], converted: m.converted[:0]}
}

// parse indexes m.text and finds its segments.
func (m *Message) parse() error {
	h, err := readHeader(m.text)
	if err != nil {
		return err
	}
	m.delimiters, m.body = h.delimiters, h.body
	m.marks.set(m.text, m.delimiters)
	m.segments, m.escapes, m.charset.switches = m.segments[:0], false, false
	text := m.text[:len(m.text)-trailingFrame(m.text)]
	if err := outsideFrame(text, h.start); err != nil {
		return err
	}
	special := m.marks.special.from(h.body)
	for start := h.start; start < len(text); {
		end := special.next(len(text))
		for end < len(text) && !h.endsSegment(text, end) {
			m.escapes = m.escapes || text[end] == m.delimiters.Escape
			m.charset.switches = m.charset.switches || text[end] == esc
			end = special.next(len(text))
		}
		if err := m.addSegment(start, end); err != nil {
			return err
		}
		start = end + 1
	}
	m.escapes = m.escapes && m.delimiters.Escape != 0
	if m.delimiters.Truncation != 0 && m.before("2.7") {
		m.delimiters.Truncation = 0 // an ordinary character until then
	}
	return nil
}

// addSegment records the segment text[start:end], unless it is blank. In a message that
// mixes styles of terminators, a line feed before the terminator is part of it.
func (m *Message) addSegment(start, end int) error {
	for start < end && m.text[start] <= ' ' {
		start++
	}
	end = start + len(beforeLineFeed(m.text[start:end]))
	if start == end {
		return nil
	}
	if len(m.segments) > 0 {
		if name, mark := markOf(m.text[start:end], m.delimiters.Field); mark != plain && mark != lookalike {
			return &ParseError{Code: "batch", Line: line(m.text, start), Segment: len(m.segments) + 1,
				Path: name, Offset: start, Err: ErrSeveralMessages}
		}
	}
	m.segments = append(m.segments, segment{start, end})
	return nil
}

// Delimiters returns the message's own delimiters (MSH-1 and MSH-2).
func (m *Message) Delimiters() Delimiters { return m.delimiters }

// Len returns how many segments the message has, without blank lines.
func (m *Message) Len() int { return len(m.segments) }

// Segment returns the segment at a 0-based position, in the order of the message. It
// panics if there is none.
func (m *Message) Segment(i int) Segment { return Segment{m, m.segments[i]} }

// A Segment is a view into a [Message]. It is valid until the message is edited or parsed
// into.
type Segment struct {
	m *Message
	segment
}

// Name returns the segment's name, such as "PID": what stands before the first field
// separator. On a line that is not a segment, this is its whole text.
func (s Segment) Name() string { return string(s.name()) }

func (s Segment) name() []byte {
	return s.m.text[s.start:s.separator()]
}

// separator returns the offset of the first field separator, or the segment's end.
func (s Segment) separator() int {
	field := s.m.delimiters.Field
	if name := s.m.text[s.start:s.end]; len(name) > 3 && name[3] == field && name[0] != field && name[1] != field && name[2] != field {
		return s.start + 3 // as nearly all names do
	}
	if n := bytes.IndexByte(s.m.text[s.start:s.end], s.m.delimiters.Field); n >= 0 {
		return s.start + n
	}
	return s.end
}

// fields returns the fields that are numbered from first on, beginning with a field
// separator. It is empty if the segment has none. The delimiters that an MSH segment
// states are fields 1 and 2, and are not part of it (HL7 v2.5.1, 2.15.9.1).
func (s Segment) fields() (first, start, end int) {
	if s.isHeader() {
		return 3, s.m.body, s.end
	}
	return 1, s.separator(), s.end
}

// Raw returns the segment unchanged, without its terminator.
func (s Segment) Raw() []byte { return s.m.text[s.start:s.end:s.end] }

// isHeader reports whether this is the MSH segment.
func (s Segment) isHeader() bool { return s.start < s.m.body }
