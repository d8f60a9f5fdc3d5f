package hl7_test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"hl7lake/hl7"
)

// namesOf are names by which HL7 table 0211 (2.1 to 2.8.2), DICOM, the IANA, Windows,
// IBM, Java and Python know a character set.
var namesOf = map[string]string{
	"us-ascii":       "ASCII,US-ASCII,ISO IR6,ISO_IR 6,ISO646-US,ISO_646.irv:1991,ANSI_X3.4-1968,ANSI_X3.4-1986,646,IBM367,CP367,csASCII,us,20127",
	"utf-8":          "UNICODE UTF-8,UTF-8,CP65001,65001,ISO_IR 192,csUTF8,unicode-1-1-utf-8,IBM-1208,UTF8N",
	"iso-8859-1":     "8859/1,88591,ISO 8859-1,ISO_8859-1:1987,ISO_IR 100,ISO8859_1,latin1,l1,csISOLatin1,IBM819,CP819,819,28591",
	"iso-8859-2":     "8859/2,ISO 8859-2,ISO_8859-2:1987,ISO_IR 101,latin2,l2,csISOLatin2,IBM912,cp912,28592",
	"iso-8859-3":     "8859/3,ISO_8859-3:1988,ISO_IR 109,latin3,l3,csISOLatin3,IBM913,28593",
	"iso-8859-4":     "8859/4,ISO_8859-4:1988,ISO_IR 110,latin4,l4,csISOLatin4,IBM914,28594",
	"iso-8859-5":     "8859/5,ISO_8859-5:1988,ISO_IR 144,cyrillic,csISOLatinCyrillic,IBM915,28595",
	"iso-8859-6":     "8859/6,ISO_8859-6:1987,ISO_IR 127,arabic,ECMA-114,ASMO-708,csISOLatinArabic,IBM1089,28596",
	"iso-8859-7":     "8859/7,ISO_8859-7:1987,ISO_IR 126,greek,greek8,ECMA-118,ELOT_928,csISOLatinGreek,IBM813,28597",
	"iso-8859-8":     "8859/8,ISO_8859-8:1988,ISO_IR 138,hebrew,csISOLatinHebrew,IBM916,28598",
	"iso-8859-9":     "8859/9,ISO_8859-9:1989,ISO_IR 148,latin5,l5,csISOLatin5,IBM920,28599",
	"iso-8859-10":    "8859/10,ISO_8859-10:1992,ISO-IR-157,latin6,l6,csISOLatin6",
	"iso-8859-13":    "8859/13,ISO8859_13,ISO-IR-179,latin7,IBM921,28603",
	"iso-8859-14":    "8859/14,ISO_8859-14:1998,ISO-IR-199,latin8,l8",
	"iso-8859-15":    "8859/15,ISO8859_15_FDIS,ISO_IR 203,latin9,Latin-9,L9,latin0,IBM923,28605",
	"iso-8859-16":    "8859/16,ISO_8859-16:2001,ISO-IR-226,latin10,l10",
	"windows-1250":   "windows-1250,CP1250,win1250,1250,ANSI-1250,IBM5346",
	"windows-1251":   "windows-1251,CP1251,win-1251,1251,ansi_1251,cp5347",
	"windows-1252":   "windows-1252,CP1252,CP-1252,1252,ibm-1252,ANSI 1252,codepage 1252,cp5348,csWindows1252",
	"windows-1253":   "windows-1253,CP1253,1253,cp5349",
	"windows-1254":   "windows-1254,CP1254,1254,cp5350",
	"windows-1255":   "windows-1255,CP1255,1255,cp5351",
	"windows-1256":   "windows-1256,CP1256,1256,cp5352",
	"windows-1257":   "windows-1257,CP1257,1257,cp5353",
	"windows-1258":   "windows-1258,CP1258,1258,cp5354",
	"windows-874":    "windows-874,x-windows-874,MS874,CP874,TIS-620,TIS620.2533,ISO 8859-11,8859/11,ISO_IR 166,thai",
	"ibm437":         "IBM437,CP437,437,DOS437,cspc8codepage437",
	"ibm850":         "IBM850,CP850,850,OEM850,cspc850multilingual",
	"ibm852":         "IBM852,CP852,852,csPCp852",
	"ibm855":         "IBM855,CP855,855,csIBM855",
	"ibm00858":       "IBM00858,CP858,IBM858,858,CCSID00858,CP00858,PC-Multilingual-850+euro",
	"ibm860":         "IBM860,CP860,860,csIBM860",
	"ibm862":         "IBM862,CP862,862,csIBM862,cspc862latinhebrew",
	"ibm863":         "IBM863,CP863,863,csIBM863",
	"ibm865":         "IBM865,CP865,865,csIBM865",
	"ibm866":         "IBM866,CP866,866,csIBM866,DOS-866",
	"koi8-r":         "KOI8-R,koi8,csKOI8R,cp20866,IBM878",
	"koi8-u":         "KOI8-U,cp21866,KOI8_RU",
	"macintosh":      "macintosh,mac,MacRoman,x-MacRoman,csMacintosh,cp10000",
	"x-mac-cyrillic": "x-mac-cyrillic,MacCyrillic,x-MacUkraine",
	"shift_jis":      "ISO IR14,ISO_IR 13,Shift_JIS,SJIS,x-sjis,MS_Kanji,MS932,windows-31j,csWindows31J,CP932,932,IBM-943C,JIS X 0201-1976,JIS_X0201,x-PCK,csShiftJIS",
	"iso-2022-jp":    "ISO IR87,ISO IR159,ISO-2022-JP,JIS X 0208-1990,JIS X 0202,JIS X 0212,JAS2020,JIS,csISO2022JP,windows-iso2022jp,cp50221,JIS_X0212-1990",
	"euc-jp":         "EUC-JP,eucJP-open,ujis,x-euc-jp,cp51932,IBM33722,csEUCPkdFmtJapanese",
	"gb18030":        "GB 18030-2000,GB18030,gb18030-2022,cp54936",
	"gbk":            "GBK,GB2312,GB 2312-80,EUC-CN,CP936,MS936,x-mswin-936,936,chinese,csGB2312,ISO-IR-58,x-EUC-CN",
	"big5":           "BIG-5,Big5,CP950,MS950,x-windows-950,csBig5,Big5-HKSCS,big5_tw",
	"euc-kr":         "KS X 1001,KS X 1001:1992,EUC-KR,KS_C_5601-1987,KSC5601,CP949,MS949,windows-949,UHC,korean,ISO-IR-149,csEUCKR,ibm-970",
}

