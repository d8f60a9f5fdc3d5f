package dictionary

import (
	"iter"
	"slices"

	"hl7lake/hl7"
)

// A Rule is a rule that a message breaks.
type Rule string

// The rules. Those marked strict are checked at the level [Strict] only: few senders keep
// them, and few receivers need them.
const (
	UnknownStructure   Rule = "unknown-structure"    // MSH-9 names no structure of the version
	MissingSegment     Rule = "missing-segment"      // one that the structure requires
	UnexpectedSegment  Rule = "unexpected-segment"   // one that the structure does not have; Z segments are never a finding
	Misplaced          Rule = "misplaced"            // one that the structure has, but not at this place: it stays with the group before it
	RunTogether        Rule = "run-together"         // another segment or message begins within a segment: the terminator between them is missing or is text
	MissingField       Rule = "missing-field"        // one that the segment requires, or OBX-2 beside a value in OBX-5
	BadType            Rule = "bad-type"             // not a date, time or number where one is required
	TooManyRepetitions Rule = "too-many-repetitions" // more repetitions with a value than the version allows
	WrongCharset       Rule = "charset"              // the bytes are not valid in the declared character set, or that is not known
	WrongDelimiters    Rule = "delimiters"           // MSH-2 is not what the sender means, or not what the standard allows
	UnknownEscape      Rule = "unknown-escape"       // an escape sequence that HL7 does not have; it stays in the text unchanged
	UnknownSegment     Rule = "unknown-segment"      // strict: a name that the version does not have
	UnknownField       Rule = "unknown-field"        // strict: more fields or components than the version has
	WithdrawnField     Rule = "withdrawn-field"      // strict: one that the version has withdrawn
	MissingComponent   Rule = "missing-component"    // strict: one that the data type requires
	TooLong            Rule = "too-long"             // strict: more characters, or decimals of a second, than the version allows
	UnknownCode        Rule = "unknown-code"         // strict: a code that HL7's own table does not have
)

// Level returns the level from which on the rule is checked.
func (r Rule) Level() Level {
	switch r {
	case UnknownSegment, UnknownField, WithdrawnField, MissingComponent, TooLong, UnknownCode:
		return Strict
	default:
		return Lenient
	}
}

// A Level says how strictly [Version.Validate] checks.
type Level int

// The levels.
const (
	Lenient Level = iota
	Strict
)

// A Finding is one place where a message breaks a rule. It holds no content.
type Finding struct {
	Rule    Rule
	Segment int      // 1-based position in the message; 0 for the message as a whole
	Path    hl7.Path // the element; for a missing segment, its name
	Detail  string   // what the standard says, such as "at most 20 characters"
}

// String returns the finding on one line, such as "PID-5: missing-field: Patient Name".
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

// Validate lists the places where a message departs from the version, in the order of the
// message. What is missing as a whole comes last.
//
// A value that consists of delimiters only counts as empty. A null says that a value is
// to be deleted: it fills a required field, is of every type and is never too long (HL7
// v2.5.1, 2.5.3).
//
// Places of segments are checked only if the version has the message's structure. If only
// an earlier version had it, as [Version.StructureOf] says, the finding is
// unknown-structure.
//
// If the standard does not say how to read what a sender wrote, the message is read so
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
	return slices.Collect(v.Findings(m, level))
}

// Findings returns an iterator over what [Version.Validate] lists, for a message that may
// have more findings than fit into memory.
func (v *Version) Findings(m *hl7.Message, level Level) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		c := check{v: v, strict: level == Strict, delimiters: m.Delimiters(), seen: map[string]int{}, yield: yield}
		if m.Len() > 0 {
			c.message(m)
		}
	}
}

// message checks the whole message.
func (c *check) message(m *hl7.Message) {
	structure := c.v.ownStructureOf(m)
	var w *walk
	if structure != nil {
		w = newWalk(structure, m)
		c.expects = func(name string) bool { return w.count(name) > 0 }
	} else {
		c.expects = func(string) bool { return true }
	}
	if !c.isRunTogether(m.Segment(0)) {
		c.charset(m)
		c.encodingCharacters(m.Segment(0))
	}
	if structure == nil {
		c.report(UnknownStructure, hl7.Path{Segment: "MSH", Field: 9}, "")
	}
	for i := range m.Len() {
		if c.ended {
			return
		}
		c.segment(m.Segment(i), i+1, w)
	}
	c.position = 0
	if w != nil && !c.ragged {
		c.missingSegments(w)
	}
}

// A check is one validation of a message.
type check struct {
	v          *Version
	strict     bool
	delimiters hl7.Delimiters
	yield      func(Finding) bool     // called for each finding until ended
	ended      bool                   // nobody wants further findings
	position   int                    // the number of the current segment
	fields     [][]byte               // the fields of that segment, unchanged
	seen       map[string]int         // how many segments of each name there were
	expects    func(name string) bool // whether the message may have a segment of the version
	ragged     bool                   // whether segments run together, so that it is not known which segments there are
}

func (c *check) report(rule Rule, p hl7.Path, detail string) {
	c.ended = c.ended || !c.yield(Finding{rule, c.position, p, detail})
}

// missingSegments looks for required segments that are missing in the groups that the
// message has. A segment at a wrong place is not missing.
func (c *check) missingSegments(w *walk) {
	for _, i := range w.all {
		if c.ended {
			return
		}
		for n, child := range i.group.Children {
			if child.Required && i.counts[n] == 0 {
				c.missing(child, i)
			}
		}
	}
}

// missing reports the segments that a node requires and a group lacks.
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
