package dictionary

import (
	"bytes"
	"encoding/json"
	"strconv"

	"hl7lake/hl7"
)

// An Enrichment selects what [Enrich] adds to each segment of a message's JSON. The
// fields themselves stay unchanged.
type Enrichment struct {
	// Names adds "name", which is the segment's, and "names", which are those of the
	// fields and components that have a value: {"5":"Patient Name","5.1":"Family Name"}.
	// As in "fields", a first sub-component has its component's key.
	Names bool
	// Values adds "values": dates and times in ISO 8601 with their own precision, and
	// numbers, in the shape of "fields": {"7":[{"1":"1971-08-20"}]}.
	Values bool
	// Groups adds "group", such as "PATIENT_RESULT[1]/ORDER_OBSERVATION[2]", to a
	// segment that is in one.
	Groups bool
}

// Enrich returns the argument for [hl7.Message.AppendJSON] with which a message's JSON
// carries what m's own version of the standard knows about it.
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
	t := v.typesOf(s)
	for p := range s.Values() {
		field := v.Field(p.Segment, p.Field)
		if field == nil {
			continue
		}
		names[strconv.Itoa(p.Field)] = field.Name
		component := v.component(t.of(field, p), p.Component)
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
	t := v.typesOf(s)
	for p, text := range s.Values() {
		value := typed(t.ofValue(p), text)
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
