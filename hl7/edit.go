package hl7

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// Encode returns the message in ER7. These are the bytes that were parsed or, after an
// edit, the text in the character set that the message declares. The slice belongs to the
// message and must not be changed. It is nil for an empty message.
func (m *Message) Encode() []byte {
	e := m.outputEncoding()
	switch {
	case m.source != nil:
		return m.source
	case e == nil:
		return m.text
	}
	encoded, err := e.NewEncoder().Bytes(m.text)
	if err != nil { // the text held U+FFFD from the start: edits are checked
		encoded, _ = encoding.ReplaceUnsupported(e.NewEncoder()).Bytes(m.text)
	}
	return encoded
}

// outputEncoding returns the encoding for the text of an edited message, or nil for
// UTF-8.
func (m *Message) outputEncoding() encoding.Encoding {
	if m.charset.encoding != nil || len(m.segments) == 0 {
		return m.charset.encoding
	}
	return m.declaredCharset().encoding
}

// Set replaces the text of the element that [Message.Get] reads at a path. It escapes the
// text as needed. Missing fields, repetitions, components and sub-components before it
// are added empty. The segment must exist. Its time grows with the message. Setting
// MSH-18 changes the character set that [Message.Encode] writes. The error wraps
// [ErrPath], [ErrNoSegment], [ErrNotEncodable] or, for MSH-18, [ErrCharset].
func (m *Message) Set(path, text string) error {
	p, err := ParsePath(path)
	if err != nil {
		return err
	}
	return m.SetAt(p, text)
}

// SetAt is [Message.Set] for a [Path].
func (m *Message) SetAt(p Path, text string) error {
	p.Repetition, p.Component, p.Subcomponent = max(p.Repetition, 1), max(p.Component, 1), max(p.Subcomponent, 1)
	value, err := m.escape(text)
	if err != nil {
		return fmt.Errorf("hl7: %s: %w", p, err)
	}
	return m.set(p, value)
}

// SetRaw replaces what [Message.Raw] returns for a path, such as a field with all its
// repetitions, by bytes that go into the message unchanged (in UTF-8). They may hold
// delimiters, but no line ends. The errors are those of [Message.Set].
func (m *Message) SetRaw(path string, raw []byte) error {
	p, err := ParsePath(path)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(raw, isLineEnd) || !utf8.Valid(raw) || !m.hasCharacters(raw) {
		return fmt.Errorf("hl7: %s: %w", path, ErrNotEncodable)
	}
	return m.set(p, raw)
}

func isLineEnd(c byte) bool { return c == '\r' || c == '\n' }

// escape returns text in the form that it has within the message.
func (m *Message) escape(text string) ([]byte, error) {
	text = strings.ToValidUTF8(text, "\ufffd")
	value, ok := m.appendEscaped(nil, text)
	if !ok {
		return nil, ErrNotEncodable
	}
	if !m.hasCharacters(value) {
		return nil, ErrNotEncodable
	}
	return value, nil
}

// hasCharacters reports whether the message's character set can write a text.
func (m *Message) hasCharacters(text []byte) bool {
	e := m.outputEncoding()
	if e == nil {
		return true
	}
	_, err := e.NewEncoder().Bytes(text)
	return err == nil
}

func (m *Message) set(p Path, value []byte) error {
	s, ok := m.find(p)
	switch {
	case !ok:
		return fmt.Errorf("hl7: %s: %w", p, ErrNoSegment)
	case p.Field == 0 || s.isHeader() && p.Field <= 2: // everything else is written in MSH-1 and MSH-2
		return fmt.Errorf("hl7: %s: %w", p, ErrPath)
	}
	d := m.delimiters
	first, start, end := s.fields()
	missing := ""
	if start == end {
		missing = string(d.Field)
	} else {
		start++
	}
	for _, level := range [...]struct {
		delimiter byte
		n         int
	}{
		{d.Field, p.Field - first + 1}, {d.Repetition, p.Repetition}, {d.Component, p.Component}, {d.Subcomponent, p.Subcomponent},
	} {
		found := 1
		switch {
		case level.n == 0:
			continue
		case missing == "":
			start, end, found = m.reach(start, end, level.delimiter, level.n)
		}
		if found < level.n {
			if level.delimiter == 0 {
				return fmt.Errorf("hl7: %s: %w", p, ErrNotEncodable)
			}
			missing += strings.Repeat(string(level.delimiter), level.n-found)
			start = end
		}
	}
	return m.splice(start, end, append([]byte(missing), value...))
}

// reach is like part, except that if there are fewer than n parts it returns the last one
// and how many there are.
func (m *Message) reach(start, end int, delimiter byte, n int) (int, int, int) {
	for i := 1; ; i++ {
		s, e, ok := m.part(start, end, delimiter, 1)
		if !ok || i == n || e == end {
			return s, e, i
		}
		start = e + 1
	}
}

// AddSegment adds a segment at the end, with the texts of its fields from the first on,
// escaped as needed. The error wraps [ErrNotEncodable], also if the name is not three
// capital letters or digits.
func (m *Message) AddSegment(name string, fields ...string) error {
	return m.InsertSegment(len(m.segments), name, fields...)
}

