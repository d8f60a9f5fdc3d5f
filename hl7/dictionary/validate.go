package dictionary

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"hl7lake/hl7"
)

// A Rule is what a message departs from.
type Rule string

// The rules. Those marked with strict are held only against [Strict]: few senders keep
// them, and few receivers need them.
const (
	UnknownStructure   Rule = "unknown-structure"    // MSH-9 names none that the version has
	MissingSegment     Rule = "missing-segment"      // one that the structure requires
	UnexpectedSegment  Rule = "unexpected-segment"   // one that the structure has not; Z segments never are
	Misplaced          Rule = "misplaced"            // one that the structure has, but not there: it stays with the group it follows
	MissingField       Rule = "missing-field"        // one that the segment requires
	BadType            Rule = "bad-type"             // no date, time or number where one must stand
	TooManyRepetitions Rule = "too-many-repetitions" //
	WrongCharset       Rule = "charset"              // the bytes are not in the declared set, or that is not known
	UnknownSegment     Rule = "unknown-segment"      // strict: a name that the version has not
	UnknownField       Rule = "unknown-field"        // strict: more fields or components than the version has
	MissingComponent   Rule = "missing-component"    // strict: one that the data type requires
	TooLong            Rule = "too-long"             // strict: more characters than the version allows
	UnknownCode        Rule = "unknown-code"         // strict: a code that HL7's own table has not
)

// A Level says how closely [Version.Validate] looks.
type Level int

// The levels.
const (
	Lenient Level = iota
	Strict
)

// A Finding is one departure of a message from the standard. It holds no content.
type Finding struct {
	Rule    Rule
	Segment int      // 1-based position in the message; 0 where it is the message as a whole
	Path    hl7.Path // the element; of a segment that is missing, its name
	Detail  string   // what the standard says, such as "at most 20 characters"
}

