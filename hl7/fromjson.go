package hl7

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// FromJSON builds a message from what [Message.AppendJSON] wrote. The result is the
// canonical form of the original: segments end in CR, nothing follows the last value of a
// field or segment, and the same text is always escaped in the same way. It is written in
// the character set that MSH-18 declares, or in UTF-8 if that is not known. The error
// wraps [ErrJSON] or [ErrNotEncodable], or is a [*ParseError].
func FromJSON(data []byte) (*Message, error) {
	var segments []jsonSegment
	if err := json.Unmarshal(data, &segments); err != nil {
		return nil, fmt.Errorf("hl7: %w", ErrJSON) // encoding/json would quote the content
	}
	if len(segments) == 0 {
		return nil, fmt.Errorf("hl7: %w", ErrNoHeader)
	}
	head, err := segments[0].header()
	if err != nil {
		return nil, err
	}
	b := builder{limit: 1<<20 + 64*len(data)}
	if err := b.as.Parse(head); err != nil {
		return nil, err
	}
	b.text = append(b.text, head[:b.as.body]...)
	for i, s := range segments {
		if err := b.segment(s, i == 0); err != nil {
			return nil, fmt.Errorf("hl7: segment %d: %w", i+1, err)
		}
	}
	m := new(Message)
	return m, m.adopt(b.text)
}

// adopt makes m the message in a UTF-8 text, to be encoded in the character set that it
// declares.
func (m *Message) adopt(text []byte) error {
	m.reset()
	m.text = text
	if err := m.parse(); err != nil {
		return err
	}
	if e := m.outputEncoding(); e != nil {
		c := m.declaredCharset()
		m.charset.name, m.charset.encoding = c.name, c.encoding
		if _, err := e.NewEncoder().Bytes(text); err != nil {
			return fmt.Errorf("hl7: MSH-18: %w", ErrNotEncodable)
		}
	}
	return nil
}

type jsonSegment struct {
	ID     string                         `json:"id"`
	Fields map[string][]map[string]string `json:"fields"`
}

// header returns an MSH segment with delimiters only.
func (s jsonSegment) header() ([]byte, error) {
	if s.ID != "MSH" || len(s.Fields["1"]) != 1 || len(s.Fields["2"]) != 1 {
		return nil, fmt.Errorf("hl7: %w", ErrNoHeader)
	}
	separator := s.Fields["1"][0]["1"]
	return []byte("MSH" + separator + s.Fields["2"][0]["1"] + separator), nil
}

// A builder writes ER7.
type builder struct {
	as    Message // has the delimiters to use
	text  []byte
	limit int // the most delimiters: a number in the input could ask for a message of nothing else
}

func (b *builder) segment(s jsonSegment, isHeader bool) error {
	before, at := len(b.text), 0
	if isHeader {
		at = 2 // they are in text already
	} else if err := b.name(s.ID); err != nil {
		return err
	}
	numbers, err := numbersOf(s.Fields)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n.subcomponent > 1 {
			return ErrJSON
		}
		if isHeader && n.component <= 2 {
			continue
		}
		if err := b.delimiters(b.as.delimiters.Field, n.component-at); err != nil {
			return err
		}
		at = n.component
		if err := b.field(s.Fields[n.key]); err != nil {
			return err
		}
	}
	if len(b.text) == before { // a header must show where MSH-2 ends, and a segment that it exists
		b.text = append(b.text, b.as.delimiters.Field)
	}
	b.text = append(b.text, '\r')
	return nil
}

func (b *builder) field(repetitions []map[string]string) error {
	for i, values := range repetitions {
		if err := b.delimiters(b.as.delimiters.Repetition, min(i, 1)); err != nil {
			return err
		}
		if err := b.repetition(values); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) repetition(values map[string]string) error {
	numbers, err := numbersOf(values)
	if err != nil {
		return err
	}
	at := number{component: 1, subcomponent: 1}
	for _, n := range numbers {
		if err := b.delimiters(b.as.delimiters.Component, n.component-at.component); err != nil {
			return err
		}
		if n.component > at.component {
			at.subcomponent = 1
		}
		if err := b.delimiters(b.as.delimiters.Subcomponent, n.subcomponent-at.subcomponent); err != nil {
			return err
		}
		at = n
		if err := b.value(values[n.key]); err != nil {
			return err
		}
	}
	return nil
}

// delimiters writes a delimiter n times; n may be zero.
func (b *builder) delimiters(delimiter byte, n int) error {
	switch {
	case n > 0 && delimiter == 0:
		return ErrNotEncodable
	case n > b.limit-len(b.text):
		return ErrJSON
	}
	for range n {
		b.text = append(b.text, delimiter)
	}
	return nil
}

// name writes a segment's name. In it, only the field separator is a delimiter.
func (b *builder) name(name string) error {
	d := b.as.delimiters
	if d.Escape == 0 && !strings.ContainsAny(name, "\r\n"+string(rune(d.Field))) {
		b.text = append(b.text, name...)
		return nil
	}
	if name != "" && name[0] <= ' ' && d.Escape != 0 { // otherwise parsing would skip it
		b.text = fmt.Appendf(b.text, "%cX%02X%c", d.Escape, name[0], d.Escape)
		name = name[1:]
	}
	return b.value(name)
}

func (b *builder) value(text string) error {
	written, ok := b.as.appendEscaped(b.text, text)
	if !ok {
		return ErrNotEncodable
	}
	b.text = written
	return nil
}

// A number is a key such as "4" or "4.2".
type number struct {
	key                     string
	component, subcomponent int
}

// numbersOf returns the keys of a JSON object in the order that their values have in a
// message.
func numbersOf[V any](object map[string]V) ([]number, error) {
	var numbers []number
	for key := range object {
		component, subcomponent, divided := strings.Cut(key, ".")
		if !divided {
			subcomponent = "1"
		}
		c, err1 := strconv.ParseUint(component, 10, 31)
		s, err2 := strconv.ParseUint(subcomponent, 10, 31)
		if err1 != nil || err2 != nil || c == 0 || s == 0 {
			return nil, ErrJSON
		}
		numbers = append(numbers, number{key, int(c), int(s)})
	}
	order := func(a, b number) int {
		return cmp.Or(cmp.Compare(a.component, b.component), cmp.Compare(a.subcomponent, b.subcomponent))
	}
	slices.SortFunc(numbers, order)
	for i := 1; i < len(numbers); i++ {
		if order(numbers[i-1], numbers[i]) == 0 {
			return nil, ErrJSON // "4" and "4.1" are the same place
		}
	}
	return numbers, nil
}
