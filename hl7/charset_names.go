package hl7

import (
	"strconv"
	"strings"
)

// macCyrillic is the name in the WHATWG's Encoding standard; the IANA has no name for it.
const macCyrillic = "x-mac-cyrillic"

// canonical returns the IANA name of a character set. It knows the names of HL7 table
// 0211 (v2.1 to v2.8.2), of DICOM (PS3.3, C.12.1.1.2, without code extensions), of the
// IANA, of Windows and IBM code pages, of Java and of Python. It ignores case, dashes,
// underscores, spaces and the like. It returns an unknown name unchanged. For a set that
// cannot be read by itself it returns one that includes it.
//
// CNS 11643-1992 and the withdrawn UNICODE cannot be read. UTF-16 and UTF-32 are
// recognized by their bytes, whatever is declared.
func canonical(value string) string {
	value = strings.ToUpper(strings.TrimSpace(value))
	name := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, value)
	for _, known := range [...]func(string) string{isoPart, codePage, setName} {
		for _, prefix := range [...]string{"", "CS", "X"} { // of IANA aliases, of private names
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				if iana := known(rest); iana != "" {
					return iana
				}
			}
		}
	}
	return value
}

// isoPart returns the IANA name of a part of ISO 8859, empty if the name is of none.
func isoPart(name string) string {
	if part, ok := strings.CutPrefix(strings.TrimPrefix(name, "ISO"), "8859"); ok {
		for n := 16; n >= 1; n-- {
			if edition, ok := strings.CutPrefix(part, strconv.Itoa(n)); ok && isEdition(edition) {
				return isoName(n)
			}
		}
		return ""
	}
	if n, ok := strings.CutPrefix(name, "ISOIR"); ok { // numbers of the ISO registry
		switch n {
		case "100":
			return isoName(1)
		case "101":
			return isoName(2)
		case "109":
			return isoName(3)
		case "110":
			return isoName(4)
		case "144":
			return isoName(5)
		case "127":
			return isoName(6)
		case "126":
			return isoName(7)
		case "138":
			return isoName(8)
		case "148":
			return isoName(9)
		case "157":
			return isoName(10)
		case "179":
			return isoName(13)
		case "199":
			return isoName(14)
		case "203":
			return isoName(15)
		case "226":
			return isoName(16)
		}
	}
	return latin(strings.TrimPrefix(name, "ISO"))
}

// isEdition reports whether a text is what may follow the number of a part: nothing, the
// year of an edition such as ISO_8859-1:1987, or FDIS.
func isEdition(text string) bool {
	if text == "" || text == "FDIS" {
		return true
	}
	year, err := strconv.Atoi(text)
	return err == nil && year > 1980 && year < 2010
}

// isoName returns the IANA name of a part. There is none for part 11, which windows-874
// includes.
func isoName(part int) string {
	if part == 11 {
		return "windows-874"
	}
	return "ISO-8859-" + strconv.Itoa(part)
}

// latin returns the IANA name of an alphabet, such as "LATIN2" or "L2".
func latin(name string) string {
	number := strings.TrimPrefix(strings.TrimPrefix(name, "LATIN"), "L")
	if number == name {
		return ""
	}
	switch number {
	case "1", "2", "3", "4":
		return "ISO-8859-" + number
	case "5":
		return isoName(9)
	case "6":
		return isoName(10)
	case "7":
		return isoName(13)
	case "8":
		return isoName(14)
	case "9", "0":
		return isoName(15)
	case "10":
		return isoName(16)
	}
	return ""
}

// codePage returns the IANA name of a code page of Windows, DOS or IBM, such as "CP1252",
// "MS932" or "819", empty if the name is of none. Windows has its own numbers for many
// sets.
func codePage(name string) string {
	page := name
	for _, prefix := range [...]string{"WINDOWS", "WIN", "MSWIN", "CODEPAGE", "CCSID", "CP", "MS", "IBM", "ANSI", "DOS", "OEM", "PC"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			page = strings.TrimLeft(rest, "0")
			break
		}
	}
	switch page {
	case "1250", "1251", "1252", "1253", "1254", "1255", "1256", "1257", "1258":
		return "windows-" + page
	case "5346", "5347", "5348", "5349": // IBM's numbers for these with the euro sign
		return "windows-125" + strconv.Itoa(int(page[3]-'6'))
	case "5350", "5351", "5352", "5353", "5354":
		return "windows-125" + strconv.Itoa(int(page[3]-'0')+4)
	case "28591", "28592", "28593", "28594", "28595", "28596", "28597", "28598", "28599":
		return "ISO-8859-" + page[4:]
	case "437", "850", "852", "855", "860", "862", "863", "865", "866":
		return "IBM" + page
	}
	return numbered(page)
}

