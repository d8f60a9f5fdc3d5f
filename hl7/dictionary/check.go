package dictionary

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"hl7lake/hl7"
)

// segment checks a segment, its place, and its fields.
func (c *check) segment(s hl7.Segment, position int, w *walk) {
	c.position = position
	name := placeName(s.Name())
	c.seen[name]++
	p := hl7.Path{Segment: name, Occurrence: c.seen[name]}
	c.place(p, w)
	if !c.ends(s, p) {
		return
	}
	definition := c.v.Segment(name)
	if definition == nil {
		if c.strict && name[0] != 'Z' {
			c.report(UnknownSegment, p, "")
		}
		return
	}
	types := c.v.typesOf(s)
	c.divide(s, len(definition.Fields))
	for n := range definition.Fields {
		c.field(p, n+1, &types)
	}
	c.values(s, p, &types)
}

// divide splits a segment's first fields into their parts.
func (c *check) divide(s hl7.Segment, most int) {
	c.fields = c.fields[:0]
	if c.position == 1 {
		c.fields = append(c.fields, []byte{c.delimiters.Field})
	}
	_, rest, more := cut(s.Raw(), c.delimiters.Field) // the name
	for more && len(c.fields) < most {
		var raw []byte
		raw, rest, more = cut(rest, c.delimiters.Field)
		c.fields = append(c.fields, raw)
	}
}

// place checks where in the structure a segment stands. A Z segment may stand anywhere.
func (c *check) place(p hl7.Path, w *walk) {
	if w == nil {
		return
	}
	switch placed := w.step(); {
	case p.Segment[0] == 'Z':
	case placed == misplaced:
		c.report(Misplaced, p, "")
	case placed == unknown:
		c.report(UnexpectedSegment, p, "")
	}
}

// noName stands for the name of a line of text that is not a segment.
const noName = "???"

// placeName returns a name for findings. It never returns text from a line that is not a
// segment.
func placeName(name string) string {
	if len(name) != 3 {
		return noName
	}
	for _, c := range name {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return noName
		}
	}
	return name
}

// field checks a field as a whole.
func (c *check) field(p hl7.Path, n int, types *segmentTypes) {
	p.Field = n
	f := types.field(n)
	isDelimiters := c.position == 1 && n <= 2
	raw := c.raw(n)
	if !c.hasValue(raw) && !isDelimiters {
		if f.Usage == Required || f.Usage == Conditional && n == types.by && c.isResult(types.varies) {
			c.report(MissingField, p, f.Name)
		}
		return
	}
	if c.strict && f.Usage == Withdrawn {
		c.report(WithdrawnField, p, f.Name)
	}
	if !isDelimiters {
		c.repetitions(p, f, raw, types)
	}
}

// repetitions checks each repetition of a field.
func (c *check) repetitions(p hl7.Path, f *Field, raw []byte, types *segmentTypes) {
	beyond := false
	for more := true; more; {
		var value []byte
		value, raw, more = cut(raw, c.delimiters.Repetition)
		p.Repetition++
		if !c.hasValue(value) {
			continue
		}
		if f.Repetitions > 0 && p.Repetition > f.Repetitions && !beyond {
			c.report(TooManyRepetitions, p, fmt.Sprintf("at most %d", f.Repetitions))
			beyond = true
		}
		if hasUnknownEscape(value, c.delimiters.Escape) {
			c.report(UnknownEscape, p, "it stands in the text as it is")
		}
		if c.strict && string(value) != hl7.Null {
			c.repetition(p, f, types.of(f, p), value)
		}
	}
}

// raw returns a field of the segment, unchanged. It is empty if the segment does not
// reach that far.
func (c *check) raw(n int) []byte {
	if n > len(c.fields) {
		return nil
	}
	return c.fields[n-1]
}

// isResult reports whether OBX-5 holds a value that is of a type, so that OBX-2 must name
// it. If OBX-11 is X, there is no result (HL7 v2.5.1, 7.4.2.2, and table 0085).
func (c *check) isResult(obx5 int) bool {
	value := c.raw(obx5)
	return c.hasValue(value) && string(value) != hl7.Null && string(c.raw(11)) != "X"
}

