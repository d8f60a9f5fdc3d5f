package dictionary_test

// This file is about validate.go and check.go: which findings a message has.

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// findings lists the findings of a message in its own version.
func findings(m *hl7.Message, level dictionary.Level) (all []string) {
	for _, f := range dictionary.Of(m.Version()).Validate(m, level) {
		all = append(all, f.String())
	}
	return all
}

func TestTheCasesHaveTheFindingsThatTheyShould(t *testing.T) {
	for name, want := range map[string]struct{ lenient, strict []string }{
		"obx4-empty-231":                     {},
		"orc7-obr27-empty-23":                {},
		"in1-company-id-repeats-23":          {},
		"strict-obx2-ce-ts":                  {},
		"strict-null-in-one-character-field": {},
		"obx5-typed-by-obx2-27": {
			lenient: []string{"OBX[2]-5[1].1.1: bad-type: not of type NM"},
			strict:  []string{"OBX[2]-5[1].1.1: bad-type: not of type NM"},
		},
		"required-field-of-only-delimiters": {
			lenient: []string{"PID[1]-3: missing-field: Patient Identifier List", "PID[1]-5: missing-field: Patient Name"},
			strict:  []string{"PID[1]-3: missing-field: Patient Identifier List", "PID[1]-5: missing-field: Patient Name"},
		},
		"dt-with-time": {
			lenient: []string{"OBX[1]-5[1].1.1: bad-type: not of type DT", "OBX[3]-5[1].1.1: bad-type: not of type DT"},
			strict:  []string{"OBX[1]-5[1].1.1: bad-type: not of type DT", "OBX[3]-5[1].1.1: bad-type: not of type DT"},
		},
		"si-leading-zeros": {
			lenient: []string{"NK1[1]: misplaced", "NK1[1]-1[1].1.1: bad-type: not of type SI", "DG1[1]-1[1].1.1: bad-type: not of type SI", "DG1[2]-1[1].1.1: bad-type: not of type SI"},
			strict:  []string{"NK1[1]: misplaced", "NK1[1]-1[1].1.1: bad-type: not of type SI", "DG1[1]-1[1].1.1: bad-type: not of type SI", "DG1[2]-1[1].1.1: bad-type: not of type SI"},
		},
		"escape-lower-case": {
			lenient: []string{"OBX[1]-5[1]: unknown-escape: it stands in the text as it is"},
			strict:  []string{"OBX[1]-5[1]: unknown-escape: it stands in the text as it is"},
		},
		"literal-backslash-r-as-terminator": {
			lenient: []string{"MSH[1]: run-together: another segment begins within it"},
			strict:  []string{"MSH[1]: run-together: another segment begins within it"},
		},
	} {
		m := readCase(t, name)
		if diff := cmp.Diff(want.lenient, findings(m, dictionary.Lenient)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(want.strict, findings(m, dictionary.Strict)); diff != "" {
			t.Errorf("%s, strictly (-want +got):\n%s", name, diff)
		}
	}
}

func TestThreeEncodingCharactersWithoutAnEscapeLoseNothing(t *testing.T) {
	m := readCase(t, "msh2-three-without-escape")
	if got := findings(m, dictionary.Lenient); !slices.Contains(got, "MSH-2: delimiters: sub-components need an escape character; none is read as one") {
		t.Errorf("%q", got)
	}
	for path, want := range map[string]string{
		"PID-3.4.1": "HOSPA", "PID-3.4.2": "1.2.3", "PID-3.4.3": "ISO", "PID-7.1.1": "A", "PID-7.1.2": "F", "PID-7.1.3": "B",
		"PID-8.1.1": "Ward", "PID-8.1.2": "S", "PID-8.1.3": "3",
	} {
		if got := m.Get(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

func TestOnlyOfThreeEncodingCharactersTheLastMayBeTheSeparatorOfSubcomponents(t *testing.T) {
	for msh2, want := range map[string]string{"^~&": "A", `^~\&`: "A", "^~&\\": "A|B", "^~!": "A&F&B", "^&": "A"} {
		m, err := hl7.Parse([]byte("MSH|" + msh2 + "|X\rNTE|1||A&F&B\r"))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Get("NTE-3"); got != want {
			t.Errorf("%q: %q, want %q", msh2, got, want)
		}
	}
}

// header returns an MSH segment of a result message in the given version.
func header(version string) string {
	return "MSH|^~\\&|A|B|C|D|20260102030405||ORU^R01^ORU_R01|1|P|" + version + "\r"
}

// result returns a message with one result of a type. valid says whether the value is of
// that type.
func isOfType(t *rapid.T, dataType, value string) bool {
	m, err := hl7.Parse([]byte(header("2.5.1") + "PID|1||P1||Muster\rOBR|1|||T1\rOBX|1|" + dataType + "|A||" + value + "||||||F\r"))
	if err != nil {
		t.Fatal(err)
	}
	got := findings(m, dictionary.Lenient)
	want := "OBX[1]-5[1].1.1: bad-type: not of type " + dataType
	if got != nil && !slices.Equal(got, []string{want}) {
		t.Errorf("%s %q: %q", dataType, value, got)
	}
	return got == nil
}

// forms are the data types of chapter 2A as regular expressions. For days it is enough to
// go up to 31 in every month.
var forms = map[string]struct{ right, wrong []string }{
	"DT": {
		right: []string{`(19|20)[0-9]{2}`, `(19|20)[0-9]{2}(0[1-9]|1[0-2])`, `(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])`},
		wrong: []string{`20260[1-9]0[1-9][0-2]`, `20260[1-9]0[1-9](0[0-9]|1[0-9])[0-5][0-9]([0-5][0-9])?`, `20260[1-9]0[1-9][+-]0[0-9]00`, `2026(1[3-9]|00)`, `20260[1-9](3[2-9]|00)`, `2026-0[1-9](-0[1-9])?`, `[0-9]{1,3}`, `[a-z]{1,8}`},
	},
	"DTM": {
		right: []string{`20[0-9]{2}((0[1-9]|1[0-2])((0[1-9]|1[0-9]|2[0-8])((0[0-9]|1[0-9]|2[0-3])([0-5][0-9]([0-5][0-9](\.[0-9]{1,4})?)?)?)?)?)?([+-](0[0-9]|1[0-2])[0-5][0-9])?`},
		wrong: []string{`2026010[1-9](2[4-9])`, `2026010[1-9]10[6-9][0-9]`, `2026010[1-9]1010\.[0-9]`, `2026010[1-9]10\+[0-9]{1,3}`, `202[0-9]-0[1-9]`, `0[1-9]/0[1-9]/2026`},
	},
	"TM": {
		right: []string{`(0[0-9]|1[0-9]|2[0-3])([0-5][0-9]([0-5][0-9](\.[0-9]{1,4})?)?)?([+-](0[0-9]|1[0-2])[0-5][0-9])?`},
		wrong: []string{`2[4-9]([0-5][0-9])?`, `10[6-9][0-9]`, `[0-9]`, `1[0-9]:[0-5][0-9](:[0-5][0-9])?`, `[+-]0[0-9]00`, `1[0-9]30\.[0-9]`},
	},
	"NM": {
		right: []string{`[+-]?[0-9]{1,12}(\.[0-9]{1,6})?`, `0{1,5}[0-9]`},
		wrong: []string{`[0-9]{1,3},[0-9]{1,3}`, `[<>][0-9]{1,3}`, `[0-9]{1,3}[a-z%]{1,2}`, `[0-9]\.[0-9]\.[0-9]`, `[+-]{2}[0-9]`, `[0-9]e[0-9]`, `[+.-]`},
	},
	"SI": {
		right: []string{`0{0,4}[0-9]{1,4}`, `\+[0-9]{1,4}`},
		wrong: []string{`-[0-9]{1,4}`, `[0-9]{1,3}\.[0-9]{0,2}`, `[0-9][a-z]`, `[a-z]{1,3}`, `\+`},
	},
}

func TestAValueOfADataTypeHasTheFormOfChapter2A(t *testing.T) {
	for dataType, form := range forms {
		t.Run(dataType, rapid.MakeCheck(func(t *rapid.T) {
			right := rapid.SampledFrom(form.right).Draw(t, "right")
			if value := rapid.StringMatching(right).Draw(t, "value"); !isOfType(t, dataType, value) {
				t.Errorf("%q is not of type %s", value, dataType)
			}
			wrong := rapid.SampledFrom(form.wrong).Draw(t, "wrong")
			if value := rapid.StringMatching(wrong).Draw(t, "no value"); isOfType(t, dataType, value) {
				t.Errorf("%q is of type %s", value, dataType)
			}
		}))
	}
}

func TestEveryFieldMayBeNull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, s := anySegment(t)
		null := strings.Repeat(`|""`, len(s.Fields))
		m := single(t, v, s.Name+null)
		for _, f := range v.Validate(m, dictionary.Strict) {
			if f.Path.Segment == s.Name && !slices.Contains([]dictionary.Rule{dictionary.UnexpectedSegment, dictionary.Misplaced, dictionary.WithdrawnField}, f.Rule) {
				t.Errorf("%s of v%s: %s", s.Name, v.Name, f)
			}
		}
	})
}

func TestAFieldOfOnlyDelimitersIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, s := anySegment(t)
		delimiters := rapid.StringMatching(`[~^&]{1,6}`)
		text, bare := s.Name, s.Name+strings.Repeat("|", len(s.Fields))
		for range s.Fields {
			text += "|" + delimiters.Draw(t, "field")
		}
		level := rapid.SampledFrom([]dictionary.Level{dictionary.Lenient, dictionary.Strict}).Draw(t, "level")
		if diff := cmp.Diff(v.Validate(single(t, v, bare), level), v.Validate(single(t, v, text), level)); diff != "" {
			t.Errorf("%q of v%s (-empty +of delimiters):\n%s", text, v.Name, diff)
		}
	})
}

