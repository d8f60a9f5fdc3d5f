package hl7_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"hl7lake/hl7"
)

func TestTextIsReadInTheDeclaredCharacterSet(t *testing.T) {
	for name, test := range map[string]struct {
		msh18    string
		encoding encoding.Encoding
		text     string
		want     string // Charset
	}{
		"ASCII":                     {"ASCII", encoding.Nop, "Muller", "us-ascii"},
		"none, ASCII":               {"", encoding.Nop, "Muller", "utf-8"},
		"none, UTF-8":               {"", encoding.Nop, "Müller", "utf-8"},
		"none, neither":             {"", charmap.Windows1252, "Müller€", "windows-1252"},
		"unknown":                   {"KLINGON", charmap.Windows1252, "Müller", "windows-1252"},
		"ASCII, untrue":             {"ASCII", charmap.Windows1252, "Müller", "windows-1252"},
		"ASCII, UTF-8":              {"ASCII", encoding.Nop, "Müller", "utf-8"},
		"UTF-8":                     {"UNICODE UTF-8", encoding.Nop, "Müller 表", "utf-8"},
		"Latin 1":                   {"8859/1", charmap.ISO8859_1, "Müller", "iso-8859-1"},
		"Latin 2":                   {"8859/2", charmap.ISO8859_2, "Dvořák", "iso-8859-2"},
		"Latin 3":                   {"8859/3", charmap.ISO8859_3, "Ĝis", "iso-8859-3"},
		"Latin 4":                   {"8859/4", charmap.ISO8859_4, "Ķēniņš", "iso-8859-4"},
		"Cyrillic":                  {"8859/5", charmap.ISO8859_5, "Иванов", "iso-8859-5"},
		"Arabic":                    {"8859/6", charmap.ISO8859_6, "علي", "iso-8859-6"},
		"Greek":                     {"8859/7", charmap.ISO8859_7, "Γιώργος", "iso-8859-7"},
		"Hebrew":                    {"8859/8", charmap.ISO8859_8, "דוד", "iso-8859-8"},
		"Turkish":                   {"8859/9", charmap.ISO8859_9, "Işık", "iso-8859-9"},
		"Latin 9":                   {"8859/15", charmap.ISO8859_15, "Müller€", "iso-8859-15"},
		"lower case":                {"unicode utf-8", encoding.Nop, "Müller", "utf-8"},
		"Latin 1, spelled as IANA":  {"ISO-8859-1", charmap.ISO8859_1, "Müller", "iso-8859-1"},
		"JIS X 0201, delimiters":    {"ISO IR14", japanese.ShiftJIS, "ソ十表ﾃｽﾄ", "shift_jis"}, // its second bytes are backslashes
		"ISO 2022, JIS X 0208":      {"ISO IR87", japanese.ISO2022JP, "漢字表示", "iso-2022-jp"},
		"alternate":                 {"ASCII~ISO IR87", japanese.ISO2022JP, "Yamada 山田", "iso-2022-jp"},
		"alternate, not used":       {"ASCII~ISO IR87", encoding.Nop, "Yamada", "us-ascii"},
		"alternate, empty first":    {"~ISO IR87", japanese.ISO2022JP, "山田", "iso-2022-jp"},
		"GB 18030, delimiters":      {"GB 18030-2000", simplifiedchinese.GB18030, "盶俓誡", "gb18030"},
		"Korean":                    {"KS X 1001", korean.EUCKR, "홍길동", "euc-kr"},
		"Big 5, delimiters":         {"BIG-5", traditionalchinese.Big5, "功許蓋", "big5"},
		"UTF-16, byte order mark":   {"UNICODE UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "Müller 表", "utf-16le"},
		"UTF-16, big endian":        {"UNICODE UTF-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "Müller 表", "utf-16be"},
		"UTF-16, no mark":           {"UNICODE UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "Müller", "utf-16le"},
		"UTF-16, big, no mark":      {"UNICODE UTF-16", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), "Müller", "utf-16be"},
		"UTF-32, byte order mark":   {"UNICODE UTF-32", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "Müller", "utf-32le"},
		"UTF-32, big, no mark":      {"UNICODE UTF-32", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "Müller", "utf-32be"},
		"UTF-8 in spite of Latin 1": {"8859/1", encoding.Nop, "plain", "iso-8859-1"},
	} {
		t.Run(name, func(t *testing.T) {
			utf8 := "MSH|^~\\&|A|||||" + "|ADT^A01|1|P|2.5||||||" + test.msh18 + "\rPID|1||x^y~z||" + test.text + "^Q||end\r"
			data, err := test.encoding.NewEncoder().Bytes([]byte(utf8))
			if err != nil {
				t.Fatal(err)
			}
			m := parse(t, string(data))
			if got := m.Charset().Used; got != test.want {
				t.Errorf("read as %s, want %s", got, test.want)
			}
			if got := m.Get("PID-5"); got != test.text {
				t.Errorf("PID-5 reads %q, want %q", got, test.text)
			}
			if got := m.Get("PID-5.2") + m.Get("PID-7"); got != "Qend" {
				t.Errorf("what follows reads %q", got)
			}
			if string(m.Encode()) != string(data) {
				t.Error("Encode is not the input")
			}
			checkJSON(t, m)
			checkCanonical(t, m)
		})
	}
}

// A name may be padded with blanks, but only up to 64 bytes, and only 32 repetitions of
// MSH-18 are read: both bound the work that a header can ask for.
func TestOnlySoMuchOfADeclarationIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		msh18 string
		want  string
	}{
		"a name of 64 bytes":       {"8859/2" + strings.Repeat(" ", 58), "iso-8859-2"},
		"a name of 65 bytes":       {"8859/2" + strings.Repeat(" ", 59), "utf-8"},
		"the 32nd repetition":      {strings.Repeat("8859/1~", 31) + "ISO IR87", "iso-2022-jp"},
		"none beyond the 32nd":     {strings.Repeat("8859/1~", 32) + "ISO IR87", "iso-8859-1"},
		"the last of several sets": {"8859/1~8859/2~ISO IR87", "iso-2022-jp"},
	} {
		m := parse(t, "MSH|^~\\&|A||||||ADT^A01|1|P|2.5||||||"+test.msh18+"\rPID|1||x||\x1b$B;3ED\x1b(B\r")
		if got := m.Charset().Used; got != test.want {
			t.Errorf("%s: read as %s, want %s", name, got, test.want)
		}
	}
}

