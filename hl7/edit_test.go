package hl7_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

func TestSettingAPathAddsWhatIsMissingBeforeIt(t *testing.T) {
	for path, want := range map[string]string{
		"PID-1":        "PID|new||7^^^X&1~8",
		"PID-2":        "PID|1|new|7^^^X&1~8",
		"PID-3":        "PID|1||new^^^X&1~8",
		"PID-3.2":      "PID|1||7^new^^X&1~8",
		"PID-3.4":      "PID|1||7^^^new&1~8",
		"PID-3.4.2":    "PID|1||7^^^X&new~8",
		"PID-3.4.4":    "PID|1||7^^^X&1&&new~8",
		"PID-3.6.2":    "PID|1||7^^^X&1^^&new~8",
		"PID-3[2]":     "PID|1||7^^^X&1~new",
		"PID-3[2].3":   "PID|1||7^^^X&1~8^^new",
		"PID-3[4]":     "PID|1||7^^^X&1~8~~new",
		"PID-3[4].2.2": "PID|1||7^^^X&1~8~~^&new",
		"PID-5":        "PID|1||7^^^X&1~8||new",
		"PID-5[2].2":   "PID|1||7^^^X&1~8||~^new",
	} {
		m := parse(t, "MSH|^~\\&|A\nPID|1||7^^^X&1~8\nZZZ\n")
		if err := m.Set(path, "new"); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if diff := cmp.Diff("MSH|^~\\&|A\n"+want+"\nZZZ\n", string(m.Encode())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if got := m.Get(path); got != "new" {
			t.Errorf("%s then reads %q", path, got)
		}
	}
}

func TestEditsKeepFrameAndLineEnds(t *testing.T) {
	m := parse(t, "\v\ufeffMSH|^~\\&|A\r\nZZZ\r\n\x1c\r\n")
	steps := []error{
		m.Set("ZZZ-2", "a|b\\H\\\r\n"),
		m.Set("MSH-5", "LAKE"),
		m.AddSegment("NTE", "1", "", "x^y"),
		m.SetRaw("ZZZ-1", []byte("p~q")),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	want := "\v\ufeffMSH|^~\\&|A||LAKE\r\nZZZ|p~q|a\\F\\b\\H\\\\X0D\\\\.br\\\r\nNTE|1||x\\S\\y\r\n\x1c\r\n"
	if diff := cmp.Diff(want, string(m.Encode())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.DeleteSegment(1)
	if diff := cmp.Diff("\v\ufeffMSH|^~\\&|A||LAKE\r\nNTE|1||x\\S\\y\r\n\x1c\r\n", string(m.Encode())); diff != "" {
		t.Errorf("after a deletion (-want +got):\n%s", diff)
	}
}

func TestAnEditThatCannotBeIsRefused(t *testing.T) {
	m := parse(t, "MSH|^|A\rPID|1\r")
	for name, test := range map[string]struct{ got, want error }{
		"no path":             {m.Set("nonsense-", "x"), hl7.ErrPath},
		"no segment":          {m.Set("OBX-1", "x"), hl7.ErrNoSegment},
		"a whole segment":     {m.Set("PID", "x"), hl7.ErrPath},
		"the delimiters":      {m.Set("MSH-2", "x"), hl7.ErrPath},
		"no escape":           {m.Set("PID-1", "a|b"), hl7.ErrNotEncodable},
		"no repetitions":      {m.Set("PID-1[2]", "x"), hl7.ErrNotEncodable},
		"no sub-components":   {m.Set("PID-1.1.2", "x"), hl7.ErrNotEncodable},
		"raw line end":        {m.SetRaw("PID-1", []byte("a\rb")), hl7.ErrNotEncodable},
		"raw, not UTF-8":      {m.SetRaw("PID-1", []byte("a\xffb")), hl7.ErrNotEncodable},
		"a segment's name":    {m.AddSegment("P|D"), hl7.ErrNotEncodable},
		"a second header":     {m.AddSegment("MSH"), hl7.ErrNotEncodable},
		"a field with a line": {m.AddSegment("NTE", "a\rb"), hl7.ErrNotEncodable},
	} {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
	if got := string(m.Encode()); got != "MSH|^|A\rPID|1\r" {
		t.Errorf("refused edits left %q", got)
	}
}

func TestAMessageIsWrittenInTheCharacterSetThatAnEditDeclares(t *testing.T) {
	for _, test := range []struct{ name, before, declare, value, want string }{
		{"another that has the characters", "8859/1", "8859/2", "\xfc", "\xfc"},
		{"UTF-8", "8859/1", "UNICODE UTF-8", "\xfc", "ü"},
		{"none, which is UTF-8", "8859/1", "", "\xfc", "ü"},
		{"none in place of UTF-8", "UNICODE UTF-8", "", "ü", "ü"},
		{"one in place of none", "", "8859/1", "ü", "\xfc"},
		{"one in place of a guess", "", "UNICODE UTF-8", "\xfc", "ü"},
		{"an escape is a byte of the new set", "8859/1", "8859/5", `\XD8\`, `\XD8\`},
	} {
		m := parse(t, "MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||"+test.before+"\rPID|1||"+test.value+"\r")
		if err := m.Set("MSH-18", test.declare); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		want := "MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||" + test.declare + "\rPID|1||" + test.want + "\r"
		if diff := cmp.Diff(want, string(m.Encode())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		back := parse(t, string(m.Encode()))
		if diff := cmp.Diff(back.Get("PID-3"), m.Get("PID-3")); diff != "" {
			t.Errorf("%s: the message says (+), what it writes (-):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(back.Charset(), m.Charset()); diff != "" {
			t.Errorf("%s: the message is in (+), what it writes (-):\n%s", test.name, diff)
		}
	}
}

func TestACharacterSetThatCannotWriteTheMessageIsRefused(t *testing.T) {
	for declare, want := range map[string]error{
		"8859/1":        hl7.ErrNotEncodable,
		"ISO IR87":      hl7.ErrNotEncodable,
		"CNS 11643":     hl7.ErrCharset,
		"no such set":   hl7.ErrCharset,
		"UNICODE UTF-9": hl7.ErrCharset,
	} {
		const before = "MSH|^~\\&|||||||ADT^A01|1|T|2.5||||||UNICODE UTF-8\rPID|1||5 €\r"
		m := parse(t, before)
		for edit, err := range map[string]error{
			"Set": m.Set("MSH-18", declare), "SetRaw": m.SetRaw("MSH-18", []byte(declare)),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%s of %q: %v, want %v", edit, declare, err, want)
			}
		}
		if got := string(m.Encode()); got != before || m.Get("PID-3") != "5 €" {
			t.Errorf("%q changed the message: %q", declare, got)
		}
	}
}

func TestTheErrorOfANewSegmentNamesTheFieldThatCannotBeWritten(t *testing.T) {
	m := parse(t, "MSH|^~\\&|A|||||"+"|ADT^A01|1|P|2.5||||||8859/1\rPID|1\r")
	before := string(m.Encode())
	err := m.InsertSegment(1, "NTE", "1", "", "表")
	if err == nil || !strings.Contains(err.Error(), "NTE-3:") {
		t.Errorf("got %v", err)
	}
	if after := string(m.Encode()); after != before {
		t.Errorf("a refused segment left %q", after)
	}
}

func TestANewSegmentHasTheLineEndOfTheHeader(t *testing.T) {
	for end, first := range map[string]string{"\r": "\r", "\n": "\n", "\r\n": "\r\n", "\r\n\n": "\r\n", "\n\r": "\n"} { // what follows is a blank line
		m := parse(t, "MSH|^~\\&|A||||||ADT^A01|1|P|2.5"+end+"PID|1\r")
		if err := m.AddSegment("NTE", "1"); err != nil {
			t.Fatal(err)
		}
		want := "MSH|^~\\&|A||||||ADT^A01|1|P|2.5" + end + "PID|1" + first + "NTE|1\r"
		if got := string(m.Encode()); got != want {
			t.Errorf("after %q: got %q, want %q", end, got, want)
		}
	}
}

func TestWithoutAnEscapeCharacterOnlyWhatNeedsOneIsRefused(t *testing.T) {
	for text, refused := range map[string]bool{"plain": false, "a\x00b": false, "a#b": false, "a^b": true, "a\rb": true} {
		m := parse(t, "MSH|^~~&#|A||||||ADT^A01|1|P|2.7\rPID|1\r") // the second ~ is off
		if m.Delimiters().Escape != 0 || m.Delimiters().Truncation != '#' {
			t.Fatalf("the delimiters are %+v", m.Delimiters())
		}
		if err := m.Set("PID-1", text); errors.Is(err, hl7.ErrNotEncodable) != refused {
			t.Errorf("%q: %v", text, err)
		}
	}
}
