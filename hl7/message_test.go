package hl7_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/hl7"
)

func parse(t *testing.T, input string) *hl7.Message {
	t.Helper()
	m, err := hl7.Parse([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDelimitersAreTheMessagesOwn(t *testing.T) {
	for name, test := range map[string]struct {
		header string
		want   hl7.Delimiters
	}{
		"standard":               {`MSH|^~\&|`, hl7.Standard},
		"all of its own":         {`MSH$*@!%$`, hl7.Delimiters{Field: '$', Component: '*', Repetition: '@', Escape: '!', Subcomponent: '%'}},
		"hat separates fields":   {`MSH^~|\&^`, hl7.Delimiters{Field: '^', Component: '~', Repetition: '|', Escape: '\\', Subcomponent: '&'}},
		"backquote escapes":      {"MSH|^~`&|", hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '`', Subcomponent: '&'}},
		"truncation, v2.7":       {`MSH|^~\&#|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&', Truncation: '#'}},
		"doubled escape":         {`MSH|^~\\&|`, hl7.Standard},
		"doubled and truncation": {`MSH|^~\\&#|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&', Truncation: '#'}},
		"six":                    {`MSH|^~\&#!|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\', Subcomponent: '&', Truncation: '#'}},
		"escape alone doubled":   {`MSH|^~\\|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\'}},
		"one":                    {`MSH|^|`, hl7.Delimiters{Field: '|', Component: '^'}},
		"two":                    {`MSH|^~|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~'}},
		"three":                  {`MSH|^~\|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Escape: '\\'}},
		"a duplicate is off":     {`MSH|^^\&|`, hl7.Delimiters{Field: '|', Component: '^', Escape: '\\', Subcomponent: '&'}},
		"a blank is off":         {`MSH|^~ &|`, hl7.Delimiters{Field: '|', Component: '^', Repetition: '~', Subcomponent: '&'}},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, test.header+"A\r")
			if got := m.Delimiters(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got := m.Get("MSH-1") + m.Get("MSH-2"); got != strings.TrimSuffix(test.header[3:], test.header[3:4]) {
				t.Errorf("MSH-1 and MSH-2 read %q", got)
			}
			if got := m.Get("MSH-3"); got != "A" {
				t.Errorf("MSH-3 reads %q", got)
			}
			checkJSON(t, m)
			checkCanonical(t, m)
		})
	}
}

func TestOnlyPunctuationDelimits(t *testing.T) {
	for c := range 256 {
		_, err := hl7.Parse([]byte("MSH|" + string([]byte{byte(c)}) + "|A\r"))
		want := strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{}~", byte(c)) >= 0
		if (err == nil) != want {
			t.Errorf("MSH-2 of %q: %v", byte(c), err)
		}
	}
}

func TestAPathReadsWhatItNames(t *testing.T) {
	m := parse(t, `MSH|^~\&|A|B
PID|1||7^^^X&1.2&ISO~8||Doe^Jane||||a~~b|""|&&s^
OBX|1|TX|one
OBX|2|TX|two
ZZZ
`)
	for path, want := range map[string]string{
		"PID-1":           "1",
		"PID-1.1.1":       "1",
		"PID-1[1]":        "1",
		"PID-1[2]":        "",
		"PID-1.2":         "",
		"PID-3":           "7",
		"PID-3.4":         "X",
		"PID-3.4.2":       "1.2",
		"PID-3[1].4.3":    "ISO",
		"PID-3[2]":        "8",
		"PID-3[2].1":      "8",
		"PID-5.2":         "Jane",
		"PID.5.2":         "Jane",
		"PID[1]-5.2":      "Jane",
		"PID[2]-5.2":      "",
		"PID-9":           "a",
		"PID-9[2]":        "",
		"PID-9[3]":        "b",
		"PID-10":          hl7.Null,
		"PID-11.1.3":      "s",
		"PID-99":          "",
		"OBX-3":           "one",
		"OBX[2]-3":        "two",
		"ZZZ-1":           "",
		"QQQ-1":           "",
		"MSH-1":           "|",
		"MSH-2":           `^~\&`,
		"MSH-2.1":         `^~\&`,
		"MSH-2.2":         "",
		"MSH-4":           "B",
		"PID":             "",
		"PID-":            "",
		"PID-0":           "",
		"PID-1.":          "",
		"PID-x":           "",
		"PID-3[":          "",
		"PID-3[0]":        "",
		"":                "",
		"PID-1.1.1.1":     "",
		"PID-99999999999": "",
	} {
		if got := m.Get(path); got != want {
			t.Errorf("Get(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestTheNameOfASegmentEndsAtItsFirstSeparator(t *testing.T) {
	for line, want := range map[string]string{
		"PID|1": "PID", "PID": "PID", "ABCD|x": "ABCD", "no segment": "no segment",
		"|ab|c": "", "a|b|c": "a", "ab||c": "ab", "|": "", "||||": "",
	} {
		m := parse(t, "MSH|^~\\&|A\r"+line+"\r")
		if got := m.Segment(1).Name(); got != want {
			t.Errorf("%q has the name %q, want %q", line, got, want)
		}
	}
}

func TestAbsentEmptyAndNullAreThreeThings(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A\rPID||\"\"|x^|^^\rZZZ")
	for path, want := range map[string]string{
		"PID-1": "empty", "PID-2": hl7.Null, "PID-3": "x^", "PID-3.1": "x", "PID-3.2": "empty", "PID-3.3": "absent",
		"PID-4": "^^", "PID-4.2": "empty", "PID-4.3": "empty", "PID-4.4": "absent", "PID-4[2]": "absent",
		"PID-5": "absent", "PID": `PID||""|x^|^^`, "ZZZ-1": "absent", "QQQ-1": "absent", "no path": "absent",
	} {
		raw, ok := m.Raw(path)
		got := string(raw)
		switch {
		case !ok:
			got = "absent"
		case got == "":
			got = "empty"
		}
		if got != want {
			t.Errorf("Raw(%q) is %s, want %s", path, got, want)
		}
	}
}

func TestAPathIsWrittenAsItIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1000)
		p := hl7.Path{Segment: rapid.StringMatching(`[A-Z][A-Z0-9]{2}`).Draw(t, "segment"), Field: n.Draw(t, "field")}
		if rapid.Bool().Draw(t, "occurrence given") {
			p.Occurrence = n.Draw(t, "occurrence")
		}
		if rapid.Bool().Draw(t, "component given") {
			p.Component = n.Draw(t, "component")
		}
		if got, err := hl7.ParsePath(p.String()); err != nil || got != p {
			t.Fatalf("%s reads as %+v, %v", p, got, err)
		}
	})
}