// spellings returns a name in capitals and small letters, and with other characters or
// none between its parts.
func spellings(name string) []string {
	all := []string{name, " " + name + " "}
	parts := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" -_/:.+", r) })
	for _, between := range []string{"", "-", "_", " ", "/"} {
		all = append(all, strings.Join(parts, between))
	}
	for _, spelling := range all {
		all = append(all, strings.ToUpper(spelling), strings.ToLower(spelling))
	}
	return all
}

func TestACharacterSetIsKnownByAllItsNamesHoweverTheyAreSpelled(t *testing.T) {
	for want, names := range namesOf {
		for name := range strings.SplitSeq(names, ",") {
			for _, spelling := range spellings(name) {
				if got, ok := hl7.LookupCharset(spelling); !ok || got != want {
					t.Errorf("%q is %q, want %q", spelling, got, want)
				}
			}
		}
	}
}

func TestEachSetThatCanBeReadIsKnownByTheNamesOfTheStandards(t *testing.T) {
	all := charmap.All
	for _, more := range [][]encoding.Encoding{japanese.All, korean.All, simplifiedchinese.All, traditionalchinese.All} {
		all = append(all[:len(all):len(all)], more...)
	}
	read := 0
	for _, e := range all {
		if header, err := e.NewDecoder().String(`MSH|^~\&`); err != nil || header != `MSH|^~\&` || e == charmap.XUserDefined {
			continue
		}
		read++
		for _, index := range []func(encoding.Encoding) (string, error){ianaindex.MIME.Name, ianaindex.IANA.Name, htmlindex.Name} {
			name, err := index(e)
			if err != nil {
				continue // it has no name there
			}
			if _, ok := hl7.LookupCharset(name); !ok {
				t.Errorf("%q, the name of %v, is not known", name, e)
			}
		}
	}
	if read < 40 {
		t.Errorf("only %d sets can be read", read)
	}
}

func TestASetInWhichNoHeaderCanBeReadIsNotKnown(t *testing.T) {
	for _, name := range []string{"", "KLINGON", "IBM037", "IBM01140", "CP1047", "HZ-GB-2312", "UTF-7", "UTF-16", "UNICODE", "CNS 11643-1992", "ISO 8859-17", "8859", "latin",
		"windows-1259", "L", "CP", "X", "ISO-2022-KR", strings.Repeat("L1", 100), "8859Z1", "8859/1:1980", "8859/1:2010"} {
		if got, ok := hl7.LookupCharset(name); ok {
			t.Errorf("%q is %q", name, got)
		}
	}
}
