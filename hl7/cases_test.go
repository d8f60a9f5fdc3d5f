package hl7_test

// This file is about character sets and escapes as senders spell them.

import (
	"os"
	"path/filepath"
	"testing"

	"hl7lake/hl7"
)

// readCase returns an input that once went wrong. These inputs are beside the repository
// and are not copied into it.
func readCase(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../shared/cases", name+".hl7"))
	if err != nil {
		t.Skipf("the cases are not beside the repository: %v", err)
	}
	return data
}

func TestCharacterSetsAreKnownByTheirUsualNames(t *testing.T) {
	for name, want := range map[string]string{
		"charset-gb2312":                "gbk",
		"charset-shift-jis-sjis":        "shift_jis",
		"charset-ms932":                 "shift_jis",
		"charset-alias-CP1251":          "windows-1251",
		"charset-alias-8859-2":          "iso-8859-2",
		"charset-tis620":                "windows-874",
		"charset-hex-escape-utf8-split": "utf-8",
	} {
		t.Run(name, func(t *testing.T) {
			m, err := hl7.Parse(readCase(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Charset().Used; got != want {
				t.Errorf("read as %s, want %s", got, want)
			}
		})
	}
}

func TestANameOfACharacterSetMayBeSpelledInManyWays(t *testing.T) {
	for want, names := range map[string][]string{
		"iso-8859-1":   {"8859/1", "ISO8859-1", "ISO8859_1", "iso_8859-1:1987", "latin1", "ISO IR100"},
		"iso-8859-15":  {"8859/15", "ISO8859_15", "LATIN-9"},
		"windows-1251": {"CP1251", "windows1251", "Cp1251", "WIN-1251", "1251"},
		"windows-874":  {"TIS-620", "TIS620", "8859/11", "MS874"},
		"gb18030":      {"GB 18030-2000", "GB18030", "54936"},
		"gbk":          {"GB2312", "EUC-CN", "CP936", "x-gbk"},
		"euc-kr":       {"KS X 1001", "KSC5601", "EUC_KR", "MS949"},
		"big5":         {"BIG-5", "Big5", "MS950"},
		"utf-8":        {"UNICODE UTF-8", "UTF8", "utf_8", "CP65001"},
		"ibm850":       {"CP850", "IBM850", "IBM-850"},
		"koi8-r":       {"KOI8-R", "koi8_r"},
	} {
		for _, name := range names {
			m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||" + name + "\rPID|1||a\\F\\\r"))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Charset().Used; got != want {
				t.Errorf("%q is read as %s, want %s", name, got, want)
			}
		}
	}
}

func TestHexadecimalEscapesAreBytesOfTheSetInUse(t *testing.T) {
	for _, test := range []struct{ name, charset, value, want string }{
		{"of a declared set, all else ASCII", "8859/1", `M\XFC\ller`, "Müller"},
		{"of a declared set, all else not", "8859/1", "\xe4\\XFC\\", "äü"},
		{"of UTF-8", "UNICODE UTF-8", `M\XC3BC\ller`, "Müller"},
		{"a character in two", "UNICODE UTF-8", `M\XC3\\XBC\ller`, "Müller"},
		{"a character in two, and one more", "UNICODE UTF-8", `\XC3\\XBC\\X41\`, "üA"},
		{"a character in two, of two bytes a piece", "GB 18030-2000", `\XD6\\XD0\`, "中"},
		{"half a character", "UNICODE UTF-8", `a\XC3\b`, `a\XC3\b`},
		{"some that are none in a row", "UNICODE UTF-8", `\X41\\XC3\\X42\`, `A\XC3\B`},
		{"no digits", "UNICODE UTF-8", `\XZZ\\X41\`, `\XZZ\A`},
	} {
		m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||" + test.charset + "\rNTE|1||" + test.value + "\r"))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Get("NTE-3"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