// String gives the finding in a line, such as "PID-5: missing-field: Patient Name".
func (f Finding) String() string {
	text := string(f.Rule)
	if f.Path.Segment != "" {
		text = f.Path.String() + ": " + text
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// Validate lists where a message departs from the version, in the order of the message,
// what is missing as a whole last.
func (v *Version) Validate(m *hl7.Message, level Level) []Finding {
	c := check{v: v, strict: level == Strict, delimiters: m.Delimiters(), seen: map[string]int{}}
	c.charset(m.Charset())
	structure := v.StructureOf(m)
	var w *walk
	if structure == nil {
		c.report(UnknownStructure, hl7.Path{Segment: "MSH", Field: 9}, "")
	} else {
		w = newWalk(structure, m)
	}
	for i := range m.Len() {
		c.segment(m.Segment(i), i+1, w)
	}
	c.position = 0
	if w != nil {
		c.missingSegments(w)
	}
	return c.findings
}

// charset looks at how the message was read, which is MSH-18's business.
func (c *check) charset(set hl7.Charset) {
	first := set.Declared
	if c.delimiters.Repetition != 0 {
		first, _, _ = strings.Cut(first, string(c.delimiters.Repetition))
	}
	detail := ""
	_, known := hl7.LookupCharset(first)
	switch {
	case set.Seems != "":
		detail = "the bytes are " + set.Seems + ", as hardly by chance"
	case first != "" && !known:
		detail = "not a known character set; read as " + set.Used
	case set.Guessed && first != "":
		detail = "there are other characters; read as " + set.Used
	case set.Guessed:
		detail = "none is declared; read as " + set.Used
	default:
		return
	}
	c.position = 1
	c.report(WrongCharset, hl7.Path{Segment: "MSH", Field: 18}, detail)
}

type check struct {
	v          *Version
	strict     bool
	delimiters hl7.Delimiters
	findings   []Finding
	position   int            // of the segment that is looked at
	seen       map[string]int // how many segments of a name there were
}

func (c *check) report(rule Rule, p hl7.Path, detail string) {
	c.findings = append(c.findings, Finding{rule, c.position, p, detail})
}

func (c *check) segment(s hl7.Segment, position int, w *walk) {
	c.position = position
	name := placeName(s.Name())
	c.seen[name]++
	p := hl7.Path{Segment: name, Occurrence: c.seen[name]}
	c.place(p, w)
	definition := c.v.Segment(name)
	if definition == nil {
		if c.strict && name[0] != 'Z' {
			c.report(UnknownSegment, p, "")
		}
		return
	}
	for n := range definition.Fields {
		c.field(s, p, n+1, &definition.Fields[n])
	}
	c.values(s, p)
}

// place looks at where in the structure a segment stands; a Z segment may stand anywhere.
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

// noName stands for the name of a line of text that is no segment.
const noName = "???"

// placeName keeps text on a line that is no segment out of the findings.
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

// field looks at a field as a whole.
func (c *check) field(s hl7.Segment, p hl7.Path, n int, f *Field) {
	p.Field = n
	raw, _ := s.RawField(fmt.Sprint(n))
	if len(raw) == 0 {
		if f.Usage == Required {
			c.report(MissingField, p, f.Name)
		}
		return
	}
	if s.Name() == "MSH" && n <= 2 {
		return
	}
	for value := range parts(raw, c.delimiters.Repetition) {
		p.Repetition++
		if f.Repetitions > 0 && p.Repetition == f.Repetitions+1 {
			c.report(TooManyRepetitions, p, fmt.Sprintf("at most %d", f.Repetitions))
		}
		if c.strict && f.Length > 0 && utf8.RuneCount(value) > f.Length {
			c.report(TooLong, p, fmt.Sprintf("at most %d characters", f.Length))
		}
		if c.strict && len(value) > 0 {
			c.components(s, p, f, value)
		}
	}
}

// components looks for those that the data type of a field requires, in one repetition.
func (c *check) components(s hl7.Segment, p hl7.Path, f *Field, repetition []byte) {
	t := c.v.Type(fieldType(f, s))
	if t == nil || string(repetition) == hl7.Null {
		return
	}
	next, stop := iter.Pull(parts(repetition, c.delimiters.Component))
	defer stop()
	for i, component := range t.Components {
		p.Component = i + 1
		if value, _ := next(); component.Usage == Required && len(value) == 0 {
			c.report(MissingComponent, p, f.Name+" / "+component.Name)
		}
	}
}

// parts returns an iterator over what a delimiter divides a value into; zero divides
// nothing. It walks the value once.
func parts(value []byte, delimiter byte) iter.Seq[[]byte] {
	if delimiter == 0 {
		return func(yield func([]byte) bool) { yield(value) }
	}
	return bytes.SplitSeq(value, []byte{delimiter})
}

// values looks at each value of a segment.
func (c *check) values(s hl7.Segment, p hl7.Path) {
	for at, text := range s.Values() {
		at.Occurrence = p.Occurrence
		field := c.v.Field(at.Segment, at.Field)
		if field == nil {
			if c.strict {
				c.report(UnknownField, at, "")
			}
			continue
		}
		if text == hl7.Null {
			continue
		}
		dataType := c.v.leafType(s, at)
		switch dataType {
		case "":
			if c.strict && fieldType(field, s) != "" && c.v.Type(fieldType(field, s)) != nil {
				c.report(UnknownField, at, field.Name)
			}
		case "DT", "DTM", "TS", "TM", "NM", "SI":
			if typed(dataType, text) == nil {
				c.report(BadType, at, "not of type "+dataType)
			}
		case "ID":
			if c.strict {
				c.code(at, text)
			}
		}
	}
}

// Tables that are open by design: coding systems, to which everyone may add their own,
// and versions, of which there are later ones than the dictionary knows.
const (
	codingSystems = 396
	versionIDs    = 104
)

// code holds a value of type ID against its table (HL7 v2.5.1, 2.A.35).
func (c *check) code(p hl7.Path, text string) {
	f := c.v.Field(p.Segment, p.Field)
	for _, n := range []int{p.Component, p.Subcomponent} {
		if part := c.v.component(f.Type, n); part != nil {
			f = part
		}
	}
	t := c.v.Table(f.Table)
	if t == nil || t.Open || len(t.Values) == 0 || t.Number == codingSystems || t.Number == versionIDs {
		return
	}
	if _, known := t.Values[text]; !known {
		c.report(UnknownCode, p, fmt.Sprintf("not in table %04d", f.Table))
	}
}

// missingSegments looks through the groups that were there for what they require. What is
// there in another place is not missing.
func (c *check) missingSegments(w *walk) {
	for _, i := range w.all {
		for n, child := range i.group.Children {
			if child.Required && i.counts[n] == 0 {
				c.missing(child, i)
			}
		}
	}
}

// missing reports the segments that a node requires of a group.
func (c *check) missing(n *Node, i *instance) {
	if n.Children == nil && n.Name != AnySegment && !slices.Contains(i.strayed, n.Name) {
		detail := ""
		if i.path != "" {
			detail = "in " + i.path
		}
		c.report(MissingSegment, hl7.Path{Segment: n.Name}, detail)
	}
	for _, child := range n.Children {
		if child.Required && n.Name != "" {
			c.missing(child, i)
		}
	}
}