// anySegment draws a version and one of its segments.
func anySegment(t *rapid.T) (*dictionary.Version, *dictionary.Segment) {
	v := rapid.SampledFrom(slices.Collect(dictionary.Versions())).Draw(t, "version")
	s := rapid.SampledFrom(slices.Collect(v.Segments())).Draw(t, "segment")
	if slices.Contains([]string{"MSH", "BHS", "FHS", "BTS", "FTS", "OBX", "MFE", "MFA"}, s.Name) {
		t.Skip("a header, or a segment that types itself")
	}
	return v, s
}

// single returns a message of a header and one segment.
func single(t *rapid.T, v *dictionary.Version, segment string) *hl7.Message {
	m, err := hl7.Parse([]byte(header(v.Name) + segment + "\r"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMoreRepetitionsThanAllowedCountOnlyWithAValue(t *testing.T) {
	for value, want := range map[string][]string{
		"F": nil, "F~": nil, "F~~^": nil, `F~""`: {"PID[1]-8[2]: too-many-repetitions: at most 1"}, "F~M~U": {"PID[1]-8[2]: too-many-repetitions: at most 1"},
		"F~~U": {"PID[1]-8[3]: too-many-repetitions: at most 1"}, "~F": {"PID[1]-8[2]: too-many-repetitions: at most 1"},
	} {
		m := message(t, "ADT^A01^ADT_A01", "2.5.1", evn+"PID|||7||T|||"+value+"\n"+pv1)
		if diff := cmp.Diff(want, findings(m, dictionary.Lenient)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	}
}

func TestAFieldIsTypedByTheOneThatNamesItsType(t *testing.T) {
	for segments, want := range map[string][]string{
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||7|NM\n":                                 nil,
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||seven|NM\n":                             {"MFE[1]-4[1].1.1: bad-type: not of type NM"},
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||x~7~x|ST~NM~NM\n":                       {"MFE[1]-4[3].1.1: bad-type: not of type NM"},
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||7~x|NM\n":                               {"MFE[1]-4[2].1.1: bad-type: not of type NM"},
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||x|\n":                                   {"MFE[1]-5: missing-field: Primary Key Value Type"},
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||2026-01-02|DT\n":                        {"MFE[1]-4[1].1.1: bad-type: not of type DT"},
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||a^b^c|CE\nMFE|MUP|2||1&2^x^y|PL\n":      nil,
		"MFI|LOC||UPD|||NE\nMFE|MAD|1||7|NM\nXYZ|1\nLOC|1||x|U\nZL7|1|any|2\n": nil,
	} {
		m := message(t, "MFN^M01^MFN_M01", "2.5.1", segments)
		if diff := cmp.Diff(want, findings(m, dictionary.Lenient)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", segments, diff)
		}
	}
	m := message(t, "MFK^M01^MFK_M01", "2.5.1", "MSA|AA|1\nMFI|LOC||UPD|||NE\nMFA|MAD|1||S|seven|NM\n")
	if diff := cmp.Diff([]string{"MFA[1]-5[1].1.1: bad-type: not of type NM"}, findings(m, dictionary.Lenient)); diff != "" {
		t.Errorf("MFA (-want +got):\n%s", diff)
	}
}

func TestOBX2IsRequiredIfThereIsAResult(t *testing.T) {
	missing := []string{"OBX[1]-2: missing-field: Value Type"}
	for _, test := range []struct {
		version, obx string
		want         []string
	}{
		{"2.5.1", "OBX|1||8^x||any||||||F", missing},
		{"2.5.1", "OBX|1||8^x||any", append(slices.Clone(missing), "OBX[1]-11: missing-field: Observation Result Status")},
		{"2.5.1", "OBX|1|^|8^x||^any~||||||F", missing},
		{"2.5.1", "OBX|1|ST|8^x||any||||||F", nil},
		{"2.5.1", "OBX|1||8^x||||||||F", nil},
		{"2.5.1", "OBX|1||8^x||^~&||||||F", nil},
		{"2.5.1", `OBX|1||8^x||""||||||F`, nil},  // to be deleted, of whatever type
		{"2.5.1", "OBX|1||8^x||any||||||X", nil}, // there is no result
		{"2.1", "OBX|1||8^x||any||||||F", nil},   // optional
		{"2.2", "OBX|1||8^x||||||||F", missing},  // always required
		{"2.3.1", "OBX|1||8^x||any||||||F", missing},
		{"2.6", "OBX|1||8^x||any||||||F", missing},
		{"2.8.2", "OBX|1||8^x||any||||||F", missing},
	} {
		m, err := hl7.Parse([]byte("MSH|^~\\&|A|B|C|D|20260102030405||ZZZ^Z01|1|P|" + test.version + "\r" + test.obx + "\r"))
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(findings(m, dictionary.Lenient), func(f string) bool { return !strings.HasPrefix(f, "OBX") })
		if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s of v%s (-want +got):\n%s", test.obx, test.version, diff)
		}
	}
}

func TestASecondHasFourDecimalsAtMost(t *testing.T) {
	for value, tooLong := range map[string]bool{
		"TM|101010.1234": false, "TM|101010.1234+0100": false, "TM|101010.12345": true, "TM|101010.12345-0500": true, "TM|1010": false,
		"DTM|20260102101010.1234": false, "DTM|20260102101010.12345": true, "DTM|20260102101010.123456789+0000": true,
		"TS|20260102101010.1234-0500": false, "TS|20260102101010.12345": true, "NM|1.123456": false,
	} {
		dataType, text, _ := strings.Cut(value, "|")
		m, err := hl7.Parse([]byte(header("2.6") + "PID|1||P1||Muster\rOBR|1|||T1\rOBX|1|" + dataType + "|A||" + text + "||||||F\r"))
		if err != nil {
			t.Fatal(err)
		}
		if got := findings(m, dictionary.Lenient); got != nil {
			t.Errorf("%s: %q", value, got)
		}
		found := slices.ContainsFunc(findings(m, dictionary.Strict), func(f string) bool {
			return strings.HasPrefix(f, "OBX[1]-5[1].1") && strings.HasSuffix(f, "too-long: at most 4 decimals of a second")
		})
		if found != tooLong {
			t.Errorf("%s is too long: %v", value, found)
		}
	}
}

func TestAMessageWhoseStructureIsWithdrawnIsNotHeldAgainstIt(t *testing.T) {
	m := message(t, "ORM^O01^ORM_O01", "2.8", "PID|||7^^^H^MR||T\nPRT||AD||RE\nOBR||1||2^x\n") // without ORC
	if diff := cmp.Diff([]string{"MSH-9: unknown-structure"}, findings(m, dictionary.Lenient)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSegmentsThatRunTogetherAreToldAndNothingElseIsGuessed(t *testing.T) {
	together := "run-together: another segment begins within it"
	for segments, want := range map[string][]string{
		"PID|1||P1||T\\rOBR|1|||x\\rOBX|1|ST|a||b||||||F\n":            {"PID[1]: " + together},
		"PID|1||P1||T\\nOBR|1|||x\n":                                   {"PID[1]: " + together},
		"PID|1||P1||T<CR>OBR|1|||x\n":                                  {"PID[1]: " + together},
		"PID|1||P1||T&#13;OBR|1|||x\n":                                 {"PID[1]: " + together},
		"PID|1||P1||T\\X0d\\OBR|1|||x\n":                               {"PID[1]: " + together},
		"PID|1||P1||T|||20260102OBR|1|||x\n":                           {"PID[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nOBX|1|ST|a||b||||||FMSH|^~\\&|A|B\n": {"OBX[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nOBX|1|ST|a||b||||||FMSH|\n":          nil,
		"PID|1||P1||T\nOBR|1|||x\nNTE|1||0OBX||1\n":                    {"NTE[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nNTE|1||9OBX|1|ST\n":                  {"NTE[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nNTE|1||aOBX|1|ST\n":                  {"NTE[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nNTE|1||zOBX|1|ST\n":                  {"NTE[1]: " + together},
		"PID|1||P1||T\nOBR|1|||x\nNTE|1||(OBX|1|ST\n":                  nil,
		"PID|1||P1||T\nOBR|1|||x\n<cr>\n":                              {"???[1]: unexpected-segment", "???[1]: run-together: what should end it is text at its end"},
		"PID|1||P1||T\nOBR|1|||x\nOBX|1|ST|RAPID||b||||||F\n":          nil,
		"PID|1||P1||T\nOBR|1|||x\nOBX|1|ST|x2DEV||b||||||F\n":          nil,
		"PID|1||P1||T\nOBR|1|||x\nOBX|1|ST|OBX|PID|MSH||||||F\n":       nil,
		"PID|1||P1||T\nOBR|1|||x<cr>\n":                                {"OBR[1]: run-together: what should end it is text at its end"},
		"PID|1||P1||T\nOBR|1|||C:\\rooms\nOBX|1|ST|a||\\\\r||||||F\n":  {"OBR[1]-4[1]: unknown-escape: it stands in the text as it is", "OBX[1]-5[1]: unknown-escape: it stands in the text as it is"},
	} {
		m := message(t, "ORU^R01^ORU_R01", "2.5.1", segments)
		if diff := cmp.Diff(want, findings(m, dictionary.Lenient)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", segments, diff)
		}
	}
}

func TestAWordBeforeAnotherSegmentRunsTogetherOnlyWhereThatCanBe(t *testing.T) {
	for _, test := range []struct {
		structure, segments string
		want                bool
	}{
		{"ORU^R01^ORU_R01", "PID|1||P1||T|||20260102OBR|1|||x\n", true},
		{"ORU^R01^ORU_R01", "PID|1||P1||T|||20260102AL1|1||x\n", false}, // a result has no AL1
		{"ZZZ^Z99", "PID|1||P1||T|||20260102AL1|1||x\n", true},
		{"ZZZ^Z99", "PID|1||P1||T|||20260102Q99|1||x\n", false},
	} {
		got := false
		for _, f := range dictionary.Of("2.5.1").Validate(message(t, test.structure, "2.5.1", test.segments), dictionary.Lenient) {
			got = got || f.Rule == dictionary.RunTogether
		}
		if got != test.want {
			t.Errorf("%s %q: %t", test.structure, test.segments, got)
		}
	}
}

func TestEncodingCharactersThatAreNotWhatTheyShouldAreTold(t *testing.T) {
	for msh2, want := range map[string]string{
		`^~\&`: "", `^~\&#`: "", `^~\`: "", `^~`: "", `^`: "", "^~&": "MSH-2: delimiters: sub-components need an escape character; none is read as one",
		`^~\\&`: "MSH-2: delimiters: the escape character is there twice; read as one", `^~\\`: "MSH-2: delimiters: the escape character is there twice; read as one",
		`^^\&`: "MSH-2: delimiters: a character has two roles; read as the first",
		`^|\&`: "", `^~ &`: "MSH-2: delimiters: sub-components need an escape character; none is read as one", `^ \&`: "MSH-2: delimiters: a blank delimits nothing",
	} {
		m, err := hl7.Parse([]byte("MSH|" + msh2 + "|A|B|C|D|20260102||ADT^A01|1|P|2.5.1\r"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range dictionary.Of("2.5.1").Validate(m, dictionary.Lenient) {
			if f.Rule == dictionary.WrongDelimiters {
				got = f.String()
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", msh2, got, want)
		}
	}
}

func TestEscapeSequencesAreThoseOfHL7(t *testing.T) {
	known := []string{`\F\`, `\S\`, `\T\`, `\R\`, `\E\`, `\H\`, `\N\`, `\X0D0A\`, `\Xfc\`, `\.br\`, `\.sp3\`, `\.in+4\`, `\.ce\`, `\Zlocal\`, `\C2842\`, `\M2442\`, ""}
	unknown := []string{`\t\`, `\x0d\`, `\s\`, `\.xx\`, `\XZ\`, `\X\`, `\C\`, `\M\`, `\Z\`, `\`, `\ `, `\FF\`, `\\`, `C:\x`, `\rtf1\ansi`}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(append(slices.Clone(known), "a", " b ", "ü"))).Draw(t, "text"), "")
		if got := escapes(t, "x"+text); got {
			t.Errorf("%q has an unknown sequence", text)
		}
		if bad := rapid.SampledFrom(unknown).Draw(t, "unknown"); !escapes(t, "x"+text+bad) {
			t.Errorf("%q and %q has none", text, bad)
		}
	})
}

// escapes reports whether there is a finding of an unknown escape in a value.
func escapes(t *rapid.T, value string) bool {
	m := single(t, dictionary.Of("2.5.1"), "NTE|1||"+value)
	return slices.ContainsFunc(dictionary.Of("2.5.1").Validate(m, dictionary.Lenient), func(f dictionary.Finding) bool {
		return f.Rule == dictionary.UnknownEscape && f.Path.String() == "NTE[1]-3[1]"
	})
}

func TestStrictIsUsableOnOrdinaryResults(t *testing.T) {
	for name, test := range map[string]struct {
		version, segments string
		want              []string
	}{
		"a result in v2.5.1": {"2.5.1", "PID|1||P1^^^HOSP&2.16.840.1.113883.19.3&ISO^MR||Muster^Mia^^^^^L||19700102|F\r" +
			"ORC|RE|ORD-1^PLACER^2.16.840.1.113883.19.4^ISO|FIL-1^FILLER^2.16.840.1.113883.19.5^ISO\r" +
			"OBR|1|ORD-1^PLACER^2.16.840.1.113883.19.4^ISO|FIL-1^FILLER^2.16.840.1.113883.19.5^ISO|2345-7^Glucose^LN^GLU^Glucose^L^2.40^1^glucose|||202601020304+0100|||||||||||||||202601020400+0100|||F\r" +
			"OBX|1|NM|2345-7^Glucose [Mass/volume] in Serum or Plasma^LN^GLU^Glucose^L^2.40^1^glucose||95|mg/dL^milligram per deciliter^UCUM|70-105|N|||F|||202601020304+0100\r" +
			"OBX|2|CWE|600-7^Bacteria^LN||112283007^Escherichia coli^SCT^^^^2.40^^E. coli||||||F\rOBX|3|DTM|11368-8^Onset^LN||20260101||||||F\r" +
			"SPM|1|^S1&FILLER&2.16.840.1.113883.19.5&ISO||119364003^Serum^SCT\r", nil},
		"a code of a later version": {"2.5.1", "PID|1||P1^^^HOSP&11D0668319&CLIA^MR||Muster\rOBR|1|||T1\r", nil},
		"a code of none":            {"2.5.1", "PID|1||P1^^^HOSP&1&QQQ^MR||Muster\rOBR|1|||T1\r", []string{"PID[1]-3[1].4.3: unknown-code: not in table 0301"}},
		"a type of none":            {"2.5.1", "PID|1||P1||Muster\rOBR|1|||T1\rOBX|1|QQQ|A||x||||||F\r", []string{"OBX[1]-2[1]: too-long: at most 2 characters", "OBX[1]-2[1].1.1: unknown-code: not in table 0125"}},
		"a user's code of type ID":  {"2.3", "PID|1||P1||Muster\rPV1|1|I||99\rOBR|1|||T1\rOBX|1|ST|A||x||||||F\r", nil},
		"an escaped delimiter":      {"2.5.1", "PID|1||P1||Muster|||\\T\\\rOBR|1|||T1\r", nil},
		"a field withdrawn":         {"2.7.1", "PID|1||P1^^^H^MR||Muster^M^^^^^L\rORC|RE||||||x\rOBR|1||F1|T1^T\r", []string{"ORC[1]-7: withdrawn-field: Quantity/Timing"}},
		"a field unknown, in parts": {"2.5.1", "PID|1||P1||Muster|||||||||||||||||||||||||||||||||||a^b~c\rOBR|1|||T1\r", []string{"PID[1]-40[1].1.1: unknown-field"}},
	} {
		text := header(test.version) + test.segments
		if test.version == "2.3" {
			text = strings.Replace(text, "^ORU_R01", "", 1)
		}
		m, err := hl7.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, findings(m, dictionary.Strict)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
