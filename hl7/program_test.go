package hl7_test

// This file is about what a program does with a message: edit.go, path.go and iterate.go
// together.

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/hl7"
)

const programmed = "MSH|^~\\&|A|B|C|D|20260314091500+0100||ADT^A01|1|P|2.5.1\rPID|1||X^^^N~Y~Z||Doe^Jo\rNTE|1||one\rNTE|2||two\r"

func TestAMessageIsEditedByInsertingAndDeleting(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*hl7.Message) error
		want string // the rest of the message's second to last line, or the error
	}{
		"a segment before another":  {func(m *hl7.Message) error { return m.InsertSegment(2, "PV1", "1", "I") }, "PID|1||X^^^N~Y~Z||Doe^Jo PV1|1|I NTE|1||one NTE|2||two"},
		"a segment behind the last": {func(m *hl7.Message) error { return m.InsertSegment(m.Len(), "PV1") }, "PID|1||X^^^N~Y~Z||Doe^Jo NTE|1||one NTE|2||two PV1"},
		"a segment before MSH":      {func(m *hl7.Message) error { return m.InsertSegment(0, "PV1") }, "segment 1: no such segment"},
		"a segment behind the end":  {func(m *hl7.Message) error { return m.InsertSegment(5, "PV1") }, "segment 6: no such segment"},
		"the second note goes":      {func(m *hl7.Message) error { return m.Delete("NTE[2]") }, "PID|1||X^^^N~Y~Z||Doe^Jo NTE|1||one"},
		"MSH does not go":           {func(m *hl7.Message) error { return m.Delete("MSH") }, "not a path"},
		"what is not there goes": {func(m *hl7.Message) error {
			return errors.Join(m.Delete("AL1"), m.Delete("PID-40"), m.Delete("PID-3[9]"))
		}, "PID|1||X^^^N~Y~Z||Doe^Jo NTE|1||one NTE|2||two"},
		"a field becomes empty":          {func(m *hl7.Message) error { return m.Delete("PID-3") }, "PID|1||||Doe^Jo NTE|1||one NTE|2||two"},
		"a component becomes empty":      {func(m *hl7.Message) error { return m.Delete("PID-5.1") }, "PID|1||X^^^N~Y~Z||^Jo NTE|1||one NTE|2||two"},
		"the first repetition goes":      {func(m *hl7.Message) error { return m.Delete("PID-3[1]") }, "PID|1||Y~Z||Doe^Jo NTE|1||one NTE|2||two"},
		"a repetition in the middle":     {func(m *hl7.Message) error { return m.Delete("PID-3[2]") }, "PID|1||X^^^N~Z||Doe^Jo NTE|1||one NTE|2||two"},
		"the last repetition goes":       {func(m *hl7.Message) error { return m.Delete("PID-3[3]") }, "PID|1||X^^^N~Y||Doe^Jo NTE|1||one NTE|2||two"},
		"the only repetition goes":       {func(m *hl7.Message) error { return m.Delete("PID-5[1]") }, "PID|1||X^^^N~Y~Z|| NTE|1||one NTE|2||two"},
		"a repetition before the first":  {func(m *hl7.Message) error { return m.InsertRepetition("PID-3", "W~W") }, `PID|1||W\R\W~X^^^N~Y~Z||Doe^Jo NTE|1||one NTE|2||two`},
		"a repetition behind the last":   {func(m *hl7.Message) error { return m.InsertRepetition("PID-3[9]", "W") }, "PID|1||X^^^N~Y~Z~W||Doe^Jo NTE|1||one NTE|2||two"},
		"a repetition of an empty field": {func(m *hl7.Message) error { return m.InsertRepetition("PID-2[2]", "W") }, "PID|1|W|X^^^N~Y~Z||Doe^Jo NTE|1||one NTE|2||two"},
		"a repetition of a component":    {func(m *hl7.Message) error { return m.InsertRepetition("PID-3.2", "W") }, "not a path"},
		"by a path that is none":         {func(m *hl7.Message) error { return m.Delete("PID-3-2") }, `"PID-3-2", which is "PID-3.2" here`},
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, programmed)
			got := ""
			if err := test.edit(m); err != nil {
				got = err.Error()
			} else {
				_, body, _ := strings.Cut(string(m.Encode()), "\r")
				got = strings.ReplaceAll(strings.TrimSuffix(body, "\r"), "\r", " ")
			}
			if got != test.want && !strings.Contains(test.want+got, "hl7:") || strings.Contains(got, "hl7:") && !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// An inserted element can be read where it was put, what was there has moved up by one,
