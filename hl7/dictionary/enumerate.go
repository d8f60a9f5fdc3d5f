package dictionary

import (
	"iter"
	"maps"
	"slices"
)

// sorted returns an iterator over a map's values in the order of its keys.
func sorted[K int | string, V any](m map[K]V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(m[key]) {
				return
			}
		}
	}
}

// Segments returns an iterator over the version's segments, by name.
func (v *Version) Segments() iter.Seq[*Segment] { return sorted(v.segments) }

// Fields returns an iterator over a segment's fields with their numbers. It yields
// nothing if the version does not have the segment.
func (v *Version) Fields(segment string) iter.Seq2[int, *Field] {
	return func(yield func(int, *Field) bool) {
		s := v.segments[segment]
		for n := 0; s != nil && n < len(s.Fields); n++ {
			if !yield(n+1, &s.Fields[n]) {
				return
			}
		}
	}
}

// Types returns an iterator over the version's data types, by name.
func (v *Version) Types() iter.Seq[*DataType] { return sorted(v.types) }

// Structures returns an iterator over the version's message structures, by name.
func (v *Version) Structures() iter.Seq[*Structure] { return sorted(v.structures) }

// Events returns an iterator over the events that have a structure, sorted by name. It
// yields each event as message code and event ("ADT_A04") with its structure. A structure
// named after an event belongs to that event. A structure for any event, such as ACK, is
// yielded under its code.
func (v *Version) Events() iter.Seq2[string, *Structure] {
	all := maps.Clone(v.structures)
	for event, structure := range v.events {
		all[event] = v.structures[structure]
	}
	return func(yield func(string, *Structure) bool) {
		for _, event := range slices.Sorted(maps.Keys(all)) {
			if !yield(event, all[event]) {
				return
			}
		}
	}
}

// Tables returns an iterator over the version's code tables, by number.
func (v *Version) Tables() iter.Seq[*Table] { return sorted(loadTables()[v.Name]) }
