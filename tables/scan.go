package tables

import (
	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// A value is one nonempty value of a message, with its place.
type value struct {
	field, repetition, component, subcomponent int32
	cell                                       parquet.Value // the text, for columns that may be NULL: made once, for all of its rows
}

func newValue(field, repetition, component, subcomponent int, text []byte) value {
	return value{int32(field), int32(repetition), int32(component), int32(subcomponent), textValue(text)}
}

// text returns the value's text; nil if there is no value.
func (v *value) text() []byte {
	if v == nil {
		return nil
	}
	return v.cell.ByteArray()
}

// before orders values by their places.
func (v *value) before(field, repetition, component, subcomponent int32) bool {
	switch {
	case v.field != field:
		return v.field < field
	case v.repetition != repetition:
		return v.repetition < repetition
	case v.component != component:
		return v.component < component
	}
	return v.subcomponent < subcomponent
}

// A segment says where the values of one segment begin and end in a scan.
type segment struct {
	name        string
	slot        slot
	first, last int32
}

// A scan is all values of a message, each decoded once. Its memory is reused for the next
// message. The memory of the texts is not, because rows refer to them until they are
// written.
type scan struct {
	values   []value
	segments []segment
	arena    []byte
	bySlot   map[string]slot
}

// arenaSize is how much memory for texts is allocated at once, in bytes.
const arenaSize = 64 << 10

// read fills the scan with the values of m.
func (s *scan) read(m *hl7.Message) {
	s.values, s.segments = s.values[:0], s.segments[:0]
	for each := range m.Segments() {
		at := segment{name: each.Name(), first: int32(len(s.values))}
		at.slot = s.bySlot[at.name]
		if len(s.segments) == 0 { // hl7 does not yield MSH-1 and MSH-2, which are the delimiters
			for field := range 2 {
				raw, _ := m.RawAt(hl7.Path{Segment: "MSH", Field: field + 1})
				s.values = append(s.values, newValue(field+1, 1, 1, 1, s.keep(string(raw))))
			}
		}
		for path, text := range each.Values() {
			s.values = append(s.values, newValue(path.Field, path.Repetition, path.Component, path.Subcomponent, s.keep(text)))
		}
		at.last = int32(len(s.values))
		s.segments = append(s.segments, at)
	}
}

// keep returns a text as bytes that stay unchanged.
func (s *scan) keep(text string) []byte {
	if len(text) > cap(s.arena)-len(s.arena) {
		s.arena = make([]byte, 0, max(arenaSize, len(text)))
	}
	n := len(s.arena)
	s.arena = append(s.arena, text...)
	return s.arena[n:len(s.arena):len(s.arena)]
}

// find returns the index of the first value of a segment that is at a place or after it,
// or the segment's end if there is none.
func (s *scan) find(at segment, field, repetition, component, subcomponent int32) int32 {
	low, high := at.first, at.last
	for low < high {
		middle := (low + high) / 2
		if s.values[middle].before(field, repetition, component, subcomponent) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// at returns the value at a place of a segment; nil if there is none.
func (s *scan) at(in segment, field, repetition, component, subcomponent int32) *value {
	i := s.find(in, field, repetition, component, subcomponent)
	if i < in.last {
		if v := &s.values[i]; v.field == field && v.repetition == repetition && v.component == component && v.subcomponent == subcomponent {
			return v
		}
	}
	return nil
}

// get returns the text of a component of a segment, of its first sub-component; nil if
// there is none.
func (s *scan) get(in segment, field, repetition, component int32) []byte {
	return s.at(in, field, repetition, component, 1).text()
}

// of returns the values of one field of a segment.
func (s *scan) of(at segment, field int32) []value {
	return s.values[s.find(at, field, 1, 1, 1):s.find(at, field+1, 1, 1, 1)]
}

// eachRepetition calls yield with the number of each nonempty repetition of a field.
func (s *scan) eachRepetition(at segment, field int32, yield func(repetition int32)) {
	last := int32(0)
	for i := s.find(at, field, 1, 1, 1); i < at.last && s.values[i].field == field; i++ {
		if n := s.values[i].repetition; n != last {
			last = n
			yield(n)
		}
	}
}