// and deleting the element restores the message.
func TestInsertingARepetitionIsUndoneByDeletingIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		m := parse(t, programmed)
		before := m.Repetitions(hl7.Path{Segment: "PID", Field: 3})
		p := hl7.Path{Segment: "PID", Field: 3, Repetition: rapid.IntRange(1, before).Draw(r, "repetition")}
		displaced := m.GetAt(p)
		text := rapid.StringMatching(`[A-Z~|^&\\]{1,8}`).Draw(r, "text")
		if err := m.InsertRepetition(p.String(), text); err != nil {
			r.Fatal(err)
		}
		next := p
		next.Repetition++
		if got := m.GetAt(p); got != text || m.GetAt(next) != displaced || m.Repetitions(p) != before+1 {
			r.Fatalf("%s is %q, the next %q", p, got, m.GetAt(next))
		}
		if err := m.Delete(p.String()); err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(programmed, string(m.Encode())); diff != "" {
			r.Fatal(diff)
		}
	})
}

func TestAPathIsTakenInItsFormOnly(t *testing.T) {
	for path, want := range map[string]hl7.Path{
		"PID": {Segment: "PID"}, "PID.5": {Segment: "PID", Field: 5}, "Z9A-1": {Segment: "Z9A", Field: 1},
		"PID-999999999":   {Segment: "PID", Field: 999_999_999},
		"OBX[9]-8[7].6.5": {Segment: "OBX", Occurrence: 9, Field: 8, Repetition: 7, Component: 6, Subcomponent: 5},
		"PID-1000000000":  {}, // ten digits
		"PID[0]-1":        {},
		"PID[]-1":         {},
		"PID-3[2":         {},
		"PID-3]":          {},
		"PID-3[2]4":       {},
		"PID-3.1.2.3":     {},
		"PID-1/":          {},
		"PID-1:":          {},
		"aID-1":           {},
		"PIz-1":           {},
		"-1":              {},
		"[1]-1":           {},
	} {
		got, err := hl7.ParsePath(path)
		if got != want || (err != nil) != (want == hl7.Path{}) {
			t.Errorf("%q reads as %+v, %v", path, got, err)
		}
	}
}

func TestAPathOfAnotherLibraryIsRefusedWithTheRightSpelling(t *testing.T) {
	for path, want := range map[string]string{
		"PID-3-2": `"PID-3.2"`, "PID-3(1)-2": `"PID-3[2].2"`, "PID-3-4-1": `"PID-3.4.1"`, "pid-5": `"PID-5"`, "PID 5": `"PID-5"`, "PID:5": `"PID-5"`,
		"": "want one as", "PID-": "want one as", "PID-0": "want one as", "PID-5.": "want one as", "PID-3(": "want one as",
		"/PID-5": `"PID-5"`, "/.PID-3-1": `"PID-3.1"`, "OBX(2)-5(1)-1-2": `"OBX[3]-5[2].1.2"`, "obx(0)-5": `"OBX[1]-5"`,
	} {
		_, err := parse(t, programmed).Text(path)
		if !errors.Is(err, hl7.ErrPath) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", path, err, want)
		}
	}
	if text, err := parse(t, programmed).Text("PID-40"); text != "" || err != nil {
		t.Errorf("what is not there: %q, %v", text, err)
	}
}

func TestSegmentsAndRepetitionsAreCounted(t *testing.T) {
	m := parse(t, programmed)
	var names, notes []string
	for s := range m.Segments() {
		names = append(names, s.Name())
	}
	for n, s := range m.Named("NTE") {
		notes = append(notes, s.Get("3"))
		if len(notes) != n {
			t.Errorf("the number is %d", n)
		}
	}
	if got := strings.Join(append(names, notes...), " "); got != "MSH PID NTE NTE one two" {
		t.Error(got)
	}
	for path, want := range map[string]int{"PID-1": 1, "PID-3": 3, "PID-3[2].1": 3, "PID-2": 0, "PID-5": 1, "PID-40": 0, "MSH-2": 1, "AL1-3": 0, "PID": 0} {
		p, err := hl7.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Repetitions(p); got != want {
			t.Errorf("%s: %d repetitions, want %d", path, got, want)
		}
	}
	if m.Occurrences("NTE") != 2 || m.Occurrences("AL1") != 0 {
		t.Errorf("%d notes, %d allergies", m.Occurrences("NTE"), m.Occurrences("AL1"))
	}
}

