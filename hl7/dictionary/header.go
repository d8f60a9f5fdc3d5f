package dictionary

import (
	"bytes"
	"strings"

	"hl7lake/hl7"
)

// charset checks how the message was read, which concerns MSH-18.
func (c *check) charset(m *hl7.Message) {
	set := m.Charset()
	first := set.Declared
	if c.delimiters.Repetition != 0 {
		first, _, _ = strings.Cut(first, string(c.delimiters.Repetition))
	}
	detail := ""
	_, known := hl7.LookupCharset(first)
	switch {
	case isWide(set.Used): // recognized by its bytes, whatever is declared
		if first == "" || namesWide(first) {
			return
		}
		detail = "the bytes are " + set.Used
	case set.Seems != "":
		detail = "the bytes are " + set.Seems + ", as hardly by chance"
	case first != "" && !known:
		detail = "not a known character set; read as " + set.Used
	case set.Guessed && first != "":
		detail = "there are other characters; read as " + set.Used
	case set.Guessed:
		detail = "none is declared; read as " + set.Used
	case hasLost(m):
		detail = "there are bytes that " + set.Used + " does not have; they are read as U+FFFD"
	default:
		return
	}
	c.position = 1
	c.report(WrongCharset, hl7.Path{Segment: "MSH", Field: 18}, detail)
}

// isWide reports whether a character set is UTF-16 or UTF-32.
func isWide(name string) bool {
	return strings.HasPrefix(name, "utf-16") || strings.HasPrefix(name, "utf-32")
}

// namesWide reports whether a declaration means UTF-16 or UTF-32, such as "UNICODE
// UTF-16" or the withdrawn "UNICODE" (HL7 table 0211).
func namesWide(declared string) bool {
	declared = strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToUpper(declared))
	for _, name := range [...]string{"UTF16", "UTF32", "UCS2", "UCS4", "10646"} {
		if strings.Contains(declared, name) {
			return true
		}
	}
	return declared == "UNICODE"
}

// hasLost reports whether a message has U+FFFD, which stands for bytes that are not a
// character.
func hasLost(m *hl7.Message) bool {
	for i := range m.Len() {
		if bytes.Contains(m.Segment(i).Raw(), []byte("\ufffd")) {
			return true
		}
	}
	return false
}

// encodingCharacters checks MSH-2 (HL7 v2.5.1, 2.5.4 and 2.15.9.2).
func (c *check) encodingCharacters(msh hl7.Segment) {
	raw, _ := msh.RawField("2")
	msh2, d := string(raw), c.delimiters
	detail := ""
	switch {
	case d.Escape == 0 && d.Subcomponent != 0:
		detail = "sub-components need an escape character; none is read as one"
	case len(msh2) > 3 && msh2[2] == msh2[3]:
		detail = "the escape character is there twice; read as one"
	case strings.Contains(msh2, " "):
		detail = "a blank delimits nothing"
	case repeats(msh2 + string(d.Field)):
		detail = "a character has two roles; read as the first"
	default:
		return
	}
	c.position = 1
	c.report(WrongDelimiters, hl7.Path{Segment: "MSH", Field: 2}, detail)
}

// repeats reports whether a character occurs in a text more than once.
func repeats(text string) bool {
	for i, r := range text {
		if strings.ContainsRune(text[i+1:], r) {
			return true
		}
	}
	return false
}
