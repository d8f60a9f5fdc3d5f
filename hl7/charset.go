package hl7

import (
	"bytes"
	"cmp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// How the text of a message came to be.
type charset struct {
	name        string            // as the IANA writes it, in lower case
	encoding    encoding.Encoding // nil where source was UTF-8 or ASCII
	beyondASCII bool              // a byte above 0x7f was seen
}

// Charset returns the name of the character set that the message was read in, such as
// "utf-8" or "iso-8859-1": the one that MSH-18 declares (HL7 v2.5.1, 2.15.9.18, table
// 0211). Where it declares none, one that is unknown, or ASCII for what is not ASCII,
// it is "utf-8" if the bytes are valid UTF-8 and "windows-1252" if not.
func (m *Message) Charset() string {
	if m.charset.name == "" && len(m.segments) > 0 {
		return cmp.Or(m.declaredCharset().name, "utf-8")
	}
	return m.charset.name
}

const iso2022 = "iso-2022-jp"

// table0211 finds the character set for a value of MSH-18. The alternates that ISO 2022
// adds by escape sequences come with the encoding that understands these.
func table0211(value string) (name string, _ encoding.Encoding) {
	switch strings.ToUpper(value) {
	case "ASCII", "ISO IR6", "US-ASCII":
		return "us-ascii", nil
	case "UNICODE UTF-8", "UTF-8", "UTF8":
		return "utf-8", nil
	case "8859/1", "ISO-8859-1", "ISO IR100":
		return "iso-8859-1", charmap.ISO8859_1
	case "8859/2", "ISO-8859-2":
		return "iso-8859-2", charmap.ISO8859_2
	case "8859/3", "ISO-8859-3":
		return "iso-8859-3", charmap.ISO8859_3
	case "8859/4", "ISO-8859-4":
		return "iso-8859-4", charmap.ISO8859_4
	case "8859/5", "ISO-8859-5":
		return "iso-8859-5", charmap.ISO8859_5
	case "8859/6", "ISO-8859-6":
		return "iso-8859-6", charmap.ISO8859_6
	case "8859/7", "ISO-8859-7":
		return "iso-8859-7", charmap.ISO8859_7
	case "8859/8", "ISO-8859-8":
		return "iso-8859-8", charmap.ISO8859_8
	case "8859/9", "ISO-8859-9":
		return "iso-8859-9", charmap.ISO8859_9
	case "8859/15", "ISO-8859-15":
		return "iso-8859-15", charmap.ISO8859_15
	case "WINDOWS-1252", "CP1252":
		return "windows-1252", charmap.Windows1252
	case "ISO IR14": // JIS X 0201: the single bytes of Shift JIS
		return "shift_jis", japanese.ShiftJIS
	case "ISO IR87", "ISO IR159": // JIS X 0208 and 0212, by escape sequences
		return iso2022, japanese.ISO2022JP
	case "GB 18030-2000", "GB18030":
		return "gb18030", simplifiedchinese.GB18030
	case "KS X 1001":
		return "euc-kr", korean.EUCKR
	case "BIG-5", "BIG5":
		return "big5", traditionalchinese.Big5
	}
	return "", nil
}

// chooseCharset settles in which character set the message is, converts the text where
// that is not UTF-8, and reports whether it did.
func (m *Message) chooseCharset() (converted bool) {
	escapes := bytes.IndexByte(m.text, esc) >= 0
	if m.charset.encoding != nil || !m.charset.beyondASCII && !escapes {
		return false // known by its look, or ASCII, which is the same in every other set
	}
	c := m.declaredCharset()
	valid := utf8.Valid(m.text)
	switch {
	case c.encoding != nil && (m.charset.beyondASCII || c.name == iso2022):
		m.charset.name, m.charset.encoding = c.name, c.encoding
	case !m.charset.beyondASCII:
		m.charset.name = cmp.Or(c.name, "utf-8")
		return false
	case valid:
		m.charset.name = "utf-8"
		return false
	case c.name == "utf-8":
		m.charset.name, m.charset.encoding = c.name, unicode.UTF8
	default:
		m.charset.name, m.charset.encoding = "windows-1252", charmap.Windows1252
	}
	m.convert(m.charset.encoding)
	return true
}

// declaredCharset reads MSH-18. Its first repetition is the set that the message begins
// in; alternates matter where they come with ISO 2022 escapes.
func (m *Message) declaredCharset() (c charset) {
	raw, _ := m.Segment(0).raw(Path{Field: 18})
	for i := 0; len(raw) > 0; i++ {
		var value []byte
		if value, raw, _ = bytes.Cut(raw, []byte{m.delimiters.Repetition}); m.delimiters.Repetition == 0 {
			value, raw = raw, nil
		}
		name, set := table0211(string(bytes.TrimSpace(value)))
		if i == 0 || name == iso2022 && bytes.IndexByte(m.text, esc) >= 0 {
			c.name, c.encoding = name, set
		}
	}
	return c
}

// convert replaces the text by its conversion. An encoding puts U+FFFD for what it does
// not know, so that the text is valid UTF-8 in any case.
func (m *Message) convert(e encoding.Encoding) {
	text, err := e.NewDecoder().Bytes(m.text)
	if err != nil {
		text = bytes.ToValidUTF8(m.text, []byte("\ufffd"))
	}
	m.converted = append(m.converted[:0], text...)
	m.text = m.converted
}

// convertWide recognises UTF-16 and UTF-32 (HL7 table 0211, UNICODE UTF-16 and UTF-32)
// by the zeros between the letters of "MSH", as nothing can be read before that.
func (m *Message) convertWide() {
	if bytes.IndexByte(m.text[:min(8, len(m.text))], 0) < 0 {
		return
	}
	bom16, bom32 := unicode.UseBOM, utf32.UseBOM
	for _, wide := range []struct {
		start, name string
		encoding    encoding.Encoding
	}{
		{"\xff\xfe\x00\x00M\x00\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, bom32)},
		{"\x00\x00\xfe\xff\x00\x00\x00M", "utf-32be", utf32.UTF32(utf32.BigEndian, bom32)},
		{"M\x00\x00\x00S\x00\x00\x00", "utf-32le", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
		{"\x00\x00\x00M\x00\x00\x00S", "utf-32be", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
		{"\xff\xfeM\x00S\x00", "utf-16le", unicode.UTF16(unicode.LittleEndian, bom16)},
		{"\xfe\xff\x00M\x00S", "utf-16be", unicode.UTF16(unicode.BigEndian, bom16)},
		{"M\x00S\x00H\x00", "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		{"\x00M\x00S\x00H", "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	} {
		if bytes.HasPrefix(m.text, []byte(wide.start)) {
			m.convert(wide.encoding)
			m.charset.name, m.charset.encoding = wide.name, wide.encoding
			return
		}
	}
}
