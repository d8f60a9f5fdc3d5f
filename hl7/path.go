package hl7

import (
	"fmt"
	"strconv"
	"strings"
)

// A Path names an element of a message by HL7's own numbers, which count from 1 (HL7
// v2.5.1, 2.5.2 and 2.5.3). Zero stands for a number that is not given.
//
//	PID-5           field 5 of the first PID segment
//	PID-3[2].4.1    sub-component 1 of component 4 of the second repetition of field 3
//	OBX[3]-5        field 5 of the third OBX segment
type Path struct {
	Segment      string // the segment's name
	Occurrence   int    // its number among the segments of that name
	Field        int
	Repetition   int
	Component    int
	Subcomponent int
}

// ParsePath reads a path. It also accepts a dot in place of the dash after the segment's
// name. The error wraps [ErrPath]. Its text has the right spelling of paths that other
// libraries write as PID-3-2 or PID-3(1).
func ParsePath(s string) (Path, error) {
	p, ok := parsePath(s)
	if ok {
		return p, nil
	}
	if right := respell(s); right != s {
		if _, ok := parsePath(right); ok {
			return Path{}, fmt.Errorf("hl7: %w: %q, which is %q here", ErrPath, s, right)
		}
	}
	return Path{}, fmt.Errorf("hl7: %w: %q, want one as PID-5, PID-3[2].4.1 or OBX[3]-5", ErrPath, s)
}

func parsePath(s string) (p Path, ok bool) {
	var rest string
	p.Segment, rest = cutName(s)
	ok = cutNumber(&rest, "[", "]", &p.Occurrence) &&
		cutNumber(&rest, "-", "", &p.Field) &&
		(p.Field > 0 || cutNumber(&rest, ".", "", &p.Field)) &&
		cutNumber(&rest, "[", "]", &p.Repetition) &&
		cutNumber(&rest, ".", "", &p.Component) &&
		cutNumber(&rest, ".", "", &p.Subcomponent)
	return p, ok && rest == "" && isSegmentName(p.Segment)
}

// respell rewrites a path as ParsePath reads it, as far as possible: a path of HAPI
// (PID-3-2, PID-3(1)-2, /.OBX(2)-5, whose repetitions count from 0), or one with colons,
// spaces or small letters.
func respell(s string) string {
	s = strings.TrimLeft(strings.ToUpper(strings.TrimSpace(s)), "/.")
	segment, rest, found := strings.Cut(strings.NewReplacer(" ", "-", ":", "-").Replace(s), "-")
	if found {
		segment += "-" + strings.ReplaceAll(rest, "-", ".")
	}
	return respellCounts(segment)
}

// respellCounts replaces each number in parentheses, which counts from 0, by one in
// brackets, which counts from 1.
func respellCounts(s string) string {
	before, after, found := strings.Cut(s, "(")
	digits, after, ended := strings.Cut(after, ")")
	n, err := strconv.ParseUint(digits, 10, 31)
	if !found || !ended || err != nil {
		return s
	}
	return fmt.Sprintf("%s[%d]%s", before, n+1, respellCounts(after))
}

// isSegmentName reports whether a name may be a segment's: capital letters and digits.
func isSegmentName(name string) bool {
	for i := range len(name) {
		if !isAlphanumeric(name[i]) || name[i] >= 'a' {
			return false
		}
	}
	return name != ""
}

// cutName takes what stands before a number from the front of s; it may be empty.
func cutName(s string) (name, rest string) {
	n := strings.IndexAny(s, "-.[")
	if n < 0 {
		n = len(s)
	}
	return s[:n], s[n:]
}

// cutNumber takes an optional number between open and end from the front of s.
func cutNumber(s *string, open, end string, n *int) bool {
	digits, found := strings.CutPrefix(*s, open)
	if !found {
		return true
	}
	i := 0
	for i < len(digits) && i < 9 && '0' <= digits[i] && digits[i] <= '9' {
		*n = *n*10 + int(digits[i]-'0')
		i++
	}
	rest, ended := strings.CutPrefix(digits[i:], end)
	*s = rest
	return *n > 0 && ended
}

// String returns the path as [ParsePath] reads it.
func (p Path) String() string {
	b := []byte(p.Segment)
	part := func(before string, n int, after string) {
		if n > 0 {
			b = append(strconv.AppendInt(append(b, before...), int64(n), 10), after...)
		}
	}
	part("[", p.Occurrence, "]")
	part("-", p.Field, "")
	part("[", p.Repetition, "]")
	part(".", p.Component, "")
	part(".", p.Subcomponent, "")
	return string(b)
}

// Get returns the text at a path such as "PID-5.1", with its escapes decoded. If the path
// leaves out a number, it is the first segment, repetition, component or sub-component,
// as HL7 says for a value whose parts a receiver does not know (HL7 v2.5.1, 2.8). The
// text is empty if the element is absent or empty, and if the path is not valid. A null
// is `""` ([Null]).
func (m *Message) Get(path string) string {
	text, _ := m.Text(path) // which is empty after an error
	return text
}