// numbered returns the IANA name for a number that says nothing about the set.
func numbered(page string) string {
	switch page {
	case "858", "MULTILINGUAL850EURO":
		return "IBM00858"
	case "367", "20127", "646":
		return "US-ASCII"
	case "819":
		return isoName(1)
	case "912", "913", "914", "915":
		return "ISO-8859-" + page[2:]
	case "1089":
		return isoName(6)
	case "813":
		return isoName(7)
	case "916":
		return isoName(8)
	case "920":
		return isoName(9)
	case "28603", "921":
		return isoName(13)
	case "28605", "923":
		return isoName(15)
	case "874":
		return "windows-874"
	case "878", "20866":
		return "KOI8-R"
	case "1168", "21866":
		return "KOI8-U"
	case "932", "942", "942C", "943", "943C", "31J":
		return "Shift_JIS"
	case "50220", "50221", "50222", "ISO2022JP":
		return "ISO-2022-JP"
	case "954", "20932", "51932", "33722", "EUCJP":
		return "EUC-JP"
	case "936", "1386", "1383", "20936", "51936", "EUCCN":
		return "GBK"
	case "1392", "54936":
		return "GB18030"
	case "949", "949C", "970", "1363", "51949", "EUCKR":
		return "EUC-KR"
	case "950", "1370":
		return "Big5"
	case "1208", "65001":
		return "UTF-8"
	case "10000":
		return "macintosh"
	}
	return ""
}

// setName returns the IANA name of any other set, empty if the name is of none.
func setName(name string) string {
	switch name {
	case "UTF8", "UNICODEUTF8", "UNICODE11UTF8", "UNICODE20UTF8", "UTF8N", "UTF8BOM", "ISO10646UTF8", "ISOIR192", "ISOIR196":
		return "UTF-8"
	case "ASCII", "USASCII", "ASCII7", "US", "ISOIR6", "ISO646", "ISO646US", "ISO646IRV1983", "ISO646IRV1991", "ANSIX341968", "ANSIX341986":
		return "US-ASCII"
	case "CYRILLIC":
		return isoName(5)
	case "ARABIC", "ASMO708", "ECMA114":
		return isoName(6)
	case "GREEK", "GREEK8", "ECMA118", "ELOT928", "SUNEUGREEK":
		return isoName(7)
	case "HEBREW":
		return isoName(8)
	case "THAI", "TIS620", "TIS6200", "TIS6202533", "TIS62025330", "TIS62025331", "TIS62025290", "TIS62025291", "ISOIR166":
		return "windows-874"
	case "KOI8", "KOI8R":
		return "KOI8-R"
	case "KOI8U", "KOI8RU":
		return "KOI8-U"
	case "MAC", "MACINTOSH", "MACROMAN":
		return "macintosh"
	case "MACCYRILLIC", "MACUKRAINE", "MACUKRAINIAN":
		return macCyrillic
	}
	return eastAsian(name)
}

// eastAsian returns the IANA name of a Chinese, Japanese or Korean set. The parts of
// Shift JIS and of ISO-2022-JP go by these.
func eastAsian(name string) string {
	switch name {
	case "SHIFTJIS", "SJIS", "MSKANJI", "KANJI", "PCK", "ISOIR13", "ISOIR14", "JISX0201", "JISX02011976", "JIS0201", "X0201", "HALFWIDTHKATAKANA":
		return "Shift_JIS"
	case "ISO2022JP", "ISO2022JP1", "ISO2022JPEXT", "JIS", "JISENCODING", "JAS2020", "JISX0202", "ISOIR87", "ISOIR159",
		"JISX0208", "JISX02081983", "JISX02081990", "JISC62261983", "JIS0208", "X0208",
		"JISX0212", "JISX02121990", "JIS0212", "X0212":
		return "ISO-2022-JP"
	case "EUCJP", "EUCJIS", "EUCJPMS", "EUCJPOPEN", "EUCJPLINUX", "EUCJPSOLARIS", "UJIS":
		return "EUC-JP"
	case "GBK", "GB2312", "GB231280", "GB23121980", "EUCCN", "EUCGB2312CN", "CPEUCCN", "CHINESE", "ISOIR58", "ISO58GB231280":
		return "GBK"
	case "GB18030", "GB180302000", "GB180302005", "GB180302022":
		return "GB18030"
	case "BIG5", "BIG5TW", "CNBIG5", "BIG5HKSCS", "BIG5HK", "HKSCS", "XBIG5":
		return "Big5"
	case "EUCKR", "KSX1001", "KSX10011992", "KSC5601", "KSC56011987", "KSC56011989", "5601", "UHC", "KOREAN", "ISOIR149":
		return "EUC-KR"
	}
	return ""
}
