package hl7

import (
	"bytes"
	"cmp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// A Charset says in which character set a message was read, and why.
type Charset struct {
	// Declared is MSH-18 unchanged (HL7 v2.5.1, 2.15.9.18, table 0211), or else what
	// [Message.ParseAs] was told. It is empty if nothing was declared.
	Declared string
	// Used is the IANA name, in lower case, of the set that the message was read in. That
	// is the declared set. If no known set is declared, or ASCII is declared for text
	// that is not ASCII, it is "utf-8" if the bytes are valid UTF-8, and "windows-1252"
	// otherwise.
	Used string
	// Guessed reports that neither a declaration nor the bytes decide, so that Used is
	// only likely.
	Guessed bool
	// Seems is "utf-8" if another set was declared and used but the bytes are valid
	// UTF-8, which text in another set hardly ever is. Otherwise it is empty.
	Seems string
}

// Charset returns the character set that the message was read in.
func (m *Message) Charset() Charset {
	if len(m.segments) == 0 {
		return Charset{}
	}
	declared, _ := m.Segment(0).raw(Path{Field: 18})
	c := Charset{Declared: cmp.Or(string(declared), m.charset.outside), Used: m.charset.name, Guessed: m.charset.guessed}
	if c.Used == "" {
		c.Used = cmp.Or(m.declaredCharset().name, "utf-8")
	}
	if m.charset.seemsUTF8 {
		c.Seems = "utf-8"
	}
	return c
}

// LookupCharset returns the IANA name, in lower case, of the character set with the given
// name, which may be any usual one. It reports false if messages cannot be read in such a
// set.
func LookupCharset(name string) (canonical string, ok bool) {
	c := lookup(name)
	return c.name, c.name != ""
}

// How the text of a message was obtained.
type charset struct {
	name      string            // the IANA name in lower case
	encoding  encoding.Encoding // nil if source was UTF-8 or ASCII
	switches  bool              // the text has escape characters of ISO 2022
	outside   string            // declared outside the message; used if MSH-18 declares nothing
	decided   string            // used whatever is declared; empty if nobody chose one
	guessed   bool              // see Charset
	seemsUTF8 bool
	hex       encoding.Encoding // for the bytes in hexadecimal escapes; nil if they are UTF-8
}

const iso2022 = "iso-2022-jp"

// maxCharsetName is longer than any name of a character set.
const maxCharsetName = 64

// usualHeader is how messages begin.
const usualHeader = `MSH|^~\&`

// lookup finds a character set by its HL7 or IANA name. The encoding is nil for UTF-8 and
// ASCII, which need none. A set that does not write a header as ASCII does, such as
// EBCDIC and HZ, is not found: if it were the message's set, its name could not have been
// read.
func lookup(value string) (c charset) {
	if len(value) > maxCharsetName {
		return c
	}
	name := canonical(value)
	if name == macCyrillic {
		return charset{name: name, encoding: charmap.MacintoshCyrillic}
	}
	e, err := ianaindex.MIME.Encoding(name)
	if err != nil || e == nil {
		return c
	}
	if name, err = ianaindex.MIME.Name(e); err != nil {
		return c
	}
	name = strings.ToLower(name)
	if name == "us-ascii" || name == "utf-8" {
		return charset{name: name}
	}
	if head, err := e.NewDecoder().String(usualHeader); err != nil || head != usualHeader {
		return c
	}
	return charset{name: name, encoding: e}
}

// chooseCharset decides the message's character set. If that is not UTF-8, it converts
// the text and reports true.
func (m *Message) chooseCharset() (converted bool) {
	if m.charset.encoding != nil || !m.marks.beyondASCII && !m.charset.switches {
		return false // recognized by its bytes, or ASCII, which is the same in every other set
	}
	c := m.declaredCharset()
	valid := utf8.Valid(m.text)
	if c.name == "" && !valid {
		c = m.hiddenCharset()
	}
	switch {
	case c.encoding != nil && (m.marks.beyondASCII || c.name == iso2022):
		m.charset.name, m.charset.encoding = c.name, c.encoding
		m.charset.seemsUTF8 = m.marks.beyondASCII && valid
	case !m.marks.beyondASCII:
		m.charset.name = cmp.Or(c.name, "utf-8")
		return false
	case valid:
		m.charset.name = "utf-8"
		return false
	case c.name == "utf-8":
		m.charset.name, m.charset.encoding = c.name, unicode.UTF8
	default:
		m.charset.name, m.charset.encoding, m.charset.guessed = "windows-1252", charmap.Windows1252, true
	}
	m.convert(m.charset.encoding)
	return true
}

// maxAlternates is how many repetitions of MSH-18 are read. Table 0211 has about as many
// sets. A message that declares more is read in the first one.
const maxAlternates = 32

// declaredCharset returns the set that somebody chose, or else reads MSH-18. Its first
// repetition is the set that the message begins in. The others matter if the text has ISO
// 2022 escapes.
func (m *Message) declaredCharset() (c charset) {
	if c = lookup(m.charset.decided); c.name != "" {
		return c
	}
	declared, _ := m.Segment(0).raw(Path{Field: 18})
	first, alternates, more := m.cutRepetition(declared)
	c = lookup(string(first))
	if more && c.name != iso2022 && m.charset.switches {
		for n := 1; more && n < maxAlternates; n++ {
			var alternate []byte
			alternate, alternates, more = m.cutRepetition(alternates)
			if set := lookup(string(alternate)); set.name == iso2022 {
				c = set
				break
			}
		}
	}
	if outside := lookup(m.charset.outside); c.name == "" && outside.encoding != nil {
		return outside
	}
	return c
}

// cutRepetition returns the first repetition of a field and the rest, if any.
func (m *Message) cutRepetition(field []byte) (first, rest []byte, more bool) {
	if m.delimiters.Repetition == 0 {
		return field, nil, false
	}
	return bytes.Cut(field, []byte{m.delimiters.Repetition})
}

// hiddenCharset tries the sets in which a byte of a character may look like a delimiter,
// and so hide MSH-18. A set is the message's if the message, read in that set, declares
// it.
func (m *Message) hiddenCharset() charset {
	for _, name := range []string{"GB 18030-2000", "BIG-5", "ISO IR14"} {
		c := lookup(name)
		probe := Message{text: m.Segment(0).Raw()}
		probe.convert(c.encoding)
		if probe.parse() == nil && probe.declaredCharset().name == c.name {
			return c
		}
	}
	return charset{}
}

// chooseHex decides the character set of hexadecimal escapes. It is the message's. If all
// other bytes are ASCII, which decides nothing, it is the declared one.
func (m *Message) chooseHex() {
	m.charset.hex = m.charset.encoding
	escape := m.delimiters.Escape
	if m.charset.hex == nil && !m.marks.beyondASCII && m.escapes && bytes.Contains(m.text, []byte{escape, 'X'}) {
		m.charset.hex = m.declaredCharset().encoding
	}
}

// convert replaces the text by its conversion. A decoder writes U+FFFD for what it does
// not know, so the text is always valid UTF-8.
func (m *Message) convert(e encoding.Encoding) {
	text, err := e.NewDecoder().Bytes(m.text)
	if err != nil {
		text = bytes.ToValidUTF8(m.text, []byte("\ufffd"))
	}
	m.converted = append(m.converted[:0], text...)
	m.text = m.converted
}

// convertWide converts UTF-16 and UTF-32.
func (m *Message) convertWide() {
	if name, e := wide(m.text); e != nil {
		m.convert(e)
		m.charset.name, m.charset.encoding = name, e
	}
}

// wide recognizes UTF-16 and UTF-32 (HL7 table 0211, UNICODE UTF-16 and UTF-32) by the
// zeros between the letters of "MSH", because nothing can be read before that is known.
func wide(text []byte) (name string, _ encoding.Encoding) {
	if bytes.IndexByte(text[:min(8, len(text))], 0) < 0 {
		return "", nil
	}
	for _, w := range []struct {
		start, name string
		encoding    encoding.Encoding
	}{
		{"\xff\xfe\x00\x00M\x00\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)},
		{"\x00\x00\xfe\xff\x00\x00\x00M", "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.UseBOM)},
		{"M\x00\x00\x00S\x00\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
		{"\x00\x00\x00M\x00\x00\x00S", "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
		{"\xff\xfeM\x00S\x00", "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
		{"\xfe\xff\x00M\x00S", "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
		{"M\x00S\x00H\x00", "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\x00M\x00S\x00H", "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	} {
		if bytes.HasPrefix(text, []byte(w.start)) {
			return w.name, w.encoding
		}
	}
	if n := leadingUnits(text); n > 0 {
		return wide(text[n:])
	}
	return "", nil
}
