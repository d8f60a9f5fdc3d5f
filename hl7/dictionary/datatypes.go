package dictionary

import (
	"encoding/json"
	"strings"

	"hl7lake/hl7"
)

// Definitions are what a version says about the elements of one segment of a message.
type Definitions struct{ types segmentTypes }

// Definitions returns those of a segment.
func (v *Version) Definitions(s hl7.Segment) Definitions { return Definitions{v.typesOf(s)} }

// At returns the definition of the element at a path within the segment, from field to
// sub-component, and reports whether the version has one. If the segment itself names the
// type of a field, as OBX-2 does for OBX-5, the definition has that type.
func (d *Definitions) At(p hl7.Path) (definition Field, known bool) {
	field := d.types.field(p.Field)
	if field == nil {
		return Field{}, false
	}
	definition = *field
	definition.Type = d.types.of(field, p)
	for _, n := range []int{p.Component, p.Subcomponent} {
		if n == 0 {
			break
		}
		part := d.types.part(definition.Type, n)
		if part == nil {
			return Field{}, false
		}
		definition = *part
	}
	return definition, true
}

// segmentTypes knows the data types of a segment's fields and values.
type segmentTypes struct {
	v       *Version
	segment *Segment // nil if the version does not have the segment
	varies  int      // the field whose type another one names; 0 for none
	by      int      // the field that names it
	named   []string // by the repetitions of that field
}

// typesOf returns the types of a segment, including those that the segment itself names:
// OBX-2 names the type of OBX-5, MFE-5 that of MFE-4 and MFA-6 that of MFA-5, the last
// two repetition by repetition (HL7 v2.5.1, 7.4.2.5, 8.5.2.4 and 8.5.3.5).
func (v *Version) typesOf(s hl7.Segment) segmentTypes {
	t := segmentTypes{v: v, segment: v.segments[s.Name()]}
	switch s.Name() {
	case "OBX":
		t.varies, t.by = 5, 2
	case "MFE":
		t.varies, t.by = 4, 5
	case "MFA":
		t.varies, t.by = 5, 6
	default:
		return t
	}
	for p, text := range s.Values() {
		if p.Field > t.by {
			break
		}
		if p.Field == t.by && p.Component == 1 && p.Subcomponent == 1 {
			for len(t.named) < p.Repetition {
				t.named = append(t.named, "")
			}
			t.named[p.Repetition-1] = text
		}
	}
	return t
}

// of returns the data type of a field at a place in the segment, or "" if it is not
// known.
func (t *segmentTypes) of(f *Field, p hl7.Path) string {
	if f.Type != "VARIES" || p.Field != t.varies || len(t.named) == 0 {
		return f.Type
	}
	n := max(p.Repetition, 1)
	if n > len(t.named) {
		n = 1 // the first one also holds for the others, if they name none
	}
	return t.named[n-1]
}

// field returns the definition of a field of the segment, or nil if there is none.
func (t *segmentTypes) field(n int) *Field {
	if t.segment == nil {
		return nil
	}
	return at(t.segment.Fields, n)
}

// part returns the definition of a data type's component, or nil if there is none. A CE
// may have the components of the CWE that replaces it from v2.6 on. Guides for results in
// v2.5.1 already use them (HL7 v2.6, 2.A.13).
func (t *segmentTypes) part(dataType string, n int) *Field {
	component := t.v.component(dataType, n)
	if component == nil && dataType == "CE" {
		component = t.v.component("CWE", n)
	}
	return component
}

// ofValue returns the primitive data type of a value, or "" if it is not known.
func (t *segmentTypes) ofValue(p hl7.Path) string {
	field := t.field(p.Field)
	if field == nil {
		return ""
	}
	name := t.of(field, p)
	for _, n := range []int{p.Component, p.Subcomponent} {
		if name == "TS" && n == 1 {
			name = "DTM" // older versions use other words
			continue
		}
		switch component := t.part(name, n); {
		case component != nil && component.Usage == Withdrawn:
			name = "ST" // whatever it was before, it is text now
		case component != nil:
			name = component.Type
		case n > 1:
			return ""
		}
	}
	return name
}

// typed returns a value that is a date, a time or a number in a typed form. It returns
// nil for any other data type, and for a text that is not of its type:
//
//   - DT is a date and has no time and no zone (2.A.21)
//   - DTM, and TS that it is part of, may stop at any part (2.A.22 and 2.A.77)
//   - TM is a time of the day, perhaps with a zone (2.A.75)
//   - NM is a number; zeros in front and behind a fraction do not count (2.A.47)
//   - SI is a number that is not negative and has no fraction (2.A.70)
//
// More than four decimals of a second, which the standard does not have, are accepted.
// They do not change the time.
func typed(dataType, text string) any {
	switch dataType {
	case "DT":
		if iso := hl7.ISO8601(text); iso != "" && len(text) <= len("20060102") && isNumeric(text) {
			return iso
		}
	case "DTM", "TS":
		if iso := hl7.ISO8601(text); iso != "" {
			return iso
		}
	case "TM":
		if iso := hl7.ISO8601("20000101" + text); len(iso) > len("2000-01-01T") {
			return iso[len("2000-01-01T"):]
		}
	case "NM":
		if n := jsonNumber(text); n != "" {
			return n
		}
	case "SI":
		if n := jsonNumber(text); n != "" && isNumeric(strings.TrimPrefix(text, "+")) {
			return n
		}
	}
	return nil
}

// maxDecimals is how many decimals of a second a time may have (HL7 v2.5.1, 2.A.22 and
// 2.A.75).
const maxDecimals = 4

// decimals returns how many decimals of a second a time of type DTM, TS or TM has.
func decimals(time string) int {
	_, fraction, _ := strings.Cut(time, ".")
	if zone := strings.IndexAny(fraction, "+-"); zone >= 0 {
		return zone
	}
	return len(fraction)
}

// isNumeric reports whether a text consists of digits only.
func isNumeric(text string) bool { return strings.Trim(text, "0123456789") == "" }

// jsonNumber writes an HL7 number, [+|-]digits[.digits], as JSON does, with the digits
// that it has (HL7 v2.5.1, 2.A.47). It returns "" if the text is not a number.
func jsonNumber(text string) json.Number {
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	} else {
		text = strings.TrimPrefix(text, "+")
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return ""
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return json.Number(sign + whole + fraction)
}
