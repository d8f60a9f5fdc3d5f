package finder

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"hl7lake/hl7"
)

// MaxHashes is how many identifiers and assigning authorities of one message are entered
// at most, so that a message cannot fill the table.
const MaxHashes = 500

// Identifier is one of a message. Its texts are normalized, see [Normalize].
type Identifier struct {
	Kind  Kind
	Value string
	// Authorities are the names of the assigning authorities that the message gives for
	// it: namespaces and universal ids.
	Authorities []string
}

// Normalize returns the form of a text in which it is compared: without white space before
// and after it, and in Unicode's normalization form C. Letters keep their case and numbers
// their zeros, because to the one who assigned them they may be different.
func Normalize(text string) string { return norm.NFC.String(strings.TrimSpace(text)) }

// Identifiers returns the identifiers of a message at the places, each once, from all
// segments and repetitions. A null is none. Of a message with more than MaxHashes of them
// and their authorities, those that come later are left out. left counts the places at
// which something was left out.
func Identifiers(m *hl7.Message, places []Place) (found []Identifier, left int) {
	in := map[string][]Place{}
	for _, p := range places {
		in[p.Segment] = append(in[p.Segment], p)
	}
	c := collector{index: map[identity]int{}}
	for segment := range m.Segments() {
		if places := in[segment.Name()]; places != nil {
			c.read(segment, places)
		}
	}
	return c.found, c.left
}

// identity distinguishes the hashes of a message: those of its identifiers, without an
// authority, and those of their authorities.
type identity struct {
	kind             Kind
	value, authority string
}

// collector collects identifiers.
type collector struct {
	found []Identifier
	index map[identity]int // of found; as many as there are hashes
	left  int
}

// repetition is what the places read of one repetition of a field.
type repetition struct {
	field, number int
	texts         map[position]string
}

// read collects the identifiers of a segment.
func (c *collector) read(segment hl7.Segment, places []Place) {
	var now repetition
	for path, text := range segment.Values() {
		at := position{path.Component, path.Subcomponent}
		if !slices.ContainsFunc(places, func(p Place) bool { return p.Field == path.Field && p.wants(at) }) {
			continue
		}
		if path.Field != now.field || path.Repetition != now.number {
			c.take(now, places)
			now = repetition{path.Field, path.Repetition, map[position]string{}}
		}
		now.texts[at] = text
	}
	c.take(now, places)
}

// take collects the identifiers of a repetition.
func (c *collector) take(r repetition, places []Place) {
	for _, p := range places {
		if p.Field != r.field {
			continue
		}
		value := textOf(r.texts[p.value])
		if value == "" {
			continue
		}
		var authorities []string
		for _, at := range p.authorities {
			if authority := textOf(r.texts[at]); authority != "" {
				authorities = append(authorities, authority)
			}
		}
		c.add(identity{kind: p.Kind, value: value}, authorities)
	}
}

// textOf returns a text normalized; empty if it is a null.
func textOf(text string) string {
	if text == hl7.Null {
		return ""
	}
	return Normalize(text)
}

// add adds an identifier and its authorities, as far as they are new.
func (c *collector) add(which identity, authorities []string) {
	i, known := c.index[which]
	if !known {
		if !c.hasRoom() {
			return
		}
		i = len(c.found)
		c.found, c.index[which] = append(c.found, Identifier{Kind: which.kind, Value: which.value}), i
	}
	for _, which.authority = range authorities {
		if _, known := c.index[which]; !known && c.hasRoom() {
			c.found[i].Authorities, c.index[which] = append(c.found[i].Authorities, which.authority), i
		}
	}
}

// hasRoom reports whether one more hash may be made, and counts what is left out.
func (c *collector) hasRoom() bool {
	if len(c.index) == MaxHashes {
		c.left++
		return false
	}
	return true
}