func TestInvalidBytesStillGiveText(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5||||||UNICODE UTF-8\rPID|a\xffb\xc3|\xed\xa0\x80\r")
	if got := m.Get("PID-1"); got != "a\ufffdb\ufffd" {
		t.Errorf("PID-1 reads %q", got)
	}
	if m.Charset().Used != "utf-8" {
		t.Errorf("read as %s", m.Charset().Used)
	}
	checkJSON(t, m)
}

func TestHexadecimalEscapesAreInTheMessagesCharacterSet(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5||||||8859/1\rPID|M\xfcller \\XFC\\\r")
	if got := m.Get("PID-1"); got != "Müller ü" {
		t.Errorf("got %q", got)
	}
}

// What could not be read stays a replacement character, and takes nothing with it when
// the message is edited.
func TestAnEditKeepsWhatCannotBeWrittenInItsPlace(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5||||||ISO IR14\rPID|a\xffb|x|end\r")
	if got := m.Get("PID-1"); got != "a\ufffdb" {
		t.Fatalf("PID-1 reads %q", got)
	}
	if err := m.Set("PID-2", "表"); err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(m.Encode()))
	if got := []string{again.Get("PID-1"), again.Get("PID-2"), again.Get("PID-3")}; !slices.Equal(got, []string{"a\x1ab", "表", "end"}) {
		t.Errorf("read again: %q", got)
	}
}

func TestAnEditIsWrittenInTheDeclaredCharacterSet(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5||||||8859/1\rPID|x\r")
	if err := m.Set("PID-1", "Müller"); err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(m.Encode()))
	if got := again.Get("PID-1"); got != "Müller" || again.Charset().Used != "iso-8859-1" {
		t.Errorf("PID-1 reads %q in %s", got, again.Charset().Used)
	}
	if err := m.Set("PID-1", "表"); err == nil {
		t.Error("a character that the set has not was taken")
	}
	if got := m.Get("PID-1"); got != "Müller" {
		t.Errorf("a refused edit left %q", got)
	}
}

func TestADeclarationFromOutsideHoldsWhereTheMessageHasNone(t *testing.T) {
	for name, test := range map[string]struct{ msh18, outside, want, charset string }{
		"none in the message":    {"", "ISO-8859-2", "Dvořák", "iso-8859-2"},
		"one in the message":     {"8859/1", "ISO-8859-2", "Dvoøák", "iso-8859-1"},
		"unknown in the message": {"KLINGON", "iso-8859-2", "Dvořák", "iso-8859-2"},
		"untrue":                 {"", "utf-8", "Dvoøák", "windows-1252"},
		"unknown":                {"", "klingon", "Dvoøák", "windows-1252"},
		"not for ER7":            {"", "ibm037", "Dvoøák", "windows-1252"},
	} {
		t.Run(name, func(t *testing.T) {
			var m hl7.Message
			if err := m.ParseAs(test.outside, []byte("MSH|^~\\&|A|||||||||||||||"+test.msh18+"\rPID|Dvo\xf8\xe1k\r")); err != nil {
				t.Fatal(err)
			}
			if got := m.Get("PID-1"); got != test.want || m.Charset().Used != test.charset {
				t.Errorf("reads %q in %s, want %q in %s", got, m.Charset().Used, test.want, test.charset)
			}
		})
	}
}

