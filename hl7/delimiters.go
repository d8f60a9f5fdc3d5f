package hl7

// Delimiters are the characters that a message chooses for itself in MSH-1 and MSH-2 (HL7
// v2.5.1, 2.5.4). Zero means that the message does not use that delimiter, so that the
// character is ordinary text.
type Delimiters struct {
	Field        byte // MSH-1, usually |
	Component    byte // the first character of MSH-2, usually ^
	Repetition   byte // the second, usually ~
	Escape       byte // the third, usually \
	Subcomponent byte // the fourth, usually &
	Truncation   byte // the fifth, from v2.7 on, usually # (HL7 v2.7, 2.5.5.2)
}

// Standard are the delimiters that HL7 suggests.
var Standard = Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&'}

// maxEncodingCharacters is one more than any version defines. Some senders reach it
// because they double the escape character.
const maxEncodingCharacters = 6

// setEncodingCharacters reads MSH-2. A character that repeats an earlier one, or is a
// space, leaves its role empty. An escape character written twice (^~\\&, the trace of a
// string literal in some program) counts once. If there are only three characters and the
// last is &, nobody meant it as the escape character: that was left out, and & separates
// sub-components. HL7 v2.5.1, 2.5.4 allows this only in a message without them, but as an
// escape character & would turn "A&F&B" into "A|B".
func (d *Delimiters) setEncodingCharacters(msh2 []byte) bool {
	if len(msh2) == 0 || len(msh2) > maxEncodingCharacters {
		return false
	}
	roles := [...]*byte{&d.Component, &d.Repetition, &d.Escape, &d.Subcomponent, &d.Truncation}
	role := 0
	for i, c := range msh2 {
		if i == 2 && c == '&' && len(msh2) == 3 {
			role++
		}
		if c != ' ' && !canDelimit(c) || c == ' ' && i == 0 {
			return false
		}
		if i == 3 && c == msh2[2] {
			continue
		}
		if c != ' ' && !d.has(c) && role < len(roles) {
			*roles[role] = c
		}
		role++
	}
	return true
}

func (d *Delimiters) has(c byte) bool {
	return c == d.Field || c == d.Component || c == d.Repetition || c == d.Escape || c == d.Subcomponent || c == d.Truncation
}

// canDelimit excludes characters that occur in every text, those that end segments, and
// bytes that are part of a character in some character set.
func canDelimit(c byte) bool {
	return c > ' ' && c < 0x7f && !isAlphanumeric(c)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