// Text is like [Message.Get] for a path that may not be valid, such as a user's. The
// error wraps [ErrPath].
func (m *Message) Text(path string) (string, error) {
	p, err := ParsePath(path)
	if err != nil {
		return "", err
	}
	return m.GetAt(p), nil
}

// GetAt is [Message.Get] for a [Path].
func (m *Message) GetAt(p Path) string {
	s, ok := m.find(p)
	if !ok {
		return ""
	}
	return s.get(p)
}

// Raw returns the bytes at a path unchanged: all repetitions for "PID-3", all components
// for "PID-3[1]". It reports false if the message does not reach that far: an empty
// element is not the same as an absent one. If the character set is not UTF-8, these are
// the bytes after conversion.
func (m *Message) Raw(path string) ([]byte, bool) {
	p, err := ParsePath(path)
	if err != nil {
		return nil, false
	}
	return m.RawAt(p)
}

// RawAt is [Message.Raw] for a [Path].
func (m *Message) RawAt(p Path) ([]byte, bool) {
	s, ok := m.find(p)
	if !ok {
		return nil, false
	}
	return s.raw(p)
}

// Null is a value that the receiver is to delete. An empty value, in contrast, means that
// the sender does not say anything (HL7 v2.5.1, 2.5.3).
const Null = `""`

// Find returns the n-th segment of that name, counting from 1.
func (m *Message) Find(name string, n int) (Segment, bool) {
	return m.find(Path{Segment: name, Occurrence: n})
}

func (m *Message) find(p Path) (Segment, bool) {
	n := max(p.Occurrence, 1)
	for i := range m.segments {
		if s := m.Segment(i); string(s.name()) == p.Segment {
			if n--; n == 0 {
				return s, true
			}
		}
	}
	return Segment{}, false
}

// Get is like [Message.Get] within the segment. The path leaves out the segment's name:
// "5.1".
func (s Segment) Get(path string) string {
	p, ok := fieldPath(path)
	if !ok {
		return ""
	}
	return s.get(p)
}

// RawField is like [Message.Raw] within the segment. The path leaves out the segment's
// name: "5[2]".
func (s Segment) RawField(path string) ([]byte, bool) {
	p, ok := fieldPath(path)
	if !ok {
		return nil, false
	}
	return s.raw(p)
}

func fieldPath(path string) (Path, bool) {
	p, err := ParsePath("S-" + path)
	return p, err == nil
}

func (s Segment) get(p Path) string {
	if p.Field == 0 {
		return ""
	}
	p.Repetition, p.Component, p.Subcomponent = max(p.Repetition, 1), max(p.Component, 1), max(p.Subcomponent, 1)
	raw, _ := s.raw(p)
	return s.m.decode(raw) // MSH-1 and MSH-2 have no escapes: these need a letter
}

func (s Segment) raw(p Path) ([]byte, bool) {
	if p.Field == 0 {
		return s.Raw(), true
	}
	if s.isHeader() && p.Field <= 2 {
		return s.delimiterField(p)
	}
	d := s.m.delimiters
	first, start, end := s.fields()
	ok := start < end
	if ok {
		start, end, ok = s.m.part(start+1, end, d.Field, p.Field-first+1)
	}
	if ok && p.Repetition > 0 {
		start, end, ok = s.m.part(start, end, d.Repetition, p.Repetition)
	}
	if ok && p.Component > 0 {
		start, end, ok = s.m.part(start, end, d.Component, p.Component)
	}
	if ok && p.Subcomponent > 0 {
		start, end, ok = s.m.part(start, end, d.Subcomponent, p.Subcomponent)
	}
	if !ok {
		return nil, false
	}
	return s.m.text[start:end:end], true
}

// part returns the n-th of the parts into which a delimiter divides text[start:end].
func (m *Message) part(start, end int, delimiter byte, n int) (int, int, bool) {
	if delimiter == 0 {
		return start, end, n == 1
	}
	c := m.marks.delimiters.from(start)
	for {
		at := c.next(end)
		switch {
		case at == end:
			return start, end, n == 1
		case m.text[at] != delimiter:
		case n == 1:
			return start, at, true
		default:
			n--
			start = at + 1
		}
	}
}

// delimiterField returns MSH-1 or MSH-2, which are never divided.
func (s Segment) delimiterField(p Path) ([]byte, bool) {
	if max(p.Repetition, p.Component, p.Subcomponent) > 1 {
		return nil, false
	}
	if p.Field == 1 {
		return s.m.text[s.start+3 : s.start+4], true
	}
	return s.m.text[s.start+4 : s.m.body], true
}
