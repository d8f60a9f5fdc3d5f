package hl7

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// FromJSON builds a message from what [Message.AppendJSON] wrote of one. The result is
// the canonical form of the original: segments end in CR, nothing follows the last
// value of a field or segment, and the same text is always escaped in the same way. It
// is written in the character set that MSH-18 declares, UTF-8 where that is none we
// know. The error wraps [ErrJSON] or [ErrNotEncodable], or is a [*ParseError].
func FromJSON(data []byte) (*Message, error) {
	var segments []jsonSegment
	if err := json.Unmarshal(data, &segments); err != nil {
		return nil, fmt.Errorf("hl7: %w", ErrJSON) // encoding/json would quote the content
	}
	m := new(Message)
	var text []byte
	for i, s := range segments {
		if i == 0 {
			head, err := s.header()
			if err != nil {
				return nil, err
			}
			if err := m.Parse(head); err != nil { // for the delimiters
				return nil, err
			}
			text = append(text, head[:m.body]...)
		}
		var err error
		if text, err = m.appendFromJSON(text, s, i); err != nil {
			return nil, fmt.Errorf("hl7: segment %d: %w", i+1, err)
		}
		text = append(text, '\r')
	}
	return m, m.adopt(text)
}

// adopt makes m the message that a UTF-8 text holds, to be encoded as it declares.
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

// header returns an MSH segment of nothing but delimiters.
func (s jsonSegment) header() ([]byte, error) {
	if s.ID != "MSH" || len(s.Fields["1"]) != 1 || len(s.Fields["2"]) != 1 {
		return nil, fmt.Errorf("hl7: %w", ErrNoHeader)
	}
	separator := s.Fields["1"][0]["1"]
	return []byte("MSH" + separator + s.Fields["2"][0]["1"] + separator), nil
}

func (m *Message) appendFromJSON(text []byte, s jsonSegment, position int) ([]byte, error) {
	d, first := m.delimiters, 1
	length := len(text)
	if position == 0 {
		first = 3
	} else {
		var err error
		if text, err = m.appendName(text, s.ID); err != nil {
			return nil, err
		}
	}
	numbers, err := numbersOf(s.Fields)
	if err != nil {
		return nil, err
	}
	at := first - 1
	for _, number := range numbers {
		if number.component < first {
			continue
		}
		text = appendDelimiters(text, d.Field, number.component-at)
		at = number.component
		repetitions := s.Fields[number.key]
		if len(repetitions) > 1 && d.Repetition == 0 {
			return nil, ErrNotEncodable
		}
		for i, repetition := range repetitions {
			text = appendDelimiters(text, d.Repetition, min(i, 1))
			if text, err = m.appendRepetition(text, repetition); err != nil {
				return nil, err
			}
		}
	}
	if len(text) == length { // a header must show where MSH-2 ends, a segment that it is there
		text = append(text, d.Field)
	}
	return text, nil
}

func (m *Message) appendRepetition(text []byte, values map[string]string) ([]byte, error) {
	numbers, err := numbersOf(values)
	if err != nil {
		return nil, err
	}
	at := number{component: 1, subcomponent: 1}
	for _, n := range numbers {
		if n.component > 1 && m.delimiters.Component == 0 || n.subcomponent > 1 && m.delimiters.Subcomponent == 0 {
			return nil, ErrNotEncodable
		}
		if n.component > at.component {
			text = appendDelimiters(text, m.delimiters.Component, n.component-at.component)
			at = number{component: n.component, subcomponent: 1}
		}
		text = appendDelimiters(text, m.delimiters.Subcomponent, n.subcomponent-at.subcomponent)
		at = n
		if text, err = m.appendText(text, values[n.key]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

func appendDelimiters(text []byte, delimiter byte, n int) []byte {
	return append(text, bytes.Repeat([]byte{delimiter}, n)...)
}

// appendName appends the name of a segment, in which only the field separator delimits.
func (m *Message) appendName(dst []byte, name string) ([]byte, error) {
	if m.delimiters.Escape == 0 && !strings.ContainsAny(name, "\r\n"+string(rune(m.delimiters.Field))) {
		return append(dst, name...), nil
	}
	if name != "" && name[0] <= ' ' && m.delimiters.Escape != 0 { // else parsing would pass over it
		dst = fmt.Appendf(dst, "%cX%02X%c", m.delimiters.Escape, name[0], m.delimiters.Escape)
		name = name[1:]
	}
	return m.appendText(dst, name)
}

func (m *Message) appendText(dst []byte, text string) ([]byte, error) {
	dst, ok := m.appendEscaped(dst, text)
	if !ok {
		return nil, ErrNotEncodable
	}
	return dst, nil
}

// A number is a key such as "4" or "4.2".
type number struct {
	key                     string
	component, subcomponent int
}

// maxNumber keeps a key from asking for a message of nothing but delimiters.
const maxNumber = 1 << 16

// numbersOf returns the keys of a JSON object in the order that their values have in a
// message.
func numbersOf[V any](object map[string]V) ([]number, error) {
	var numbers []number
	for key := range object {
		component, subcomponent, divided := strings.Cut(key, ".")
		n := number{key: key, subcomponent: 1}
		var err1, err2 error
		n.component, err1 = strconv.Atoi(component)
		if divided {
			n.subcomponent, err2 = strconv.Atoi(subcomponent)
		}
		if err1 != nil || err2 != nil || n.component < 1 || n.subcomponent < 1 || max(n.component, n.subcomponent) > maxNumber {
			return nil, ErrJSON
		}
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b number) int {
		if a.component != b.component {
			return a.component - b.component
		}
		return a.subcomponent - b.subcomponent
	})
	for i := 1; i < len(numbers); i++ {
		if a, b := numbers[i-1], numbers[i]; a.component == b.component && a.subcomponent == b.subcomponent {
			return nil, ErrJSON // "4" and "4.1" are the same place
		}
	}
	return numbers, nil
}
