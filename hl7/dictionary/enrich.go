package dictionary

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"hl7lake/hl7"
)

// An Enrichment chooses what [Enrich] adds to each segment of a message's JSON. What
// the fields say stays as it is.
type Enrichment struct {
	// Names adds "name", the segment's, and "names", those of the fields and components
	// that have a value: {"5":"Patient Name","5.1":"Family Name"}. As in "fields", a
	// first sub-component goes by its component.
	Names bool
	// Values adds "values": dates and times in ISO 8601 with the precision that they
	// have, and numbers, in the shape of "fields": {"7":[{"1":"1971-08-20"}]}.
	Values bool
	// Groups adds "group", such as "PATIENT_RESULT[1]/ORDER_OBSERVATION[2]", to a
	// segment that is in one.
	Groups bool
}

// Enrich returns what [hl7.Message.AppendJSON] is to be called with for a message, so
// that its JSON carries what m's own version of the standard knows of it.
func Enrich(m *hl7.Message, e Enrichment) hl7.JSON {
	v := Of(m.Version())
	var locations []Location
	if s := v.StructureOf(m); s != nil && e.Groups {
		locations = s.Locate(m)
	}
	return hl7.JSON{Members: func(dst []byte, position int) []byte {
		s := m.Segment(position)
		if locations != nil && locations[position].Group != "" {
			dst = appendMember(dst, "group", locations[position].Group)
		}
		if e.Names {
			dst = v.appendNames(dst, s)
		}
		if e.Values {
			dst = v.appendValues(dst, s)
		}
		return dst
	}}
}

func appendMember(dst []byte, name string, value any) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // strings, numbers and maps of them can always be written
	}
	dst = append(dst, `,"`+name+`":`...)
	return append(dst, bytes.TrimSpace(text.Bytes())...)
}

func (v *Version) appendNames(dst []byte, s hl7.Segment) []byte {
	definition := v.Segment(s.Name())
	if definition == nil {
		return dst
	}
	names := map[string]string{}
	for p := range s.Values() {
		field := v.Field(p.Segment, p.Field)
		if field == nil {
			continue
		}
		names[strconv.Itoa(p.Field)] = field.Name
		component := v.component(fieldType(field, s), p.Component)
		if component == nil {
			continue
		}
		key := strconv.Itoa(p.Field) + "." + strconv.Itoa(p.Component)
		names[key] = component.Name
		if sub := v.component(component.Type, p.Subcomponent); sub != nil && p.Subcomponent > 1 {
			names[key+"."+strconv.Itoa(p.Subcomponent)] = sub.Name
		}
	}
	return appendMember(appendMember(dst, "name", definition.Description), "names", names)
}

func (v *Version) appendValues(dst []byte, s hl7.Segment) []byte {
	values := map[string][]map[string]any{}
	for p, text := range s.Values() {
		value := typed(v.leafType(s, p), text)
		if value == nil {
			continue
		}
		field, key := strconv.Itoa(p.Field), strconv.Itoa(p.Component)
		if p.Subcomponent > 1 {
			key += "." + strconv.Itoa(p.Subcomponent)
		}
		for len(values[field]) < p.Repetition {
			values[field] = append(values[field], map[string]any{})
		}
		values[field][p.Repetition-1][key] = value
	}
	if len(values) == 0 {
		return dst
	}
	return appendMember(dst, "values", values)
}

// fieldType returns a field's data type: that of OBX-5 stands in OBX-2 (HL7 v2.5.1,
// 7.4.2.5).
func fieldType(f *Field, s hl7.Segment) string {
	if s.Name() == "OBX" && f.Type == "VARIES" {
		return s.Get("2")
	}
	return f.Type
}

// leafType returns the primitive data type of a value, empty where that is not known.
func (v *Version) leafType(s hl7.Segment, p hl7.Path) string {
	field := v.Field(p.Segment, p.Field)
	if field == nil {
		return ""
	}
	name := fieldType(field, s)
	for _, n := range []int{p.Component, p.Subcomponent} {
		if name == "TS" && n == 1 {
			return "DTM" // what older versions say in other words
		}
		component := v.component(name, n)
		switch {
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

// typed returns a value of a data type that is a date, a time or a number, nil for any
// other and for what is not of its type.
func typed(dataType, text string) any {
	switch dataType {
	case "DT", "DTM", "TS":
		if iso := hl7.ISO8601(text); iso != "" {
			return iso
		}
	case "TM":
		if iso := hl7.ISO8601("20000101" + text); len(iso) > len("2000-01-01T") {
			return iso[len("2000-01-01T"):]
		}
	case "NM", "SI":
		if n := jsonNumber(text); n != "" {
			return n
		}
	}
	return nil
}

// jsonNumber writes an HL7 number, [+|-]digits[.digits], as JSON does, with the digits
// that it has (HL7 v2.5.1, 2.A.47). It is empty for what is no number.
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
