package hl7

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// Reply returns the acknowledgment of any input, even if that is not a message. It then
// uses as much of the header as can be read, and the usual delimiters if those of the
// input cannot be used. So a sender that waits for an answer gets one, whatever it sent.
// Characters of the problems that the message's character set does not have become
// question marks. If the message cannot hold the problems at all, they are left out.
// The error wraps [ErrAck] or [ErrNotEncodable].
func Reply(data []byte, a Ack) (*Message, error) {
	m := new(Message)
	if m.Parse(data) != nil {
		if head, ok := salvageHeader(data); !ok || m.Parse(head) != nil {
			return bareReply(a)
		}
	}
	for _, problems := range [][]Problem{a.Problems, m.plainProblems(a.Problems), nil} {
		a := a
		a.Problems = problems
		if ack, err := m.Acknowledge(a); !errors.Is(err, ErrNotEncodable) {
			return ack, err
		}
	}
	return bareReply(a)
}

// ParseHeader reads the MSH segment alone of an input that may be no message, for what it
// tells about its sender. The error is a [*ParseError].
func ParseHeader(data []byte) (*Message, error) {
	start := leadingFrame(data)
	end := len(data)
	if n := bytes.IndexAny(data[start:], "\r\n"); n >= 0 {
		end = start + n
	}
	return Parse(data[:end])
}

// plainProblems returns the problems with a question mark for each character that m may
// not be able to write.
func (m *Message) plainProblems(problems []Problem) []Problem {
	plain := func(r rune) rune {
		if r < ' ' || r >= 0x7f || m.delimiters.has(byte(r)) {
			return '?'
		}
		return r
	}
	problems = slices.Clone(problems)
	for i := range problems {
		problems[i].Name, problems[i].Text = strings.Map(plain, problems[i].Name), strings.Map(plain, problems[i].Text)
	}
	return problems
}

// bareReply acknowledges an input about which nothing is known.
func bareReply(a Ack) (*Message, error) {
	m, err := Parse([]byte("MSH|^~\\&|\r"))
	if err != nil {
		return nil, err
	}
	return m.Acknowledge(a)
}

// ProblemOf turns the error of [Message.Parse] into a problem for an acknowledgment. Any
// other error becomes an internal error of the receiver (table 0357, 207), without its
// text.
func ProblemOf(err error) Problem {
	var e *ParseError
	if !errors.As(err, &e) {
		return Problem{Code: "207", Name: "Application internal error"}
	}
	p := Problem{Code: "100", Name: "Segment sequence error", Text: e.Err.Error()}
	switch e.Err {
	case ErrTruncatedHeader:
		p.Code, p.Name = "101", "Required field missing"
	case ErrDelimiters, ErrLayout:
		p.Code, p.Name = "102", "Data type error"
	}
	if path, err := ParsePath(e.Path); err == nil {
		p.Path = path
	}
	return p
}

// usualEncodingCharacters are those of nearly all messages (HL7 v2.5.1, 2.5.4).
const usualEncodingCharacters = "^~\\&"

// salvageHeader returns an MSH segment that can be parsed, made from what can be read of
// the MSH at the front of an input. It reports false if not even its name is there.
func salvageHeader(data []byte) ([]byte, bool) {
	front := Message{text: data[:min(len(data), peekLimit)]}
	front.convertWide()
	line := front.text[leadingFrame(front.text):]
	if n := bytes.IndexAny(line, "\r\n"); n >= 0 {
		line = line[:n]
	}
	if len(line) < 4 || string(line[:3]) != "MSH" || isAlphanumeric(line[3]) {
		return nil, false
	}
	text := strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(line[3:]), "?"))
	separator := "|"
	if strings.HasPrefix(text, usualEncodingCharacters+separator) { // the separator before them was lost
		text = separator + text
	}
	if text != "" && canDelimit(text[0]) {
		separator, text = text[:1], text[1:]
	}
	encoding, fields, _ := strings.Cut(text, separator)
	var d Delimiters
	if d.Field = separator[0]; !d.setEncodingCharacters([]byte(encoding)) {
		if encoding = usualEncodingCharacters; strings.Contains(encoding, separator) {
			fields = strings.ReplaceAll(fields, separator, "|")
			separator = "|"
		}
	}
	return []byte("MSH" + separator + encoding + separator + fields + "\r"), true
}
