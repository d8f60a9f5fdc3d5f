// Package dictionary knows what HL7 version 2 calls the parts of a message and what it
// expects of them. It has, for each version, the fields of each segment, the components
// of each data type, the groups of each message structure, the structure of each event,
// and the code tables. With it, a message's JSON can carry names, dates, numbers and
// groups ([Enrich]), and a message can be checked against the standard
// ([Version.Validate]). Parsing does not need it.
//
// The facts are merged from several sources by a rule that generate/main.go states.
// NOTICE.md names the sources. They cover v2.1 to v2.8.2.
package dictionary

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"hl7lake/hl7"
)

// A Usage says whether a field or component must have a value (HL7 v2.5.1, 2.5.3.5).
type Usage byte

// The usages.
const (
	Optional    Usage = 'O'
	Required    Usage = 'R'
	Conditional Usage = 'C'
	Backward    Usage = 'B' // kept for earlier versions
	Withdrawn   Usage = 'W' // no longer used; the number is not given to another field (HL7 v2.7, 2.5.3.4)
)

// A Field is the standard's definition of a field of a segment, or of a component of a
// data type.
type Field struct {
	Name        string
	Type        string // data type, such as "XPN"; "VARIES" if another field decides; empty if Withdrawn
	Usage       Usage
	Repetitions int // the most that are allowed; 0 for no limit
	Length      int // the most characters that are allowed; 0 if the standard gives no limit
	Table       int // the table of its values; 0 for none
}

// A Segment is the definition of a segment.
type Segment struct {
	Name        string
	Description string
	Fields      []Field // field n is at n-1
}

// A DataType is the definition of a data type (HL7 v2.5.1, chapter 2A).
type DataType struct {
	Name        string
	Description string
	Components  []Field // component n is at n-1; none in a primitive type
}

// A Structure is the definition of an abstract message (HL7 v2.5.1, 2.13).
type Structure struct {
	Name        string
	Description string
	Root        *Node // a group without a name

	syntax func() *syntax // built on first use; nil in a Structure that is not the dictionary's
}

// A Node is a segment, a group or a choice of segments within a [Structure].
type Node struct {
	Name     string  // of the segment or group; empty for a choice
	Children []*Node // the members of a group or choice; nil for a segment
	Required bool
	Repeats  bool
}

// AnySegment is the name of a [Node] that stands for a segment of any name, such as the
// segment that holds a master file's entry (HL7 v2.5.1, 8.5.1, MFN_Znn).
const AnySegment = "Hxx"

// A Table is a set of codes, as one version has it. HL7 fixes the values of some tables
// and suggests those of others.
type Table struct {
	Number      int
	Description string            // empty if not known
	Values      map[string]string // from code to meaning, which is empty if not known
	Open        bool              // the standard says that there are more than it lists
}

// A Version is one version of the standard. It is safe for use by several goroutines.
type Version struct {
	Name       string
	segments   map[string]*Segment
	types      map[string]*DataType
	structures map[string]*Structure
	events     map[string]string // such as "ADT_A04": "ADT_A01"; a structure named after its own event is not in it
}

// Latest is the last version that the dictionary knows.
const Latest = "2.8.2"

// Of returns the version that [Lookup] finds for a value of MSH-12.
func Of(msh12 string) *Version {
	v, _ := Lookup(msh12)
	return v
}

// Lookup returns the version that a value of MSH-12 names, such as "2.5.1". Text around
// the number is ignored: "v2.3" and "2.3.1 DE" are 2.3 and 2.3.1.
//
// If the dictionary does not have that version, known is false and the returned version
// is the one to read the message with: the nearest earlier one ("2.3.2" is read as 2.3.1
// and "2.9" as 2.8.2), the first one if there is no earlier one, and [Latest] if the
// value is not a version.
func Lookup(msh12 string) (v *Version, known bool) {
	all := load()
	wanted, ok := hl7.VersionNumber(msh12)
	if !ok {
		return all[len(all)-1], false
	}
	chosen := all[0]
	for _, v := range all {
		if hl7.CompareVersions(v.Name, wanted) <= 0 {
			chosen = v
		}
	}
	return chosen, hl7.CompareVersions(chosen.Name, wanted) == 0
}

