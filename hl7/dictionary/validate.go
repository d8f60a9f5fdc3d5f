package dictionary

import (
	"slices"

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
	RunTogether        Rule = "run-together"         // another segment or message begins within a segment: what should end it is missing or is text
	MissingField       Rule = "missing-field"        // one that the segment requires
	BadType            Rule = "bad-type"             // no date, time or number where one must stand
	TooManyRepetitions Rule = "too-many-repetitions" // more that have a value than the version allows
	WrongCharset       Rule = "charset"              // the bytes are not in the declared set, or that is not known
	WrongDelimiters    Rule = "delimiters"           // MSH-2 is not what the sender means, or not what the standard allows
	UnknownEscape      Rule = "unknown-escape"       // an escape sequence that HL7 has not, which stands in the text as it is
	UnknownSegment     Rule = "unknown-segment"      // strict: a name that the version has not
	UnknownField       Rule = "unknown-field"        // strict: more fields or components than the version has
	WithdrawnField     Rule = "withdrawn-field"      // strict: one that the version has no more
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
//
// A value of nothing but delimiters is no value. A null says that a value is to be deleted:
// it fills a required field, is of every type and is never too long (HL7 v2.5.1, 2.5.3).
//
// Where the standard does not say how to read what a sender wrote, the message is read so
// that nothing is lost, and there is a finding:
//
//   - Text such as \r or <CR> where a segment should end, and messages with nothing between
//     them, end nothing: all of it is text of the segment (run-together), of which nothing
//     else is checked then, and no segment is called missing.
//   - MSH-2 of "^~&" leaves the escape character out, which is allowed only without
//     sub-components (HL7 v2.5.1, 2.5.4): & separates these, and no character escapes.
//     An escape character written twice, as in "^~\\&", counts once.
//   - Escape sequences are in capital letters (HL7 v2.5.1, 2.7). Others, such as \t\ and
//     \x0d\, and escape characters that begin none, are text as they stand.
func (v *Version) Validate(m *hl7.Message, level Level) []Finding {
	c := check{v: v, strict: level == Strict, delimiters: m.Delimiters(), seen: map[string]int{}}
	if m.Len() == 0 {
		return nil
	}
	structure := v.StructureOf(m)
	var w *walk
	if structure != nil {
		w = newWalk(structure, m)
		c.expects = func(name string) bool { return w.count(name) > 0 }
	} else {
		c.expects = func(name string) bool { return v.segments[name] != nil }
	}
	if !c.isRunTogether(m.Segment(0)) {
		c.charset(m.Charset())
		c.encodingCharacters(m.Segment(0))
	}
	if structure == nil {
		c.report(UnknownStructure, hl7.Path{Segment: "MSH", Field: 9}, "")
	}
	for i := range m.Len() {
		c.segment(m.Segment(i), i+1, w)
	}
	c.position = 0
	if w != nil && !c.ragged {
		c.missingSegments(w)
	}
	return c.findings
}

// A check is one validation of a message.
type check struct {
	v          *Version
	strict     bool
	delimiters hl7.Delimiters
	findings   []Finding
	position   int                    // of the segment that is looked at
	fields     [][]byte               // of that segment, as they stand
	seen       map[string]int         // how many segments of a name there were
	expects    func(name string) bool // whether segments of a name may be in the message
	ragged     bool                   // whether segments run together, so that it cannot be said which there are
}

func (c *check) report(rule Rule, p hl7.Path, detail string) {
	c.findings = append(c.findings, Finding{rule, c.position, p, detail})
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