func TestTimesAreReadInTheSendersZone(t *testing.T) {
	east := time.FixedZone("", 3600)
	for value, want := range map[string]struct {
		at        time.Time
		precision hl7.Precision
	}{
		"2026":                     {time.Date(2026, 1, 1, 0, 0, 0, 0, east), hl7.Year},
		"202603":                   {time.Date(2026, 3, 1, 0, 0, 0, 0, east), hl7.Month},
		"20260314":                 {time.Date(2026, 3, 14, 0, 0, 0, 0, east), hl7.Day},
		"2026031409":               {time.Date(2026, 3, 14, 9, 0, 0, 0, east), hl7.Hour},
		"202603140915":             {time.Date(2026, 3, 14, 9, 15, 0, 0, east), hl7.Minute},
		"20260314091530-0500":      {time.Date(2026, 3, 14, 14, 15, 30, 0, time.UTC), hl7.Second},
		"20260314091530.25+0000":   {time.Date(2026, 3, 14, 9, 15, 30, 250e6, time.UTC), hl7.Fraction},
		"20260314091530.123456789": {time.Date(2026, 3, 14, 9, 15, 30, 123456789, east), hl7.Fraction},
	} {
		m := parse(t, programmed+"PV1|1|I\r")
		if err := m.Set("PV1-44", value); err != nil {
			t.Fatal(err)
		}
		got, precision, err := m.Time("PV1-44")
		if err != nil || !got.Equal(want.at) || precision != want.precision {
			t.Errorf("%s: %v to %v, %v", value, got, precision, err)
		}
	}
	for _, path := range []string{"PV1-44", "PID-5", "PID-7"} {
		if _, _, err := parse(t, programmed).Time(path); !errors.Is(err, hl7.ErrTime) {
			t.Errorf("%s: %v, want ErrTime", path, err)
		}
	}
}

func TestATimeIsWrittenAsItIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-1<<33, 1<<34).Draw(t, "seconds"), 1e5*rapid.Int64Range(0, 9999).Draw(t, "fraction")).
			In(time.FixedZone("", 900*rapid.IntRange(-48, 56).Draw(t, "zone")))
		p := hl7.Precision(rapid.IntRange(int(hl7.Year), int(hl7.Fraction)).Draw(t, "precision"))
		text := hl7.FormatTime(at, p)
		again, precision, err := hl7.ParseTime(text, at.Location())
		if err != nil || precision != p || hl7.FormatTime(again, p) != text {
			t.Errorf("%v to %d: %s, read as %v to %d, %v", at, p, text, again, precision, err)
		}
	})
}

func TestATimeHasItsZoneFromTheHourOn(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 15, 42, 250e6, time.FixedZone("", 3600))
	for p, want := range map[hl7.Precision]string{
		hl7.Year: "2026", hl7.Month: "202603", hl7.Day: "20260314", hl7.Hour: "2026031409+0100", hl7.Minute: "202603140915+0100",
		hl7.Second: "20260314091542+0100", hl7.Fraction: "20260314091542.2500+0100",
	} {
		if got := hl7.FormatTime(at, p); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestANewMessageSaysWhatItsHeaderDoes(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 15, 30, 0, time.UTC)
	h := hl7.Header{
		Message: "ORU", Event: "R01", Structure: "ORU_R01", Version: "2.5.1", ControlID: "C|1", Charset: "8859/1",
		SendingApplication: "LAB", SendingFacility: "Süd", ReceivingApplication: "LAKE",
	}
	m, err := hl7.New(h, at)
	if err != nil {
		t.Fatal(err)
	}
	want := "MSH|^~\\&|LAB|S\xfcd|LAKE||20260314091530+0000||ORU^R01^ORU_R01|C\\F\\1|P|2.5.1||||||8859/1\r"
	if diff := cmp.Diff(want, string(m.Encode())); diff != "" {
		t.Error(diff)
	}
	h.Type, h.SentAt = "ORU^R01", "2026-03-14T09:15:30+00:00"
	if diff := cmp.Diff(h, m.Header()); diff != "" {
		t.Error(diff)
	}
	if _, err := hl7.New(hl7.Header{Charset: "KLINGON"}, at); !errors.Is(err, hl7.ErrCharset) {
		t.Errorf("an unknown charset: %v", err)
	}
	if _, err := hl7.New(hl7.Header{Charset: "8859/1", SendingFacility: "Łódź"}, at); !errors.Is(err, hl7.ErrNotEncodable) {
		t.Errorf("a name that its charset has not: %v", err)
	}
}

func TestTheTruncationCharacterIsOneFromV27On(t *testing.T) {
	for version, want := range map[string]string{"2.5.1": "a#b", "2.6": "a#b", "2.7": `a\P\b`, "2.8.2": `a\P\b`} {
		m := parse(t, "MSH|^~\\&#|A|||||||||"+version+"\rNTE|1\r")
		if err := m.Set("MSH-12", version); err != nil {
			t.Fatal(err)
		}
		if err := m.Set("NTE-3", "a#b"); err != nil {
			t.Fatal(err)
		}
		if raw, _ := m.Raw("NTE-3"); string(raw) != want || m.Get("NTE-3") != "a#b" {
			t.Errorf("%s: %s, read as %s, want %s", version, raw, m.Get("NTE-3"), want)
		}
	}
}
