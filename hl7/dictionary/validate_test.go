package dictionary_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

const (
	evn = "EVN||20260314\n"
	pid = "PID|||7||Testperson^Tilda\n"
	pv1 = "PV1||I\n"
)

func TestFindingsNameRuleAndPlace(t *testing.T) {
	for name, test := range map[string]struct {
		segments string
		level    dictionary.Level
		want     []string
	}{
		"nothing":                   {evn + pid + pv1, dictionary.Lenient, nil},
		"nothing, strictly":         {evn + pid + pv1, dictionary.Strict, nil},
		"a segment is missing":      {evn + pid, dictionary.Lenient, []string{"PV1: missing-segment"}},
		"a segment has no place":    {evn + pid + pv1 + "OBR|||2|3\n", dictionary.Lenient, []string{"OBR[1]: unexpected-segment"}},
		"a Z segment may be":        {evn + pid + "ZZZ|x\n" + pv1, dictionary.Strict, nil},
		"a field is missing":        {evn + "PID|||7\n" + pv1, dictionary.Lenient, []string{"PID[1]-5: missing-field: Patient Name"}},
		"no date":                   {evn + "PID|||7||T||1971-08-20\n" + pv1, dictionary.Lenient, []string{"PID[1]-7[1].1.1: bad-type: not of type DTM"}},
		"a null is no bad date":     {evn + "PID|||7||T||\"\"\n" + pv1, dictionary.Lenient, nil},
		"no number":                 {evn + "PID|one||7||T\n" + pv1, dictionary.Lenient, []string{"PID[1]-1[1].1.1: bad-type: not of type SI"}},
		"too many repetitions":      {evn + "PID|||7||T|||F~M~U\n" + pv1, dictionary.Lenient, []string{"PID[1]-8[2]: too-many-repetitions: at most 1"}},
		"too long, leniently":       {evn + "PID|||7||T|||FEMALE\n" + pv1, dictionary.Lenient, nil},
		"too long":                  {evn + "PID|||7||T|||FEMALE\n" + pv1, dictionary.Strict, []string{"PID[1]-8[1]: too-long: at most 1 characters"}},
		"not in a table":            {evn + "PID|||7||T" + "|||||||||||||||||||Q\n" + pv1, dictionary.Strict, []string{"PID[1]-24[1].1.1: unknown-code: not in table 0136"}},
		"more fields than defined":  {evn + pid + "PV1||I" + "||||||||||||||||||||||||||||||||||||||||||||||||||||||x\n", dictionary.Strict, []string{"PV1[1]-56[1].1.1: unknown-field"}},
		"more components":           {evn + "PID|||7||T|||F^x\n" + pv1, dictionary.Strict, []string{"PID[1]-8[1]: too-long: at most 1 characters", "PID[1]-8[1].2.1: unknown-field: Administrative Sex"}},
		"a component is missing":    {evn + "PID|||^^^NORTH||T\n" + pv1, dictionary.Strict, []string{"PID[1]-3[1].1: missing-component: Patient Identifier List / ID Number"}},
		"an unknown segment":        {evn + pid + pv1 + "QQQ|1\n", dictionary.Strict, []string{"QQQ[1]: unexpected-segment", "QQQ[1]: unknown-segment"}},
		"a name with a nine":        {evn + pid + pv1 + "Q99|1\n", dictionary.Strict, []string{"Q99[1]: unexpected-segment", "Q99[1]: unknown-segment"}},
		"text shows nowhere":        {evn + pid + pv1 + "Tilda Testperson came\n", dictionary.Lenient, []string{"???[1]: unexpected-segment"}},
		"a result without its type": {evn + pid + pv1 + "OBX|1||8^x||any||||||F\n", dictionary.Lenient, []string{"OBX[1]-2: missing-field: Value Type"}},
		"a result against its type": {evn + pid + pv1 + "OBX|1|NM|8^x||high||||||F\nOBX|2|ST|8^x||high||||||F\n", dictionary.Lenient, []string{"OBX[1]-5[1].1.1: bad-type: not of type NM"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, "ADT^A01^ADT_A01", "2.5.1", test.segments)
			var got []string
			for _, f := range dictionary.Of("2.5.1").Validate(m, test.level) {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestACharacterSetThatIsNotTheTextsIsAFinding(t *testing.T) {
	for name, test := range map[string]struct{ declared, text, want string }{
		"as declared":            {"8859/1", "M\xfcller", ""},
		"the first of two":       {"8859/1~KLINGON", "M\xfcller", ""},
		"UTF-8, undeclared":      {"", "Müller", ""},
		"undeclared":             {"", "M\xfcller", "MSH-18: charset: none is declared; read as windows-1252"},
		"of no known name":       {"KLINGON", "Miller", "MSH-18: charset: not a known character set; read as utf-8"},
		"Latin-1 over UTF-8":     {"8859/1~KLINGON", "Müller", "MSH-18: charset: the bytes are utf-8, as hardly by chance"},
		"more than ASCII":        {"ASCII", "M\xfcller", "MSH-18: charset: there are other characters; read as windows-1252"},
		"more than ASCII, UTF-8": {"ASCII", "Müller", ""},
		"UTF-8, which it is not": {"UNICODE UTF-8", "M\xfcller", "MSH-18: charset: there are bytes that utf-8 does not have; they are read as U+FFFD"},
		"a byte of no character": {"ISO IR14", "M\xffller", "MSH-18: charset: there are bytes that shift_jis does not have; they are read as U+FFFD"},
	} {
		m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ACK|1|T|2.5.1||||||" + test.declared + "\rMSA|AA|1|" + test.text + "\r"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range dictionary.Of("2.5.1").Validate(m, dictionary.Lenient) {
			if f.Rule == dictionary.WrongCharset {
				got = f.String()
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestUTF16IsDeclaredByItsBytes(t *testing.T) {
	for declared, want := range map[string]string{
		"": "", "UNICODE UTF-16": "", "utf-16le": "", "UNICODE": "", "ISO-10646-UCS-2": "",
		"8859/1": "MSH-18: charset: the bytes are utf-16le", "UNICODE UTF-8": "MSH-18: charset: the bytes are utf-16le", "KLINGON": "MSH-18: charset: the bytes are utf-16le", "8859/16": "MSH-18: charset: the bytes are utf-16le",
	} {
		text := "MSH|^~\\&|||||20260102||ACK|1|T|2.5.1||||||" + declared + "\rMSA|AA|1|Müller\r"
		wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := hl7.Parse([]byte(wide))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(findings(m, dictionary.Lenient), "; "); got != want {
			t.Errorf("%q: %q, want %q", declared, got, want)
		}
	}
}

func TestTable0211NamesSetsThatCanBeRead(t *testing.T) {
	exceptions := []string{"CNS 11643-1992", "UNICODE", "UNICODE UTF-16", "UNICODE UTF-32"} // the last two are recognized by their bytes
	for v := range dictionary.Versions() {
		for name := range v.Table(211).Values {
			if _, ok := hl7.LookupCharset(name); ok == slices.Contains(exceptions, name) {
				t.Errorf("%q of v%s is known: %v", name, v.Name, ok)
			}
		}
	}
}

func TestAMessageWithoutAStructureIsStillLookedAt(t *testing.T) {
	m := message(t, "ZZZ^Z01", "2.5.1", "PID|||7\n")
	var got []string
	for _, f := range dictionary.Of("2.5.1").Validate(m, dictionary.Lenient) {
		got = append(got, f.String())
	}
	want := []string{"MSH-9: unknown-structure", "PID[1]-5: missing-field: Patient Name"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFieldIsTooLongBeyondItsLengthOrThatOfItsComponents(t *testing.T) {
	for name, test := range map[string]struct {
		version  string
		segments string
		want     []string
	}{
		"an EI of 427":             {"2.5.1", "OBR|1||" + strings.Repeat("x", 427) + "\n", nil},
		"an EI of 428":             {"2.5.1", "OBR|1||" + strings.Repeat("x", 428) + "\n", []string{"OBR[1]-3[1]: too-long: at most 427 characters"}},
		"components of any length": {"2.7", "PRT|1234\nPRT|12345\n", []string{"PRT[2]-1[1]: too-long: at most 4 characters"}},
		"an escaped delimiter":     {"2.5.1", "PID|||7||T|||\\F\\\n", nil},
		"another":                  {"2.5.1", "PID|||7||T|||\\E\\\n", nil},
		"two of them":              {"2.5.1", "PID|||7||T|||\\F\\\\E\\\n", []string{"PID[1]-8[1]: too-long: at most 1 characters"}},
		"the half of one":          {"2.5.1", "PID|||7||T|||\\F\n", []string{"PID[1]-8[1]: too-long: at most 1 characters"}},
		"other escapes":            {"2.5.1", "PID|||7||T|||\\X\\\n", []string{"PID[1]-8[1]: too-long: at most 1 characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, "ORU^R01^ORU_R01", test.version, test.segments)
			var got []string
			for _, f := range dictionary.Of(test.version).Validate(m, dictionary.Strict) {
				if f.Rule == dictionary.TooLong {
					got = append(got, f.String())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnEmptyMessageHasNoFindings(t *testing.T) {
	if found := dictionary.Of("2.5.1").Validate(new(hl7.Message), dictionary.Strict); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

func TestFindingsEndWhereTheyAreNoLongerWanted(t *testing.T) {
	v := dictionary.Of("2.5.1")
	m := message(t, "ORU^R01", "2.5.1", "PID|x\nOBR\nOBX|||\nZZZ\nPID|y\n")
	all := v.Validate(m, dictionary.Strict)
	for n := range all {
		var some []dictionary.Finding
		for f := range v.Findings(m, dictionary.Strict) {
			if some = append(some, f); len(some) > n {
				break
			}
		}
		if diff := cmp.Diff(all[:n+1], some); diff != "" {
			t.Errorf("the first %d: %s", n+1, diff)
		}
	}
}

func TestARuleIsOfTheLevelAtWhichItIsFirstChecked(t *testing.T) {
	v := dictionary.Of("2.7")
	m := message(t, "ADT^A01", "2.7", "EVN|A01|x\nPID|1|2|"+strings.Repeat("1", 300)+"|||||Q^a^b^c|||^^^^^||||||||||||||||||||||||||||||||||1\nPV1|1\nQQQ|1\nOBR\\q\\|\n")
	lenient := map[dictionary.Rule]bool{}
	for _, f := range v.Validate(m, dictionary.Lenient) {
		lenient[f.Rule] = true
	}
	levels := map[dictionary.Level]int{}
	for _, f := range v.Validate(m, dictionary.Strict) {
		if lenient[f.Rule] != (f.Rule.Level() == dictionary.Lenient) {
			t.Errorf("%s: level %d", f, f.Rule.Level())
		}
		levels[f.Rule.Level()]++
	}
	if levels[dictionary.Lenient] < 3 || levels[dictionary.Strict] < 3 {
		t.Errorf("%v findings by level", levels)
	}
}
