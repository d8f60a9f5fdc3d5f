package hl7

import "iter"

// Segments returns an iterator over the message's segments, in their order.
func (m *Message) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for i := range m.segments {
			if !yield(m.Segment(i)) {
				return
			}
		}
	}
}

// Named returns an iterator over the segments of that name, in their order. Its numbers
// count from 1, like a [Path]'s Occurrence.
func (m *Message) Named(name string) iter.Seq2[int, Segment] {
	return func(yield func(int, Segment) bool) {
		n := 0
		for i := range m.segments {
			if s := m.Segment(i); string(s.name()) == name {
				if n++; !yield(n, s) {
					return
				}
			}
		}
	}
}

// Occurrences returns how many segments of that name the message has.
func (m *Message) Occurrences(name string) int {
	n := 0
	for range m.Named(name) {
		n++
	}
	return n
}

// Repetitions returns how many repetitions the field at a path has: 0 if it is absent or
// empty, and 1 for MSH-1 and MSH-2. It ignores the path's repetition, component and
// sub-component.
func (m *Message) Repetitions(p Path) int {
	s, ok := m.find(p)
	if !ok {
		return 0
	}
	return s.Repetitions(p.Field)
}

// Repetitions returns how many repetitions a field has, 0 if it is absent or empty.
func (s Segment) Repetitions(field int) int {
	raw, _ := s.raw(Path{Field: field})
	if field < 1 || len(raw) == 0 {
		return 0
	}
	n := 1
	if separator := s.m.delimiters.Repetition; separator != 0 && (!s.isHeader() || field > 2) {
		for _, c := range raw {
			if c == separator {
				n++
			}
		}
	}
	return n
}
