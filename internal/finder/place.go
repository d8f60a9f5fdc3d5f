// Package finder is what the functions of the connector Finder and an operator have in
// common: which identifiers of a message can be searched for, and the table in which their
// keyed hashes lead to the messages.
package finder

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"hl7lake/hl7"
)

// Kind says what an identifier is of.
type Kind string

// The kinds that every Finder has. An environment may add others by its own places.
const (
	Patient   Kind = "patient"    // PID-3
	Account   Kind = "account"    // PID-18
	Visit     Kind = "visit"      // PV1-19
	Order     Kind = "order"      // ORC-2, ORC-3, OBR-2 and OBR-3
	ControlID Kind = "control-id" // MSH-10
)

// Valid reports whether k is shaped like a kind: a small letter, then up to 31 small
// letters, digits and dashes.
func (k Kind) Valid() bool { return kindPattern.MatchString(string(k)) }

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// position is a sub-component of a repetition.
type position struct{ component, subcomponent int }

// Place is where identifiers of a kind are in a segment: one in each repetition of a
// field.
type Place struct {
	Kind    Kind
	Segment string
	Field   int
	// value is where the identifier is in a repetition. authorities is where the names of
	// its assigning authority are, if the data type has any.
	value       position
	authorities []position
}

// Places returns the places that every Finder has. The assigning authority of a CX is an
// HD in component 4, of which a sender may give the namespace or a universal id or both
// (HL7 v2.5.1, 2.A.14 and 2.A.33). An EI has the same two as components (2.A.28).
func Places() []Place {
	cx := func(kind Kind, segment string, field int) Place {
		return Place{kind, segment, field, position{1, 1}, []position{{4, 1}, {4, 2}}}
	}
	ei := func(segment string, field int) Place {
		return Place{Order, segment, field, position{1, 1}, []position{{2, 1}, {3, 1}}}
	}
	return []Place{
		{Kind: ControlID, Segment: "MSH", Field: 10, value: position{1, 1}},
		cx(Patient, "PID", 3), cx(Account, "PID", 18), cx(Visit, "PV1", 19),
		ei("ORC", 2), ei("ORC", 3), ei("OBR", 2), ei("OBR", 3),
	}
}

// PlaceError says that a text does not describe a place.
type PlaceError struct{ Text string }

func (e *PlaceError) Error() string {
	return fmt.Sprintf("%q is not a place: want a kind and a path, as accession=OBR-18 or device=OBX-18.1", e.Text)
}

// ParsePlaces reads places in the form kind=path, separated by blanks. A path names a field
// of all segments of that name, and may name a component and sub-component; without them it
// means the first. Such a place has no assigning authority. The error is a *PlaceError.
func ParsePlaces(text string) ([]Place, error) {
	var places []Place
	for each := range strings.FieldsSeq(text) {
		kind, path, _ := strings.Cut(each, "=")
		p, err := hl7.ParsePath(path)
		if err != nil || !Kind(kind).Valid() || p.Field == 0 || p.Occurrence > 0 || p.Repetition > 0 {
			return nil, &PlaceError{each}
		}
		places = append(places, Place{
			Kind: Kind(kind), Segment: p.Segment, Field: p.Field,
			value: position{max(p.Component, 1), max(p.Subcomponent, 1)},
		})
	}
	return places, nil
}

// wants reports whether the place reads a position.
func (p Place) wants(at position) bool {
	if at == p.value {
		return true
	}
	for _, each := range p.authorities {
		if at == each {
			return true
		}
	}
	return false
}

// Kinds returns the kinds of places, each once, in their order.
func Kinds(places []Place) []Kind {
	var kinds []Kind
	for _, p := range places {
		if !slices.Contains(kinds, p.Kind) {
			kinds = append(kinds, p.Kind)
		}
	}
	return kinds
}
