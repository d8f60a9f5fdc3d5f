package hl7

import "iter"

// Values returns an iterator over the segment's values that are not empty, in their
// order, with their places. Each place has field, repetition, component and
// sub-component. The text is decoded. MSH-1 and MSH-2 are left out.
func (s Segment) Values() iter.Seq2[Path, string] {
	return func(yield func(Path, string) bool) {
		first, start, end := s.fields()
		if start == end {
			return
		}
		start++
		here := place{first, 1, 1, 1}
		delimiters := s.m.marks.delimiters.from(start)
		name := s.Name()
		for {
			at := delimiters.next(end)
			if start < at && !yield(here.path(name), s.m.decode(s.m.text[start:at])) || at >= end {
				return
			}
			here = here.after(s.m.text[at], &s.m.delimiters)
			start = at + 1
		}
	}
}

// A place is the place of a value in a segment, by HL7's numbers.
type place struct{ field, repetition, component, subcomponent int }

// after returns the place after a delimiter.
func (p place) after(delimiter byte, d *Delimiters) place {
	switch delimiter {
	case d.Field:
		return place{p.field + 1, 1, 1, 1}
	case d.Component:
		return place{p.field, p.repetition, p.component + 1, 1}
	case d.Subcomponent:
		return place{p.field, p.repetition, p.component, p.subcomponent + 1}
	}
	return place{p.field, p.repetition + 1, 1, 1}
}

func (p place) path(segment string) Path {
	return Path{Segment: segment, Field: p.field, Repetition: p.repetition, Component: p.component, Subcomponent: p.subcomponent}
}