// InsertSegment inserts a segment like [Message.AddSegment], but before the segment at a
// 0-based position; at [Message.Len] it becomes the last one. The error wraps
// [ErrNoSegment] if it would come before MSH or after the end. Otherwise it is
// AddSegment's.
func (m *Message) InsertSegment(position int, name string, fields ...string) error {
	if position < 1 || position > len(m.segments) {
		return fmt.Errorf("hl7: segment %d: %w", position+1, ErrNoSegment)
	}
	if _, envelope := envelopeName([]byte(name)); envelope || !isCode(name) {
		return fmt.Errorf("hl7: segment name: %w", ErrNotEncodable)
	}
	raw := []byte(name)
	for i, text := range fields {
		value, err := m.escape(text)
		if err != nil {
			return fmt.Errorf("hl7: %s-%d: %w", name, i+1, err)
		}
		raw = append(append(raw, m.delimiters.Field), value...)
	}
	end := m.segments[position-1].end
	return m.splice(end, end, append(m.terminator(), raw...))
}

// DeleteSegment removes the segment at a 0-based position. It panics if there is none,
// and for the MSH segment.
func (m *Message) DeleteSegment(i int) {
	if i == 0 {
		panic("hl7: a message without MSH is none")
	}
	if err := m.splice(m.segments[i-1].end, m.segments[i].end, nil); err != nil {
		panic(err) // removing a segment leaves the header unchanged
	}
}

// Delete removes an element: a whole segment ("NTE[2]"), or one repetition of a field
// ("PID-3[2]"), after which later ones move up. A field, component or sub-component keeps
// its place and becomes empty. It is not an error if the message does not have the
// element. The error wraps [ErrPath], also for MSH and its delimiters.
func (m *Message) Delete(path string) error {
	p, err := ParsePath(path)
	if err != nil {
		return err
	}
	s, ok := m.find(p)
	switch {
	case !ok:
		return nil
	case s.isHeader() && p.Field <= 2:
		return fmt.Errorf("hl7: %s: %w", p, ErrPath)
	case p.Field == 0:
		m.DeleteSegment(slices.Index(m.segments, s.segment))
		return nil
	}
	switch _, ok := s.raw(p); {
	case !ok:
		return nil
	case p.Repetition == 0 || p.Component > 0:
		return m.set(p, nil)
	}
	return m.deleteRepetition(s, p)
}

// deleteRepetition removes a repetition that exists, with the separator before it, or the
// one after it if it is the first.
func (m *Message) deleteRepetition(s Segment, p Path) error {
	first, start, end := s.fields()
	start, end, _ = m.part(start+1, end, m.delimiters.Field, p.Field-first+1)
	start, end, _ = m.part(start, end, m.delimiters.Repetition, p.Repetition)
	switch separator := m.delimiters.Repetition; {
	case separator == 0:
	case m.text[start-1] == separator:
		start--
	case end < len(m.text) && m.text[end] == separator:
		end++
	}
	return m.splice(start, end, nil)
}

// InsertRepetition inserts a text before the repetition that a path names, such as
// "PID-3[2]", as its first component. If the field has fewer repetitions, it is added at
// the end. The error is [Message.Set]'s.
func (m *Message) InsertRepetition(path, text string) error {
	p, err := ParsePath(path)
	if err != nil {
		return err
	}
	if p.Field == 0 || p.Component > 0 {
		return fmt.Errorf("hl7: %s: %w: want that of a repetition, such as PID-3[2]", p, ErrPath)
	}
	p.Repetition = max(p.Repetition, 1)
	if have := m.Repetitions(p); p.Repetition > have {
		p.Repetition = have + 1
		return m.SetAt(p, text)
	}
	if m.delimiters.Repetition == 0 {
		return fmt.Errorf("hl7: %s: %w", p, ErrNotEncodable)
	}
	value, err := m.escape(text)
	if err != nil {
		return fmt.Errorf("hl7: %s: %w", p, err)
	}
	old, _ := m.RawAt(p)
	return m.set(p, slices.Concat(value, []byte{m.delimiters.Repetition}, old))
}

// terminator returns the terminator of the message's first segment, or CR if there is
// none.
func (m *Message) terminator() []byte {
	after := m.text[m.segments[0].end:]
	for _, terminator := range []string{"\r\n", "\r", "\n"} {
		if bytes.HasPrefix(after, []byte(terminator)) {
			return []byte(terminator)
		}
	}
	return []byte{'\r'}
}

// splice replaces text[start:end] and indexes the message again. If that changes MSH-18,
// the message is from then on in the character set that MSH-18 declares.
func (m *Message) splice(start, end int, by []byte) error {
	before, declared := m.text, m.declared()
	m.text = slices.Concat(m.text[:start], by, m.text[end:])
	err := m.parse()
	if err == nil && m.declared() != declared {
		err = m.convertTo(m.declared())
	}
	if err != nil {
		m.text = before
		return errors.Join(err, m.parse())
	}
	m.source = nil
	return nil
}

// declared returns MSH-18.
func (m *Message) declared() string {
	value, _ := m.Segment(0).raw(Path{Field: 18})
	return string(value)
}

// convertTo makes m a message in the character set of a new MSH-18; an empty one means
// UTF-8. It changes m only if the set is known and can write the text.
func (m *Message) convertTo(declared string) error {
	before := m.charset
	m.charset = charset{switches: before.switches}
	c := m.declaredCharset()
	m.charset.name, m.charset.encoding = c.name, c.encoding
	err := ErrCharset
	if c.name != "" || declared == "" {
		err = ErrNotEncodable
		if m.hasCharacters(m.text) {
			m.chooseHex()
			return nil
		}
	}
	m.charset = before
	return fmt.Errorf("hl7: MSH-18: %w", err)
}
