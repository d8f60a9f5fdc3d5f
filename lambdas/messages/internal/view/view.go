// Package view makes of a message what a page shows to a person: its segments, fields and
// parts with their names, types and codes in words, and what the validator finds at its
// place. It knows HL7 only; the function messages serves it.
//
// A view is a page of the message. Its size is bounded whatever the message is: long
// values are folded to their beginning, and what exceeds the page is left to the next one
// or, within one segment, folded as well. The time to make it grows with the message.
package view

import (
	"strings"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// View is a page of a message. If the bytes are not a message, it has a Fault, and Lines
// in place of Segments.
type View struct {
	Type         string      `json:"type"`                // hl7.Message.Type
	Structure    string      `json:"structure,omitempty"` // such as ORU_R01; empty if the version has none for the message
	Event        string      `json:"event,omitempty"`     // the trigger event in words (HL7 table 0003), if known
	Version      string      `json:"version,omitempty"`   // MSH-12.1
	VersionKnown bool        `json:"version_known"`       // false if names and findings are another version's
	Charset      string      `json:"charset,omitempty"`   // in which the message was read, hl7.Charset.Used
	Bytes        int         `json:"bytes"`               // the size of the whole message
	Total        int         `json:"segments_total"`      // how many segments the message has, or lines
	From         int         `json:"from"`                // the index of the first segment or line of the page
	Next         int         `json:"next,omitempty"`      // where the next page begins; 0 if this is the last one
	Delimiters   *Delimiters `json:"delimiters,omitempty"`
	Segments     []Segment   `json:"segments,omitempty"`

	// Findings are those in the page's segments and, on the first page, at most
	// maxWhole of those about the message as a whole.
	Findings []Finding `json:"findings"`
	// FindingsTotal is how many there are in the whole message.
	FindingsTotal int `json:"findings_total"`
	// FindingsMore reports that the page's segments have more than maxFindings, and that
	// the later ones are left out.
	FindingsMore bool `json:"findings_more,omitempty"`

	// Unchecked reports that the message has more than maxChecked segments, and is shown
	// without groups and findings.
	Unchecked bool `json:"unchecked,omitempty"`

	// Ack is the acknowledgment that a sender gets for the message, with \n between its
	// segments, folded to maxAck bytes.
	Ack string `json:"ack,omitempty"`

	Fault *Fault `json:"fault,omitempty"`
	Lines []Line `json:"lines,omitempty"`
}

// Delimiters are hl7.Delimiters as texts; one that the message does not use is empty.
type Delimiters struct {
	Field        string `json:"field"`
	Component    string `json:"component,omitempty"`
	Repetition   string `json:"repetition,omitempty"`
	Escape       string `json:"escape,omitempty"`
	Subcomponent string `json:"subcomponent,omitempty"`
}

// Segment is a segment of the message, or a line that does not begin as one: it then has
// Text in place of Name and Fields.
type Segment struct {
	Index    int      `json:"index"` // 0-based position in the message
	Name     string   `json:"name,omitempty"`
	Title    string   `json:"title,omitempty"`    // what the version calls it; empty if it does not know it
	Groups   []string `json:"groups,omitempty"`   // that the segment is in, the outermost first: PATIENT_RESULT[1]
	Findings []int    `json:"findings,omitempty"` // all in the segment, as indexes into View.Findings
	Fields   []Field  `json:"fields,omitempty"`   // field n is at n-1, up to the last one that was sent
	Text     string   `json:"text,omitempty"`     // of a line that is not a segment, folded
	Folded   int      `json:"folded,omitempty"`   // how many bytes of the segment are left out behind Fields or Text
}

// Field is a field of a segment. Its type is the one that the segment names, where it
// does: OBX-2 names that of OBX-5.
type Field struct {
	Position    int    `json:"position"`
	Path        string `json:"path"` // PID-3
	Name        string `json:"name,omitempty"`
	Type        string `json:"type,omitempty"`
	Table       string `json:"table,omitempty"` // its number in four digits
	Usage       string `json:"usage,omitempty"` // dictionary.Usage
	Findings    []int  `json:"findings,omitempty"`
	Repetitions []Node `json:"repetitions"` // empty if the field is
	Folded      int    `json:"folded,omitempty"`
}

// Node is a repetition, a component or a sub-component. It has either Parts or, as a
// leaf, Raw; a leaf without Raw is empty. The parts in their order, joined by their
// delimiter, are the element as it was sent.
type Node struct {
	Path     string `json:"path"`              // PID-3[1], PID-3[1].4, PID-3[1].4.2
	Name     string `json:"name,omitempty"`    // of a component or sub-component
	Type     string `json:"type,omitempty"`    // of a component or sub-component
	Table    string `json:"table,omitempty"`   // of a leaf; its number in four digits
	Meaning  string `json:"meaning,omitempty"` // of a code of that table
	Raw      string `json:"raw,omitempty"`     // as sent, in Unicode and with its escapes; at most maxLeaf bytes
	Text     string `json:"text,omitempty"`    // with the escapes decoded, if that differs; folded if Raw is
	Folded   int    `json:"folded,omitempty"`  // how many bytes are left out behind Raw or Parts
	Findings []int  `json:"findings,omitempty"`
	Parts    []Node `json:"parts,omitempty"`
}

// Finding is a place where the message departs from its version, see dictionary.Finding.
type Finding struct {
	Segment *int   `json:"segment,omitempty"` // the segment's index; nil for the message as a whole
	Path    string `json:"path"`              // without the segment's number; of a missing segment, its name
	Rule    string `json:"rule"`              // dictionary.Rule
	Level   string `json:"level"`             // lenient, or strict for a rule that few keep
	Text    string `json:"text,omitempty"`    // what the standard says
}

// The bounds of a page.
const (
	maxSegments = 500
	maxSize     = 1 << 20 // about how many bytes its segments take as JSON
	maxLeaf     = 1 << 10 // how many bytes of a value are shown
	maxFindings = 1000
	maxWhole    = 100
	maxAck      = 4 << 10

	// maxChecked is how many segments a message may have of which each is located and
	// validated. That takes up to a kilobyte of memory for each, and a message may
	// consist of segments of two bytes.
	maxChecked = 100_000
)

// Of returns the page of a message that begins at the segment with the index from. data
// is what the message was parsed from.
func Of(data []byte, message *hl7.Message, from int) View {
	header := message.Header()
	version, known := dictionary.Lookup(header.Version)
	v := View{
		Type:         header.Type,
		Event:        eventOf(version, header.Event),
		VersionKnown: known,
		Charset:      message.Charset().Used,
		Bytes:        len(data),
		Total:        message.Len(),
		From:         from,
		Delimiters:   delimitersOf(message.Delimiters()),
		Findings:     []Finding{},
		Ack:          acknowledgment(message),
	}
	v.Version, _ = fold([]byte(header.Version), maxLeaf)
	v.Unchecked = v.Total > maxChecked
	b := builder{message: message, version: version, delimiters: message.Delimiters(), room: maxSize}
	if structure := version.StructureOf(message); structure != nil {
		v.Structure = structure.Name
		if !v.Unchecked {
			b.locations = structure.Locate(message)
		}
	}
	v.Segments = b.page(from)
	if end := from + len(v.Segments); end < v.Total {
		v.Next = end
	}
	if !v.Unchecked {
		v.find(message, version)
	}
	return v
}

// eventOf returns a trigger event in words. Table 0003 has "ORU/ACK - " and the like
// before them.
func eventOf(version *dictionary.Version, event string) string {
	table := version.Table(3)
	if table == nil {
		return ""
	}
	messages, words, found := strings.Cut(table.Values[event], " - ")
	if !found {
		return messages
	}
	return words
}

func delimitersOf(d hl7.Delimiters) *Delimiters {
	text := func(c byte) string {
		if c == 0 {
			return ""
		}
		return string(rune(c))
	}
	return &Delimiters{text(d.Field), text(d.Component), text(d.Repetition), text(d.Escape), text(d.Subcomponent)}
}

// acknowledgment returns what a sender of the message is answered: a message that can be
// read is accepted, whatever the validator finds.
func acknowledgment(message *hl7.Message) string {
	answer, err := message.Acknowledge(hl7.NewAck(message.AnswerCode(hl7.ApplicationAccept, hl7.CommitAccept)))
	if err != nil {
		return ""
	}
	return linesOf(answer)
}

// linesOf returns a message's segments on a line each, in Unicode.
func linesOf(message *hl7.Message) string {
	var lines []byte
	for s := range message.Segments() {
		lines = append(append(lines, s.Raw()...), '\n')
	}
	text, _ := fold(lines[:max(len(lines)-1, 0)], maxAck)
	return text
}

// find adds the findings in the page's segments, and at those.
func (v *View) find(message *hl7.Message, version *dictionary.Version) {
	end := v.From + len(v.Segments)
	var whole []Finding
	for f := range version.Findings(message, dictionary.Strict) {
		v.FindingsTotal++
		index := f.Segment - 1
		switch {
		case f.Segment == 0 && v.From == 0 && len(whole) < maxWhole:
			whole = append(whole, newFinding(f))
		case f.Segment == 0 || index < v.From || index >= end:
		case len(v.Findings) == maxFindings:
			v.FindingsMore = true
		default:
			v.Segments[index-v.From].attach(f.Path, len(v.Findings))
			v.Findings = append(v.Findings, newFinding(f))
		}
	}
	v.Findings = append(v.Findings, whole...)
}

func newFinding(f dictionary.Finding) Finding {
	f.Path.Occurrence = 0
	level := "lenient"
	if f.Rule.Level() == dictionary.Strict {
		level = "strict"
	}
	found := Finding{Path: f.Path.String(), Rule: string(f.Rule), Level: level, Text: f.Detail}
	if f.Segment > 0 {
		found.Segment = new(f.Segment - 1)
	}
	return found
}

// attach adds the index of a finding to the segment, and to the field and the smallest
// shown element that the path is in.
func (s *Segment) attach(path hl7.Path, finding int) {
	s.Findings = append(s.Findings, finding)
	field, ok := at(s.Fields, path.Field)
	if !ok {
		return
	}
	field.Findings = append(field.Findings, finding)
	node, ok := at(field.Repetitions, path.Repetition)
	if !ok {
		return
	}
	for _, number := range []int{path.Component, path.Subcomponent} {
		part, ok := at(node.Parts, number)
		if !ok {
			break
		}
		node = part
	}
	node.Findings = append(node.Findings, finding)
}

// at returns the n-th element, counting from 1, if there is one.
func at[E any](elements []E, n int) (*E, bool) {
	if n < 1 || n > len(elements) {
		return nil, false
	}
	return &elements[n-1], true
}