func TestEscapesAreDecodedOnceAndWhatIsNotUnderstoodStays(t *testing.T) {
	for raw, want := range map[string]string{
		`\F\\S\\T\\R\\E\`:             `|^&~\`,
		`a\T\b`:                       `a&b`,
		`\E\T\E\`:                     `\T\`, // not twice
		`\X0D0A\`:                     "\r\n",
		`\X41\\X42\`:                  "AB",
		`\XC3A9\`:                     "é",
		`\X4\`:                        `\X4\`, // a digit is missing
		`\XFF\`:                       `\XFF\`,
		`\XG0\`:                       `\XG0\`,
		`\X\`:                         `\X\`,
		`one\.br\two`:                 "one\ntwo",
		`one\.sp\two\.sp3\three`:      "one\ntwo\n\n\nthree",
		`a\.sk3\b`:                    "a   b",
		`\.sp0\\.sp999\`:              `\.sp0\\.sp999\`,
		`\.in+4\\.ti-2\\.fi\`:         `\.in+4\\.ti-2\\.fi\`,
		`\H\loud\N\`:                  `\H\loud\N\`,
		`\C2842\\M2442\\Z01\`:         `\C2842\\M2442\\Z01\`,
		`\C2842\T\x`:                  `\C2842\T\x`, // the T is between sequences
		`\M2442\T\x`:                  `\M2442\T\x`,
		`\Z01\T\x`:                    `\Z01\T\x`,
		`\H\T\x`:                      `\H\T\x`,
		`\.in+4\T\x`:                  `\.in+4\T\x`,
		`\Zz\T\x`:                     `\Zz\T\x`,
		`\.fi\T\x`:                    `\.fi\T\x`,
		`\X4\T\x`:                     `\X4\T\x`,
		`\C\T\x`:                      `\C&x`, // no sequence comes before the T's
		`\CG\T\x`:                     `\CG&x`,
		`\Z\T\x`:                      `\Z&x`,
		`\Z-\T\x`:                     `\Z-&x`,
		`\Z{\T\x`:                     `\Z{&x`,
		`\H1\T\x`:                     `\H1&x`,
		`\.xx\T\x`:                    `\.xx&x`,
		`\.b\T\x`:                     `\.b&x`,
		`\.inx\T\x`:                   `\.inx&x`,
		`\P\`:                         `\P\`, // this message has no truncation character
		`\`:                           `\`,
		`\\`:                          `\\`,
		`ends in \`:                   `ends in \`,
		`C:\temp\log\T\x`:             `C:\temp\log&x`,
		`a stray \\T\x`:               `a stray \&x`,
		`unclosed \T and so on`:       `unclosed \T and so on`,
		`a \ b \ c`:                   `a \ b \ c`,
		`\unknown\`:                   `\unknown\`,
		strings.Repeat(`\T\`, 100):    strings.Repeat(`&`, 100),
		strings.Repeat(`\H\ `, 100):   strings.Repeat(`\H\ `, 100),
		strings.Repeat(`\`, 10) + "T": strings.Repeat(`\`, 10) + "T",
	} {
		m := parse(t, "MSH|^~\\&|"+raw+"\rNTE|"+raw+"\r")
		for _, path := range []string{"NTE-1", "MSH-3"} {
			if got := m.Get(path); got != want {
				t.Errorf("%q in %s reads %q, want %q", raw, path, got, want)
			}
		}
		checkJSON(t, m)
		checkCanonical(t, m)
	}
}

func TestAValueIsUnescapedAsItsPlaceIsRead(t *testing.T) {
	m, err := hl7.Parse([]byte("MSH|^~\\&|A|||||||||2.5\rNTE|1||\\T\\a\\.br\\\\q\\^\\S\\b\r"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"NTE-3.1", "NTE-3.2", "NTE-1"} {
		raw, _ := m.Raw(path)
		if got := m.Unescape(raw); got != m.Get(path) || got == "" {
			t.Errorf("%s: %q, want %q", path, got, m.Get(path))
		}
	}
}

func TestTruncationCharacterHasAnEscapeWhereItIsDefined(t *testing.T) {
	m := parse(t, "MSH|^~\\&#|A\rNTE|a\\P\\b\r")
	if got := m.Get("NTE-1"); got != "a#b" {
		t.Errorf("got %q", got)
	}
}

func TestHeaderSaysWhatTheEnvelopeNeeds(t *testing.T) {
	m := parse(t, "MSH|^~\\&|WARDS^1.2|NORTH|LAKE|SOUTH|20260314091542.12+0100||ADT^A01^ADT_A01|NF1|P|2.5.1^X||||||UNICODE UTF-8\r")
	want := hl7.Header{
		Type: "ADT^A01", Message: "ADT", Event: "A01", Structure: "ADT_A01", Version: "2.5.1", ControlID: "NF1",
		SendingApplication: "WARDS", SendingFacility: "NORTH", ReceivingApplication: "LAKE", ReceivingFacility: "SOUTH",
		SentAt: "2026-03-14T09:15:42.12+01:00", Charset: "UNICODE UTF-8",
	}
	if diff := cmp.Diff(want, m.Header()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheHeaderHasTheFirstRepetitionAndSubcomponentOfEachField(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A&1~B^C|D^E~F^G&H|||||ADT&x^A01&y^ADT_A01&z~ACK^A02^ACK|1~2^3\r")
	want := hl7.Header{
		Type: "ADT^A01", Message: "ADT", Event: "A01", Structure: "ADT_A01", ControlID: "1", SendingApplication: "A", SendingFacility: "D",
	}
	if diff := cmp.Diff(want, m.Header()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTypeIsAlwaysFitForAnAttribute(t *testing.T) {
	for msh9, want := range map[string]string{
		"ADT^A01": "ADT^A01", "ADT^A09": "ADT^A09", "ADT^A01^ADT_A01": "ADT^A01", "ACK": "ACK", "ZZZ^Z01": "ZZZ^Z01",
		"": "unknown", "^A01": "unknown", "adt^a01": "unknown", "Testperson": "unknown", "ADT^Tilda": "unknown", "A B^A01": "unknown",
	} {
		if got := parse(t, "MSH|^~\\&|A|||||"+"|"+msh9+"\r").Type(); got != want {
			t.Errorf("type of %q is %q, want %q", msh9, got, want)
		}
	}
}

func TestPeekReadsTheHeaderOfAnyInput(t *testing.T) {
	for input, want := range map[string]string{
		"MSH|^~\\&|A|||||" + "|ADT^A01|1\rPID|1\r":                 "ADT^A01",
		"\v\ufeff\r\n MSH|^~\\&|A|||||" + "|ADT^A01|1\rMSH|^~\\&":  "ADT^A01",
		"BHS|^~\\&|A\rMSH|^~\\&|A|||||" + "|ADT^A01":               "unknown",
		"\vMSH|^~\\&|A|||||" + "|ADT^A01\x1c\r\vMSH|^~\\&|B\x1c\r": "ADT^A01",
		"MSH":                                   "unknown",
		"":                                      "unknown",
		"<xml/>":                                "unknown",
		"MSH|^~\\&|" + strings.Repeat("x", 1e6): "unknown",
	} {
		h, ok := hl7.Peek([]byte(input))
		if h.Type != want {
			t.Errorf("Peek(%.30q) says %q, %v", input, h.Type, ok)
		}
	}
}

// A NUL or FS after the message is not part of it, but one within it is (see [Reader]).
func TestPeekAndParseAgreeWhereAHeaderEndsInNULOrFS(t *testing.T) {
	for input, want := range map[string]string{
		"MSH|!|A\x00":                 "A",
		"MSH|!|A\x00\x00":             "A",
		"MSH|!|A\x00\x1c\r":           "A\x00",
		"MSH|!|A\x00\rPID|":           "A\x00",
		"MSH|!|A\x00\r":               "A\x00",
		"MSH|!|A\x1c\r0":              "A\x1c",
		"\vMSH|!|A\x1c\r":             "A",
		"MSH|^~\\&|A\\T\\B":           "A&B", // with an escape, the header is read as a message
		"MSH|^~\\&|A\\T\\B\x00":       "A&B",
		"MSH|^~\\&|A\\T\\B\x00\x1c\r": "A&B\x00",
		"MSH|^~\\&|A\\T\\B\x00\rPID|": "A&B\x00",
	} {
		h, _ := hl7.Peek([]byte(input))
		if got := parse(t, input).Header(); got != h || h.SendingApplication != want {
			t.Errorf("%q: Peek says %q, the message %q", input, h.SendingApplication, got.SendingApplication)
		}
	}
}

func TestPeekFindsTheEndOfAHeaderOfAnyLength(t *testing.T) {
	for length := range 1200 {
		for _, end := range []string{"\r", "\n", "\r\n"} {
			input := "MSH|^~\\&|A|||||" + "|ADT^A01|" + strings.Repeat("x", length) + end + "PID|1" + end
			got, ok := hl7.Peek([]byte(input))
			if diff := cmp.Diff(parse(t, input).Header(), got); diff != "" || !ok {
				t.Fatalf("MSH-10 of %d characters, then %q (-Parse +Peek): %v\n%s", length, end, ok, diff)
			}
		}
	}
}

func TestTimesKeepTheirPrecision(t *testing.T) {
	for value, want := range map[string]string{
		"2026": "2026", "202603": "2026-03", "20260314": "2026-03-14", "2026031409": "2026-03-14T09",
		"202603140915": "2026-03-14T09:15", "20260314091542": "2026-03-14T09:15:42",
		"20260314091542.1": "2026-03-14T09:15:42.1", "20260314091542.1234-0500": "2026-03-14T09:15:42.1234-05:00",
		"202603140915+0000": "2026-03-14T09:15+00:00", "20260314+0100": "2026-03-14", "2026031409+0100": "2026-03-14T09+01:00",
		"20260314091560": "", "20260314091542+2400": "", "20260314091542+0160": "",
		"": "", "yesterday": "", "20261301": "", "20260230": "", "202603140960": "", "2026031": "", "20260314091542.": "",
		"20260314-01": "2026-03-14", "202603140915+1": "", "202603140915+2500": "", "20260314.5": "", "-0500": "", "2026-03": "", "202603-1": "",
	} {
		if got := hl7.ISO8601(value); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}

func TestATimeIsOneWhereTheStandardLibraryReadsIt(t *testing.T) {
	const layout = "20060102150405"
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{rapid.StringMatching(`[0-9]{4}`).Draw(t, "year")}
		for _, most := range []int{13, 32, 25, 61, 61} {
			parts = append(parts, fmt.Sprintf("%02d", rapid.IntRange(0, most).Draw(t, "part")))
		}
		value := strings.Join(parts[:rapid.IntRange(1, len(parts)).Draw(t, "parts")], "")
		_, err := time.Parse(layout[:len(value)], value)
		if got := hl7.ISO8601(value); (got != "") != (err == nil) {
			t.Errorf("%s is %q; the standard library says %v", value, got, err)
		}
	})
}

func TestNormalizeLeavesOneTerminator(t *testing.T) {
	for input, want := range map[string]string{
		"MSH|^~\\&|A\nPID|1\n":                     "MSH|^~\\&|A\rPID|1\r",
		"MSH|^~\\&|A\r\nPID|1\r\n":                 "MSH|^~\\&|A\rPID|1\r",
		"MSH|^~\\&|A\rNTE|one\ntwo\r":              "MSH|^~\\&|A\rNTE|one\ntwo\r",
		"MSH|^~\\&|A\r\nNTE|one\ntwo\r\n":          "MSH|^~\\&|A\rNTE|one\ntwo\r",
		"MSH|^~\\&|A\rNTE|one\nPID|1\r":            "MSH|^~\\&|A\rNTE|one\rPID|1\r",
		"\ufeffMSH|^~\\&|A\r":                      "MSH|^~\\&|A\r",
		"\vMSH|^~\\&|A\r\x1c\r":                    "MSH|^~\\&|A\r",
		"MSH|^~\\&|A\r\x1c\r\vMSH|^~\\&|B\r\x1c\r": "MSH|^~\\&|A\r\x1c\r\vMSH|^~\\&|B\r",
		"MSH|^~\\&|A":                              "MSH|^~\\&|A",
		"MSH":                                      "MSH",
		"\vMSH|^~\\&|A\x1c\r":                      "MSH|^~\\&|A\r",
		"MSH|^~\\&|A\x00":                          "MSH|^~\\&|A\r",
		"MSH|^~\\&|A\x00\x1c\r":                    "MSH|^~\\&|A\x00\r",
		"":                                         "",
		"\r\n":                                     "",
		"no\nHL7":                                  "no\rHL7",
	} {
		if got := string(hl7.Normalize(nil, []byte(input))); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", input, got, want)
		}
	}
}

func TestNormalizingChangesNoSegment(t *testing.T) {
	corpus(t, func(t *testing.T, data []byte) {
		m, err := hl7.Parse(data)
		if err != nil {
			return // several messages: read as a stream elsewhere
		}
		n, err := hl7.Parse(hl7.Normalize(nil, data))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(segmentsOf(m), segmentsOf(n)); diff != "" {
			t.Errorf("(-parsed +normalized):\n%s", diff)
		}
	})
}

func TestLargeMessagesTakeLinearTime(t *testing.T) {
	for name, input := range map[string]string{
		"many segments":    "MSH|^~\\&|A\r" + strings.Repeat("OBX|1|TX|x\r", 50_000),
		"many LF segments": "MSH|^~\\&|A\n" + strings.Repeat("OBX|1|TX|x\n", 50_000),
		"LFs in a value":   "MSH|^~\\&|A\rNTE|" + strings.Repeat("x\n", 500_000) + "\r",
		"a large value":    "MSH|^~\\&|A\rOBX|" + strings.Repeat("QUJD", 1<<20) + "\r",
		"many fields":      "MSH|^~\\&|A\rOBX" + strings.Repeat("|x", 500_000) + "\r",
		"many components":  "MSH|^~\\&|A\rOBX|" + strings.Repeat("x^", 500_000) + "\r",
		"many repetitions": "MSH|^~\\&|A\rOBX|" + strings.Repeat("~", 1_000_000) + "x\r",
		"many escapes":     "MSH|^~\\&|A\rOBX|" + strings.Repeat(`\T\`, 500_000) + "\r",
		"lone escapes":     "MSH|^~\\&|A\rOBX|" + strings.Repeat(`\ `, 500_000) + "\r",
		"NULs":             "MSH|^~\\&|A\rOBX|" + strings.Repeat("\x00", 1_000_000) + "\r",
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func() {
				m := parse(t, input)
				if len(m.AppendJSON(nil, hl7.JSON{})) < len(input)/4 {
					t.Error("the JSON is too short to hold the message")
				}
			})
		})
	}
}
