package view

import (
	"bytes"
	"fmt"
	"strings"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// builder makes the segments of a page.
type builder struct {
	message     *hl7.Message
	version     *dictionary.Version
	delimiters  hl7.Delimiters
	locations   []dictionary.Location  // of the segments; nil if the message has no structure
	definitions dictionary.Definitions // of the current segment
	room        int                    // how many bytes of JSON the page still has room for
}

// page returns the segments from an index on. One that exceeds the room is left to the
// next page, which has more, unless it is the first.
func (b *builder) page(from int) []Segment {
	var segments []Segment
	for i := from; i < b.message.Len() && len(segments) < maxSegments && b.room > 0; i++ {
		s := b.segment(i)
		if b.room < 0 && i > from {
			break
		}
		segments = append(segments, s)
	}
	return segments
}

func (b *builder) segment(index int) Segment {
	s := b.message.Segment(index)
	out := Segment{Index: index}
	if b.locations != nil && b.locations[index].Group != "" {
		out.Groups = strings.Split(b.locations[index].Group, "/")
		b.spend(len(out.Groups)*len(`"",`), b.locations[index].Group)
	}
	name := s.Name()
	if !isName(name) {
		out.Text, out.Folded = fold(s.Raw(), maxLeaf)
		b.spend(segmentSize, out.Text)
		return out
	}
	out.Name = name
	if definition := b.version.Segment(name); definition != nil {
		out.Title = definition.Description
	}
	b.definitions = b.version.Definitions(s)
	b.spend(segmentSize, out.Name, out.Title)
	raw := s.Raw()[len(name):]
	if len(raw) == 0 {
		return out
	}
	p := hl7.Path{Segment: name}
	if index == 0 { // MSH-1 is the separator itself (HL7 v2.5.1, 2.15.9.1)
		p.Field = 1
		out.Fields = append(out.Fields, b.field(p, raw[:1], true))
	}
	out.Folded = b.divide(raw[1:], b.delimiters.Field, func(part []byte) {
		p.Field++
		out.Fields = append(out.Fields, b.field(p, part, index == 0 && p.Field == 2))
	})
	return out
}

// isName reports whether a text is a segment's name: three capital letters or digits (HL7
// v2.5.1, 2.5.2).
func isName(name string) bool {
	p, err := hl7.ParsePath(name)
	return len(name) == 3 && err == nil && p.Segment == name
}

// field returns a field. Those that state the delimiters are not divided.
func (b *builder) field(p hl7.Path, raw []byte, isDelimiters bool) Field {
	out := Field{Position: p.Field, Path: p.String(), Repetitions: []Node{}}
	if definition, known := b.definitions.At(p); known {
		out.Name, out.Type, out.Table = definition.Name, definition.Type, tableName(definition.Table)
		out.Usage = string(rune(definition.Usage))
	}
	b.spend(fieldSize, out.Path, out.Name, out.Type, out.Table, out.Usage)
	switch {
	case len(raw) == 0:
	case isDelimiters:
		p.Repetition = 1
		out.Repetitions = append(out.Repetitions, Node{Path: p.String(), Raw: string(raw)}) // six characters at most
	default:
		out.Folded = b.divide(raw, b.delimiters.Repetition, func(part []byte) {
			p.Repetition++
			out.Repetitions = append(out.Repetitions, b.node(p, part))
		})
	}
	return out
}

// node returns the element at a path, a repetition or a part of one.
func (b *builder) node(p hl7.Path, raw []byte) Node {
	out := Node{Path: p.String()}
	if definition, known := b.definitions.At(p); known && p.Component > 0 {
		out.Name, out.Type = definition.Name, definition.Type
	}
	b.spend(nodeSize, out.Path, out.Name, out.Type)
	d := b.delimiters
	switch {
	case p.Component == 0 && (has(raw, d.Component) || has(raw, d.Subcomponent)):
		out.Folded = b.divide(raw, d.Component, func(part []byte) {
			p.Component++
			out.Parts = append(out.Parts, b.node(p, part))
		})
	case p.Component > 0 && p.Subcomponent == 0 && has(raw, d.Subcomponent):
		out.Folded = b.divide(raw, d.Subcomponent, func(part []byte) {
			p.Subcomponent++
			out.Parts = append(out.Parts, b.node(p, part))
		})
	default:
		b.leaf(&out, p, raw)
	}
	return out
}

// leaf adds the value of an element that is not divided.
func (b *builder) leaf(out *Node, p hl7.Path, raw []byte) {
	out.Raw, out.Folded = fold(raw, maxLeaf)
	text := out.Raw
	if has(raw, b.delimiters.Escape) {
		text = b.message.Unescape(raw)
		if out.Folded > 0 {
			text, _ = fold([]byte(text), maxLeaf)
		}
		if text != out.Raw {
			out.Text = text
		}
	}
	if number := b.table(p); number > 0 && text != "" {
		out.Table = tableName(number)
		if table := b.version.Table(number); table != nil {
			out.Meaning = table.Values[text]
		}
	}
	b.spend(0, out.Raw, out.Text, out.Table, out.Meaning)
}

// table returns the number of the table of a value's codes, or 0 if there is none. The
// table of a field, or of a component, is that of its first part if the part has none of
// its own: HL7 v2.5.1 has the races (table 0005) at PID-10 and not at its CE.1.
func (b *builder) table(p hl7.Path) int {
	p.Component, p.Subcomponent = max(p.Component, 1), max(p.Subcomponent, 1)
	for {
		definition, known := b.definitions.At(p)
		switch {
		case known && definition.Table > 0:
			return definition.Table
		case p.Subcomponent == 1:
			p.Subcomponent = 0
		case p.Subcomponent == 0 && p.Component == 1:
			p.Component = 0
		default:
			return 0
		}
	}
}

// tableName writes a table's number as the standard does; "" for 0.
func tableName(number int) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf("%04d", number)
}

// divide calls add for the parts of raw between delimiters, at least for the first, until
// the page has no room. It returns how many bytes of raw are left. A zero delimiter
// divides nothing.
func (b *builder) divide(raw []byte, delimiter byte, add func(part []byte)) (left int) {
	for {
		part, rest, more := raw, []byte(nil), false
		if delimiter != 0 {
			part, rest, more = bytes.Cut(raw, []byte{delimiter})
		}
		add(part)
		if !more {
			return 0
		}
		if b.room <= 0 {
			return len(rest) + 1
		}
		raw = rest
	}
}

// What an object takes as JSON without its texts: its names, its numbers and what is
// between them. Findings are not counted, as maxFindings bounds them.
const (
	segmentSize = 72
	fieldSize   = 60
	nodeSize    = 36
)

// spend takes the room that an object and its texts, if any, need as JSON. An empty text
// has no member there.
func (b *builder) spend(object int, texts ...string) {
	const member = 10 // a usual name and its punctuation
	b.room -= object
	for _, text := range texts {
		if text != "" {
			b.room -= member + jsonLength(text)
		}
	}
}

// has reports whether raw contains a delimiter that the message uses.
func has(raw []byte, delimiter byte) bool {
	return delimiter != 0 && bytes.IndexByte(raw, delimiter) >= 0
}