// hasValue reports whether a part of a segment holds more than delimiters.
func (c *check) hasValue(raw []byte) bool {
	d := c.delimiters
	for _, b := range raw {
		if b != d.Repetition && b != d.Component && b != d.Subcomponent {
			return true
		}
	}
	return false
}

// repetition checks the length of one repetition of a field, and the components that its
// data type requires.
func (c *check) repetition(p hl7.Path, f *Field, dataType string, value []byte) {
	t := c.v.Type(dataType)
	if most := longest(f, t); most > 0 && c.length(value) > most && !c.isCode(f, value) {
		c.report(TooLong, p, fmt.Sprintf("at most %d characters", most))
	}
	if t == nil {
		return
	}
	for i, component := range t.Components {
		p.Component = i + 1
		var part []byte
		if part, value, _ = cut(value, c.delimiters.Component); component.Usage == Required && !c.hasValue(part) {
			c.report(MissingComponent, p, f.Name+" / "+component.Name)
		}
	}
}

// longest returns how many characters a repetition of a field may have, or 0 for any
// number. If the components of its data type together may be longer than the field, their
// length counts. An example is the EI in OBR-3, a field of 22 characters in v2.5.1.
func longest(f *Field, t *DataType) int {
	if f.Length == 0 || t == nil || len(t.Components) == 0 {
		return f.Length
	}
	together := len(t.Components) - 1
	for _, component := range t.Components {
		if component.Length == 0 {
			return f.Length
		}
		together += component.Length
	}
	return max(f.Length, together)
}

// length counts the characters of a value with its delimiters, as the standard does (HL7
// v2.5.1, 2.5.3.2). An escaped delimiter counts as one character.
func (c *check) length(value []byte) int {
	n := utf8.RuneCount(value)
	if c.delimiters.Escape == 0 {
		return n
	}
	for i := 0; i+2 < len(value); i++ {
		if value[i] == c.delimiters.Escape && value[i+2] == value[i] && bytes.IndexByte([]byte("FSTRE"), value[i+1]) >= 0 {
			n, i = n-2, i+2
		}
	}
	return n
}

// cut returns the first of the parts of a value between delimiters, and the rest, if
// there is more. A zero delimiter divides nothing.
func cut(value []byte, delimiter byte) (part, rest []byte, more bool) {
	if at := bytes.IndexByte(value, delimiter); delimiter != 0 && at >= 0 {
		return value[:at], value[at+1:], true
	}
	return value, nil, false
}

// values checks each value of a segment. If the version does not have a field or
// component, only the first of several such values in a row is a finding.
func (c *check) values(s hl7.Segment, p hl7.Path, types *segmentTypes) {
	var last hl7.Path // that the version does not have
	unknown := func(at, what hl7.Path, detail string) {
		if c.strict && what != last {
			c.report(UnknownField, at, detail)
			last = what
		}
	}
	for at, text := range s.Values() {
		at.Occurrence = p.Occurrence
		field := types.field(at.Field)
		if field == nil {
			unknown(at, hl7.Path{Field: at.Field}, "")
			continue
		}
		if text == hl7.Null {
			continue
		}
		dataType := types.ofValue(at)
		switch dataType {
		case "":
			if c.v.Type(types.of(field, at)) != nil {
				unknown(at, hl7.Path{Field: at.Field, Component: at.Component}, field.Name)
			}
		case "DT", "DTM", "TS", "TM", "NM", "SI":
			c.form(at, dataType, text)
		case "ID":
			if c.strict {
				c.code(at, text)
			}
		}
	}
}

// form checks that a value is a date, a time or a number as its type says.
func (c *check) form(at hl7.Path, dataType, text string) {
	isTime := dataType == "DTM" || dataType == "TS" || dataType == "TM"
	switch {
	case typed(dataType, text) == nil:
		c.report(BadType, at, "not of type "+dataType)
	case c.strict && isTime && decimals(text) > maxDecimals:
		c.report(TooLong, at, fmt.Sprintf("at most %d decimals of a second", maxDecimals))
	}
}