func TestADelimiterWithinACharacterHidesNoDeclaration(t *testing.T) {
	for msh18, test := range map[string]struct {
		encoding encoding.Encoding
		facility string // its second byte is a |
	}{
		"BIG-5":         {traditionalchinese.Big5, "四"},
		"GB 18030-2000": {simplifiedchinese.GB18030, "眧"},
		"ISO IR14":      {japanese.ShiftJIS, "ポ"},
	} {
		data, err := test.encoding.NewEncoder().Bytes([]byte("MSH|^~\\&|A|" + test.facility + "|||||ADT^A01|1|P|2.5||||||" + msh18 + "\rPID|" + test.facility + "|x\r"))
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, string(data))
		if m.Get("MSH-4") != test.facility || m.Get("PID-1") != test.facility || m.Type() != "ADT^A01" {
			t.Errorf("%s, read as %s: %q, %q, %s", msh18, m.Charset().Used, m.Get("MSH-4"), m.Get("PID-1"), m.Type())
		}
		if string(m.Encode()) != string(data) {
			t.Errorf("%s: Encode is not the input", msh18)
		}
	}
}

func TestTheCharacterSetSaysWhatWasDeclaredAndWhatWasUsed(t *testing.T) {
	const latin1, utf8 = "M\xfcller", "Müller"
	for name, test := range map[string]struct {
		declared, outside, text string
		want                    hl7.Charset
	}{
		"declared":              {"8859/1", "", latin1, hl7.Charset{Declared: "8859/1", Used: "iso-8859-1"}},
		"declared, and two":     {"8859/1~UNICODE UTF-8", "", latin1, hl7.Charset{Declared: "8859/1~UNICODE UTF-8", Used: "iso-8859-1"}},
		"declared, all ASCII":   {"8859/1", "", "Miller", hl7.Charset{Declared: "8859/1", Used: "iso-8859-1"}},
		"declared outside":      {"", "ISO-8859-2", latin1, hl7.Charset{Declared: "ISO-8859-2", Used: "iso-8859-2"}},
		"unknown":               {"KLINGON", "", latin1, hl7.Charset{Declared: "KLINGON", Used: "windows-1252", Guessed: true}},
		"unknown, it is UTF-8":  {"KLINGON", "", utf8, hl7.Charset{Declared: "KLINGON", Used: "utf-8"}},
		"unknown, all ASCII":    {"KLINGON", "", "Miller", hl7.Charset{Declared: "KLINGON", Used: "utf-8"}},
		"none":                  {"", "", latin1, hl7.Charset{Used: "windows-1252", Guessed: true}},
		"ASCII, which it isn't": {"ASCII", "", latin1, hl7.Charset{Declared: "ASCII", Used: "windows-1252", Guessed: true}},
		"Latin-1 over UTF-8":    {"8859/1", "", utf8, hl7.Charset{Declared: "8859/1", Used: "iso-8859-1", Seems: "utf-8"}},
		"UTF-8 over Latin-1":    {"UNICODE UTF-8", "", latin1, hl7.Charset{Declared: "UNICODE UTF-8", Used: "utf-8"}},
	} {
		var m hl7.Message
		if err := m.ParseAs(test.outside, []byte("MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||"+test.declared+"\rPID|1||1||"+test.text+"\r")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, m.Charset()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestADecisionOnTheCharacterSetGoesBeforeTheDeclaration(t *testing.T) {
	for _, test := range []struct{ declared, decided, text, want string }{
		{"8859/1", "UTF8", "Müller", "Müller"},
		{"8859/1", "windows-1250", "\x8aM\xfcller", "ŠMüller"},
		{"KLINGON", "cp1251", "\xc4\xe0", "Да"},
		{"UNICODE UTF-8", "8859/1", "M\xfcller", "Müller"},
		{"UNICODE UTF-8", "8859/1", `M\XFC\ller`, "Müller"},
	} {
		var m hl7.Message
		input := []byte("MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||" + test.declared + "\rPID|1||1||" + test.text + "\r")
		if err := m.ParseIn(test.decided, input); err != nil {
			t.Fatal(err)
		}
		if got := m.Get("PID-5"); got != test.want || m.Charset().Declared != test.declared {
			t.Errorf("declared %s, decided %s: %q in %+v, want %q", test.declared, test.decided, got, m.Charset(), test.want)
		}
	}
	if err := new(hl7.Message).ParseIn("KLINGON", []byte("MSH|^~\\&|A\r")); !errors.Is(err, hl7.ErrCharset) {
		t.Errorf("an unknown one: %v, want ErrCharset", err)
	}
}

func TestAChosenCharsetComesBeforeTheOneDeclaredOutside(t *testing.T) {
	input := []byte("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|T|2.5\rPID|1||\xbc\r")
	for _, test := range []struct{ chosen, declared, want string }{
		{"iso-8859-5", "iso-8859-1", "М"}, {"", "iso-8859-1", "¼"}, {"iso-8859-5", "", "М"},
	} {
		var m hl7.Message
		if err := m.ParseChosen(test.chosen, test.declared, input); err != nil || m.Get("PID-3") != test.want {
			t.Errorf("%+v: %q, %v", test, m.Get("PID-3"), err)
		}
	}
	if err := new(hl7.Message).ParseChosen("klingon", "iso-8859-1", input); !errors.Is(err, hl7.ErrCharset) {
		t.Errorf("an unknown charset: %v", err)
	}
}
