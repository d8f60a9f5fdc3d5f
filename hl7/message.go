package hl7

import "math"

// A Message is one ER7 message: its text and an index into it. The zero value is
// empty and ready for [Message.Parse]. Several goroutines may read a Message at once,
// as long as none parses into it or edits it.
type Message struct {
	source []byte // as it came
	text   []byte // source, or its conversion to UTF-8; always valid UTF-8

	delimiters Delimiters
	charset    charset

	offsets  []uint32 // of every delimiter and segment end in text, ascending
	segments []segment
	body     int // of the field separator after MSH-2 in text

	converted []byte // the buffer behind text where it is not source
}

// The delimiters of a segment are offsets[first:last], and offsets[last] is its end.
// The first of them is the field separator after the name, if there is any field.
type segment struct {
	start       uint32 // of the name in text
	first, last uint32 // in offsets
}

// Parse reads exactly one message. The error is a [*ParseError].
func Parse(data []byte) (*Message, error) {
	m := new(Message)
	if err := m.Parse(data); err != nil {
		return nil, err
	}
	return m, nil
}

// Parse reads exactly one message into m, in place of what m held, and uses m's memory
// again. The message refers to data, which must not change while m is in use.
//
// A byte order mark, MLLP framing, blank lines and blanks before a segment's name are
// passed over. Segments end at CR, LF or both, in any mixture (HL7 v2.5.1, 2.5.4 allows
// CR alone); but where CR ends the first segment, a bare LF further on is part of a
// value, unless the name of a standard segment and a field separator follow it.
//
// The error is a [*ParseError], and the message is empty then.
func (m *Message) Parse(data []byte) error {
	m.reset()
	if uint64(len(data)) > math.MaxUint32 {
		return &ParseError{Code: "too-large", Line: 1, Err: ErrTooLarge}
	}
	m.source, m.text = data, data
	m.convertWide()
	err := m.parse()
	if err == nil && m.chooseCharset() {
		err = m.parse() // again, as characters hid delimiters or seemed to hold some
	}
	if err != nil {
		m.reset()
	}
	return err
}

func (m *Message) reset() {
	m.source, m.text = nil, nil
	m.delimiters, m.charset = Delimiters{}, charset{}
	m.offsets, m.segments, m.body = m.offsets[:0], m.segments[:0], 0
}

// parse indexes m.text and finds its segments.
func (m *Message) parse() error {
	h, err := readHeader(m.text)
	if err != nil {
		return err
	}
	end := len(m.text) - trailingFrame(m.text)
	m.delimiters, m.body = h.delimiters, h.body
	m.offsets, m.charset.beyondASCII = index(m.offsets[:0], m.text[:end], h.body, m.delimiters)
	return m.findSegments(h, end)
}

// findSegments walks the index from one segment's end to the next. What it meets there
// of control characters that end nothing is data and leaves the index.
func (m *Message) findSegments(h header, end int) error {
	m.segments = m.segments[:0]
	start, first := h.start, 0
	for k := 0; k < len(m.offsets); k++ {
		at := int(m.offsets[k])
		if m.text[at] >= ' ' {
			continue
		}
		if !h.endsSegment(m.text, at) {
			m.dropData(h, k)
			k--
			continue
		}
		if err := m.addSegment(start, first, k); err != nil {
			return err
		}
		start, first = at+1, k+1
	}
	m.offsets = append(m.offsets, uint32(end))
	return m.addSegment(start, first, len(m.offsets)-1)
}

// dropData takes the control characters that end no segment out of offsets[k:].
func (m *Message) dropData(h header, k int) {
	kept := m.offsets[:k]
	for _, at := range m.offsets[k:] {
		c := m.text[at]
		if c >= ' ' || h.endsSegment(m.text, int(at)) {
			kept = append(kept, at)
		}
		m.charset.escapes = m.charset.escapes || c == esc
	}
	m.offsets = kept
}

// addSegment notes the segment that begins at start, unless it is blank.
func (m *Message) addSegment(start, first, last int) error {
	end := int(m.offsets[last])
	for start < end && m.text[start] <= ' ' {
		start++
	}
	if start == end {
		return nil
	}
	if len(m.segments) > 0 {
		if name, ok := boundary(m.text[start:end]); ok {
			return &ParseError{Code: "batch", Line: line(m.text, start), Segment: len(m.segments) + 1,
				Path: name, Offset: start, Err: ErrSeveralMessages}
		}
	}
	for first < last && m.text[m.offsets[first]] != m.delimiters.Field {
		first++
	}
	m.segments = append(m.segments, segment{uint32(start), uint32(first), uint32(last)})
	return nil
}

// Encode returns the message in ER7: the very bytes that were parsed, or, once edited,
// the text as it now is. It is nil for an empty message. The slice is m's own: it is
// not to be changed.
func (m *Message) Encode() []byte { return m.source }

// Delimiters returns the message's own (MSH-1 and MSH-2).
func (m *Message) Delimiters() Delimiters { return m.delimiters }

// Len returns how many segments the message has, blank lines not counted.
func (m *Message) Len() int { return len(m.segments) }

// Segment returns the segment at a 0-based position, in the order of the message.
// It panics where there is none.
func (m *Message) Segment(i int) Segment { return Segment{m, m.segments[i]} }

// A Segment is a view into a [Message]; it is valid as long as that is not parsed into
// or edited.
type Segment struct {
	m *Message
	segment
}

// Name returns the segment's name, such as "PID": whatever stands before the first
// field separator. On a line that is no segment this is all of its text.
func (s Segment) Name() string { return string(s.name()) }

func (s Segment) name() []byte {
	return s.m.text[s.start:s.m.offsets[s.first]]
}

// Raw returns the segment as it stands, without its terminator.
func (s Segment) Raw() []byte {
	return s.m.text[s.start:s.m.offsets[s.last]]
}

// isHeader reports whether the segment states delimiters of its own, so that the field
// separator itself counts as its first field (HL7 v2.5.1, 2.15.9.1).
func (s Segment) isHeader() bool { return s.start < uint32(s.m.body) }

// line returns the 1-based line of an offset, as an editor counts.
func line(text []byte, offset int) int {
	n := 1
	for i, c := range text[:offset] {
		if c == '\r' || c == '\n' && (i == 0 || text[i-1] != '\r') {
			n++
		}
	}
	return n
}

// boundary tells a segment that begins or ends a message, batch or file (HL7 v2.5.1,
// 2.10.3) from one within a message. MSH counts only with a delimiter after it.
func boundary(text []byte) (name string, ok bool) {
	if len(text) < 3 {
		return "", false
	}
	for _, name := range [...]string{"MSH", "BHS", "FHS", "BTS", "FTS"} {
		if string(text[:3]) == name {
			trailer := name[1] == 'T'
			return name, len(text) > 3 && canDelimit(text[3]) || trailer && (len(text) == 3 || text[3] < ' ')
		}
	}
	return "", false
}
