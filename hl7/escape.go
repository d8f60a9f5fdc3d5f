package hl7

import (
	"bytes"
	"encoding/hex"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unescape returns the text of a value that [Message.Raw] or [Segment.RawField] returned:
// what [Message.Get] returns for its place. Values within MSH-1 and MSH-2 have no escapes.
func (m *Message) Unescape(raw []byte) string { return m.decode(raw) }

// decode returns the text of a value.
func (m *Message) decode(value []byte) string {
	if m.delimiters.Escape == 0 || bytes.IndexByte(value, m.delimiters.Escape) < 0 {
		return string(value)
	}
	return string(m.appendDecoded(nil, value))
}

// appendDecoded appends the text of a value. It replaces escape sequences by what they
// stand for (HL7 v2.5.1, 2.7):
//
//	\F\ \S\ \T\ \R\ \E\ \P\   the delimiters, as far as the message has them
//	\Xdd…\                    bytes in the message's character set
//	\.br\ \.sp\ \.sp3\        line ends
//	\.sk3\                    blanks
//
// All others stay in the text unchanged. Highlighting (\H\ \N\) and layout (\.in+4\),
// character sets (\C…\ \M…\) and local sequences (\Z…\) have no equivalent in plain text.
// What is not a sequence at all, such as a single backslash, is meant literally.
func (m *Message) appendDecoded(dst, value []byte) []byte {
	escape := m.delimiters.Escape
	for escape != 0 {
		open := bytes.IndexByte(value, escape)
		if open < 0 {
			return append(dst, value...)
		}
		dst, value = append(dst, value[:open]...), value[open+1:]
		if digits, n := hexRun(value, escape); n > 0 {
			if whole := m.appendHex(dst, digits); len(whole) > len(dst) {
				dst, value = whole, value[n:]
				continue
			}
			// They do not make characters together, so each stands for itself, and none
			// is read again.
			dst, value = m.appendSingly(dst, value[:n]), value[n:]
			continue
		}
		end := bytes.IndexByte(value, escape)
		if end < 0 {
			return append(append(dst, escape), value...)
		}
		n := len(dst)
		dst = m.appendSequence(dst, value[:end])
		switch {
		case len(dst) > n:
			value = value[end+1:]
		case isSequence(value[:end]):
			dst = append(append(append(dst, escape), value[:end]...), escape)
			value = value[end+1:]
		default: // the next escape character may begin a sequence
			dst = append(append(dst, escape), value[:end]...)
			value = value[end:]
		}
	}
	return append(dst, value...)
}

// appendSingly appends what each of several hexadecimal escapes in a row stands for, or
// the escape itself if it stands for nothing. The row begins after the first escape
// character.
func (m *Message) appendSingly(dst, run []byte) []byte {
	escape := m.delimiters.Escape
	for len(run) > 0 {
		end := bytes.IndexByte(run, escape)
		n := len(dst)
		if dst = m.appendHex(dst, run[1:end]); len(dst) == n {
			dst = append(append(append(dst, escape), run[:end]...), escape)
		}
		run = run[min(end+2, len(run)):]
	}
	return dst
}

// appendSequence appends what an escape sequence stands for. It appends nothing if the
// sequence has no text.
func (m *Message) appendSequence(dst, sequence []byte) []byte {
	switch {
	case len(sequence) == 0:
	case len(sequence) == 1:
		if c := m.delimiterFor(sequence[0]); c != 0 {
			dst = append(dst, c)
		}
	case sequence[0] == 'X':
		dst = m.appendHex(dst, sequence[1:])
	case sequence[0] == '.' && len(sequence) >= 3:
		dst = appendLayout(dst, string(sequence[1:3]), string(sequence[3:]))
	}
	return dst
}

// appendLayout appends the line ends and spaces that a formatting command asks for (HL7
// v2.5.1, 2.7.6), at most 255.
func appendLayout(dst []byte, command, count string) []byte {
	c, n := layout(command, count)
	for range n {
		dst = append(dst, c)
	}
	return dst
}

// layout returns what a formatting command stands for: n times c.
func layout(command, count string) (c byte, n int) {
	number, err := uint64(1), error(nil)
	if count != "" {
		number, err = strconv.ParseUint(count, 10, 8)
	}
	switch {
	case err != nil:
	case command == "br" && count == "":
		return '\n', 1
	case command == "sp":
		return '\n', int(number)
	case command == "sk":
		return ' ', int(number)
	}
	return 0, 0
}

// maxLayout is how many line ends and spaces the formatting commands of a message may
// stand for. These are the only sequences that are shorter than their text: without a
// limit, 8 bytes would become 255. The limit has room for the empty lines of 1,000
// printed pages.
const maxLayout = 64 << 10

// checkLayout returns an error at the formatting command that exceeds [maxLayout], so
// that the text of a parsed message is never much longer than the message.
func (m *Message) checkLayout() error {
	escape := m.delimiters.Escape
	if !m.escapes {
		return nil
	}
	command := []byte{escape, '.', 's'}
	for at, total := 0, 0; ; at += len(command) {
		n := bytes.Index(m.text[at:], command)
		if n < 0 {
			return nil
		}
		at += n
		sequence := m.text[at+2:] // sp255\, and what follows
		end := bytes.IndexByte(sequence, escape)
		if end < 2 {
			continue
		}
		_, n = layout(string(sequence[:2]), string(sequence[2:end]))
		if total += n; total > maxLayout {
			segment := sort.Search(len(m.segments), func(i int) bool { return m.segments[i].end > at }) + 1
			return &ParseError{Code: "layout", Line: line(m.text, at), Segment: segment, Offset: at, Err: ErrLayout}
		}
	}
}

func (m *Message) delimiterFor(letter byte) byte {
	switch letter {
	case 'F':
		return m.delimiters.Field
	case 'S':
		return m.delimiters.Component
	case 'T':
		return m.delimiters.Subcomponent
	case 'R':
		return m.delimiters.Repetition
	case 'E':
		return m.delimiters.Escape
	case 'P':
		return m.delimiters.Truncation
	}
	return 0
}

// appendHex appends the characters that the bytes of hexadecimal digits stand for. It
// appends nothing if the digits are not pairs or are not characters.
func (m *Message) appendHex(dst, digits []byte) []byte {
	decoded := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(decoded, digits); err != nil {
		return dst
	}
	if e := m.charset.hex; e != nil {
		if text, err := e.NewDecoder().Bytes(decoded); err == nil {
			decoded = text
		}
	}
	if !utf8.Valid(decoded) {
		return dst
	}
	return append(dst, decoded...)
}

// hexRun returns the digits of several hexadecimal escapes in a row at the front of
// value, which begins after an escape character: together they may be the bytes of one
// character. n is how many bytes of value they take; it is zero if there is only one.
func hexRun(value []byte, escape byte) (digits []byte, n int) {
	count := 0
	for rest := value; len(rest) > 0 && rest[0] == 'X'; count++ {
		end := bytes.IndexByte(rest, escape)
		if end < 0 {
			break
		}
		digits = append(digits, rest[1:end]...)
		n = len(value) - len(rest) + end + 1
		if rest = rest[end+1:]; len(rest) == 0 || rest[0] != escape {
			count++
			break
		}
		rest = rest[1:]
	}
	if count < 2 {
		return nil, 0
	}
	return digits, n
}

// isSequence reports whether HL7 gives a sequence a meaning other than text (HL7 v2.5.1,
// 2.7.2 to 2.7.7).
func isSequence(sequence []byte) bool {
	if len(sequence) == 0 {
		return false
	}
	switch rest := string(sequence[1:]); sequence[0] {
	case 'H', 'N':
		return rest == ""
	case 'C', 'M', 'X':
		return rest != "" && strings.Trim(rest, "0123456789ABCDEFabcdef") == ""
	case 'Z':
		return rest != "" && strings.IndexFunc(rest, func(r rune) bool { return r > 'z' || !isAlphanumeric(byte(r)) }) < 0
	case '.':
		return len(rest) >= 2 && strings.Contains(" br sp sk fi nf in ti ce ", " "+rest[:2]+" ") &&
			strings.Trim(rest[2:], "+-0123456789") == ""
	}
	return false
}

// appendEscaped appends text in the form from which [Message.Get] returns it. It escapes
// delimiters, line ends and control characters that a transport or a character set might
// use. It also escapes an escape character, unless that is part of a sequence that
// reading leaves unchanged, such as \H\. It reports false if the message has no escape
// character.
func (m *Message) appendEscaped(dst []byte, text string) ([]byte, bool) {
	d := m.delimiters
	if d.Escape == 0 {
		needed := strings.ContainsFunc(text, func(r rune) bool {
			return strings.ContainsRune("\r\n\v\x1b\x1c", r) || r > 0 && r < 0x80 && r != rune(d.Truncation) && d.has(byte(r))
		})
		return append(dst, text...), !needed
	}
	for i := 0; i < len(text); i++ {
		var sequence string
		switch c := text[i]; c {
		case 0:
		case d.Field:
			sequence = "F"
		case d.Component:
			sequence = "S"
		case d.Subcomponent:
			sequence = "T"
		case d.Repetition:
			sequence = "R"
		case d.Truncation:
			sequence = "P"
		case '\n':
			if sequence = ".br"; d.has('.') {
				sequence = "X0A"
			}
		case '\r', vt, fs, esc:
			sequence = "X" + strings.ToUpper(hex.EncodeToString([]byte{c}))
		case d.Escape:
			if kept := m.keptSequence(text[i:]); kept > 0 {
				dst = append(dst, text[i:i+kept]...)
				i += kept - 1
				continue
			}
			sequence = "E"
		}
		if sequence == "" {
			dst = append(dst, text[i])
			continue
		}
		dst = append(append(append(dst, d.Escape), sequence...), d.Escape)
	}
	return dst, true
}

// keptSequence returns the length of the sequence at the front of text, if reading leaves
// it unchanged in any character set.
func (m *Message) keptSequence(text string) int {
	end := strings.IndexByte(text[1:], m.delimiters.Escape)
	if end <= 0 || text[1] == 'X' {
		return 0
	}
	sequence := []byte(text[1 : 1+end])
	if !isSequence(sequence) || len(m.appendSequence(nil, sequence)) > 0 {
		return 0
	}
	return end + 2
}
