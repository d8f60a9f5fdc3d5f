package dictionary

import (
	"bytes"
	"strings"

	"hl7lake/hl7"
)

// ends checks how a segment ends, and reports whether all its fields belong to it.
func (c *check) ends(s hl7.Segment, p hl7.Path) bool {
	if c.isRunTogether(s) {
		c.ragged = true
		c.report(RunTogether, p, "another segment begins within it")
		return false
	}
	if endsWithTerminator(s.Raw()) {
		c.report(RunTogether, p, "what should end it is text at its end")
	}
	return true
}

// isRunTogether reports whether another segment begins within a segment: a header with
// the message's delimiters; a segment of the version, after the text of a terminator; or
// a segment that the message may have, after text that can hardly continue like that:
// "0800ORC|NW|", but not "RAPID|".
func (c *check) isRunTogether(s hl7.Segment) bool {
	raw := s.Raw()
	const name = len("MSH")
	for at := name; ; {
		n := bytes.IndexByte(raw[min(at+1, len(raw)):], c.delimiters.Field)
		if n < 0 {
			return false
		}
		at += 1 + n
		before, within, after := raw[:at-min(name, at)], string(raw[at-min(name, at):at]), raw[at+1:]
		switch {
		case within == "MSH" && len(after) > 0 && after[0] == c.delimiters.Component:
			return true
		case c.v.Segment(within) == nil || len(before) == 0:
		case endsWithTerminator(before):
			return true
		case endsWord(before[len(before)-1]) && c.expects(within) && bytes.IndexByte(after, c.delimiters.Field) >= 0:
			return true
		}
	}
}

// endsWord reports whether capital letters can follow c only by accident.
func endsWord(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }

// endsWithTerminator reports whether a text ends with something that is found in place of
// CR at the end of segments: from string literals of programming languages, from HTML,
// from documents.
func endsWithTerminator(text []byte) bool {
	for _, terminator := range [...]string{`\r`, `\n`, `\x0d\`, `\x0a\`, `<cr>`, `<lf>`, `&#13;`, `&#10;`, `&#xd;`, `&#xa;`} {
		if n := len(text) - len(terminator); n >= 0 && strings.EqualFold(string(text[n:]), terminator) {
			return true
		}
	}
	return false
}

// hasUnknownEscape reports whether a value has an escape character that does not begin
// one of HL7's sequences (HL7 v2.5.1, 2.7).
func hasUnknownEscape(value []byte, escape byte) bool {
	if escape == 0 {
		return false
	}
	for {
		open := bytes.IndexByte(value, escape)
		if open < 0 {
			return false
		}
		value = value[open+1:]
		end := bytes.IndexByte(value, escape)
		if end < 0 || !isSequence(value[:end]) {
			return true
		}
		value = value[end+1:]
	}
}

// isSequence reports whether HL7 has the escape sequence. A local one is whatever its
// users agreed on.
func isSequence(sequence []byte) bool {
	if len(sequence) == 0 {
		return false
	}
	rest := sequence[1:]
	switch sequence[0] {
	case 'F', 'S', 'T', 'R', 'E', 'P', 'H', 'N':
		return len(rest) == 0
	case 'X', 'C', 'M':
		return len(rest) > 0 && len(bytes.Trim(rest, "0123456789ABCDEFabcdef")) == 0
	case 'Z':
		return len(rest) > 0 && !bytes.ContainsAny(rest, " \t")
	case '.':
		return len(rest) >= 2 && strings.Contains(" br sp sk fi nf in ti ce ", " "+string(rest[:2])+" ") &&
			len(bytes.Trim(rest[2:], "+-0123456789 ")) == 0
	}
	return false
}