// Versions returns an iterator over the versions, oldest first.
func Versions() iter.Seq[*Version] { return slices.Values(load()) }

// Segment returns the definition of a segment, or nil if the version does not have it.
func (v *Version) Segment(name string) *Segment { return v.segments[name] }

// Type returns the definition of a data type, or nil if the version does not have it.
func (v *Version) Type(name string) *DataType { return v.types[name] }

// Structure returns the definition of a message structure such as "ADT_A01", or nil if
// the version does not have it.
func (v *Version) Structure(name string) *Structure { return v.structures[name] }

// Table returns the code table with that number, or nil if the version does not have it.
// Versions before v2.3.1 use the tables of v2.3.1, the first version with known tables.
func (v *Version) Table(number int) *Table { return loadTables()[v.Name][number] }

// StructureOf returns the structure of a message. MSH-9.3 names it. Without MSH-9.3, it
// is the structure of the message code and event, which early senders write in EVN-1
// only, or else the one named after the code.
//
// If the version has none of these, but an earlier one had, the structure is that of the
// last version that had it: senders go on using what the standard has withdrawn. ORM_O01,
// the general order, is not in v2.7 and later, and is that of v2.6 there. StructureOf
// returns nil if no version up to this one has the structure.
func (v *Version) StructureOf(m *hl7.Message) *Structure {
	if s := v.ownStructureOf(m); s != nil {
		return s
	}
	for _, earlier := range slices.Backward(load()) {
		if hl7.CompareVersions(earlier.Name, v.Name) < 0 {
			if s := earlier.ownStructureOf(m); s != nil {
				return s
			}
		}
	}
	return nil
}

// ownStructureOf is StructureOf without the structures of earlier versions.
func (v *Version) ownStructureOf(m *hl7.Message) *Structure {
	h := m.Header()
	event := cmp.Or(h.Event, m.Get("EVN-1"))
	for _, name := range []string{h.Structure, h.Message + "_" + event, h.Message} {
		if s := v.structureNamed(name); s != nil {
			return s
		}
	}
	return nil
}

// StructureFor returns the structure of a message code and an event, such as ADT_A01 for
// "ADT" and "A04". It returns nil if the version does not have the event (HL7 v2.5.1,
// 2.17.3, table 0354, and the chapter of the event).
func (v *Version) StructureFor(code, event string) *Structure {
	return v.structureNamed(code + "_" + event)
}

// structureNamed also accepts the name that a structure would have if its event had its
// own one. Some senders write that into MSH-9.3.
func (v *Version) structureNamed(name string) *Structure {
	if s := v.structures[name]; s != nil {
		return s
	}
	return v.structures[v.events[name]]
}

// Field returns the definition of a segment's field, counting from 1, or nil if the
// version does not have it.
func (v *Version) Field(segment string, field int) *Field {
	if s := v.segments[segment]; s != nil {
		return at(s.Fields, field)
	}
	return nil
}

// component returns the definition of a data type's component, counting from 1.
func (v *Version) component(dataType string, component int) *Field {
	if t := v.types[dataType]; t != nil {
		return at(t.Components, component)
	}
	return nil
}

func at(fields []Field, n int) *Field {
	if n < 1 || n > len(fields) {
		return nil
	}
	return &fields[n-1]
}

// Describe returns the latest version's name for the element at a path.
func Describe(path string) string { return Of(Latest).Describe(path) }

// Describe returns the version's name for the element at a path, from field to
// sub-component: "PID-5.1" is "Patient Name / Family Name". It returns "" if the version
// does not know the element.
func (v *Version) Describe(path string) string {
	p, err := hl7.ParsePath(path)
	if err != nil {
		return ""
	}
	if p.Field == 0 {
		if s := v.segments[p.Segment]; s != nil {
			return s.Description
		}
		return ""
	}
	field := v.Field(p.Segment, p.Field)
	if field == nil {
		return ""
	}
	names := []string{field.Name}
	for _, n := range []int{p.Component, p.Subcomponent} {
		if n == 0 {
			break
		}
		part := v.component(field.Type, n)
		switch {
		case part != nil:
			names, field = append(names, part.Name), part
		case n > 1 || v.types[field.Type] == nil: // the first part of a primitive is the value itself
			return ""
		}
	}
	return strings.Join(names, " / ")
}
