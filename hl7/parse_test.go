package hl7_test

// This file is about Parse, which is in message.go and scan.go, and the errors that it
// returns.

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

// segmentsOf writes a message for comparison in a test: with | between segments.
func segmentsOf(m *hl7.Message) string {
	var raw []string
	for i := range m.Len() {
		raw = append(raw, string(m.Segment(i).Raw()))
	}
	return strings.Join(raw, " ¶ ")
}

func TestSegmentsEndAtAnyLineEndButALineFeedInAValueStays(t *testing.T) {
	const msh = `MSH|^~\&|A`
	for name, test := range map[string]struct{ input, want string }{
		"cr":                            {msh + "\rPID|1\rPV1|2\r", msh + " ¶ PID|1 ¶ PV1|2"},
		"lf":                            {msh + "\nPID|1\nPV1|2\n", msh + " ¶ PID|1 ¶ PV1|2"},
		"crlf":                          {msh + "\r\nPID|1\r\nPV1|2\r\n", msh + " ¶ PID|1 ¶ PV1|2"},
		"lfcr":                          {msh + "\n\rPID|1\n\rPV1|2\n\r", msh + " ¶ PID|1 ¶ PV1|2"},
		"no ending":                     {msh + "\rPID|1\rPV1|2", msh + " ¶ PID|1 ¶ PV1|2"},
		"header alone":                  {msh, msh},
		"mixed, LF first":               {msh + "\nPID|1\rPV1|2\r\nZZZ|3\n", msh + " ¶ PID|1 ¶ PV1|2 ¶ ZZZ|3"},
		"mixed, CR first":               {msh + "\rPID|1\nPV1|2\r\nZZZ|3\r", msh + " ¶ PID|1 ¶ PV1|2 ¶ ZZZ|3"},
		"LF in a value":                 {msh + "\rNTE|1||one\ntwo|x\rPV1|2\r", msh + " ¶ NTE|1||one\ntwo|x ¶ PV1|2"},
		"LF in a value, a word of 3":    {msh + "\rOBX|3||MEAN\nVOL|1\rPV1|2\r", msh + " ¶ OBX|3||MEAN\nVOL|1 ¶ PV1|2"},
		"LF in a value, CRLF":           {msh + "\r\nNTE|1||one\ntwo\r\nPV1|2\r\n", msh + " ¶ NTE|1||one\ntwo ¶ PV1|2"},
		"LF in the header, a word of 3": {msh + "\nAaa|C\rPV1|2\r", msh + "\nAaa|C ¶ PV1|2"},
		"LF, then a name alone":         {msh + "\rNTE|1||one\nAL1|", msh + " ¶ NTE|1||one ¶ AL1|"},
		"blanks, LF, CR":                {msh + "\rPID|1 \t\n\rPV1|2\r", msh + " ¶ PID|1 \t ¶ PV1|2"},
		"LF in the header":              {msh + "\nB|C\rPV1|2\r", msh + "\nB|C ¶ PV1|2"},
		"LF ends, wrapped line":         {msh + "\nNTE|1||one\ntwo words\nPV1|2\n", msh + " ¶ NTE|1||one ¶ two words ¶ PV1|2"},
		"blank lines":                   {"\r\n\r\n" + msh + "\r\r\rPID|1\r\n \t\r\nPV1|2\r\r", msh + " ¶ PID|1 ¶ PV1|2"},
		"leading blanks":                {"  " + msh + "\r  PID|1\r\tPV1|2\r", msh + " ¶ PID|1 ¶ PV1|2"},
		"trailing blanks stay":          {msh + " \rPID|1  \r", msh + "  ¶ PID|1  "},
		"byte order mark":               {"\ufeff" + msh + "\rPID|1\r", msh + " ¶ PID|1"},
		"MLLP frame":                    {"\v" + msh + "\rPID|1\r\x1c\r", msh + " ¶ PID|1"},
		"MLLP frame, no final CR":       {"\v" + msh + "\rPID|1\x1c", msh + " ¶ PID|1"},
		"MLLP frame, then blanks":       {"\v" + msh + "\rPID|1\r\x1c\r \t", msh + " ¶ PID|1"},
		"FS in a value of a frame":      {"\v" + msh + "\rPID|1\x1cx|\x1cy\rPV1|2\r\x1c\r", msh + " ¶ PID|1\x1cx|\x1cy ¶ PV1|2"},
		"MSH inside a value":            {msh + "\rNTE|1||MSH|^~\\&|x\rPV1|MSH\r", msh + " ¶ NTE|1||MSH|^~\\&|x ¶ PV1|MSH"},
		"a line that is no segment":     {msh + "\rsee overleaf\rPV1|2\r", msh + " ¶ see overleaf ¶ PV1|2"},
		"a name of four letters":        {msh + "\rABCD|x\rPV1|2\r", msh + " ¶ ABCD|x ¶ PV1|2"},
		"control characters in values":  {msh + "\x00\x01\rNTE|\t|\x7f\x1f\r", msh + "\x00\x01 ¶ NTE|\t|\x7f\x1f"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := hl7.Parse([]byte(test.input))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, segmentsOf(m)); diff != "" {
				t.Errorf("segments (-want +got):\n%s", diff)
			}
			if string(m.Encode()) != test.input {
				t.Errorf("Encode: %q", m.Encode())
			}
			checkJSON(t, m)
		})
	}
}

// The mark § is where the error is.
func TestAnErrorNamesItsPlace(t *testing.T) {
	for name, test := range map[string]struct {
		input string
		want  hl7.ParseError
	}{
		"nothing":              {"§", hl7.ParseError{Code: "empty", Line: 1, Segment: 1, Err: hl7.ErrEmpty}},
		"blanks":               {"\r\n \r\n§", hl7.ParseError{Code: "empty", Line: 3, Segment: 1, Err: hl7.ErrEmpty}},
		"text":                 {"§This is not HL7", hl7.ParseError{Code: "no-header", Line: 1, Segment: 1, Err: hl7.ErrNoHeader}},
		"another segment":      {"\n§PID|1\r", hl7.ParseError{Code: "no-header", Line: 2, Segment: 1, Err: hl7.ErrNoHeader}},
		"a word":               {"§MSHELL|^~\\&|", hl7.ParseError{Code: "no-header", Line: 1, Segment: 1, Err: hl7.ErrNoHeader}},
		"no MSH-1":             {"MSH§", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrTruncatedHeader}},
		"no MSH-2":             {"MSH|§", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrTruncatedHeader}},
		"line ends in MSH-2":   {"MSH|^~§\r\\&|A", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-3", Err: hl7.ErrTruncatedHeader}},
		"no MSH-3":             {"MSH|^~\\&§", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-3", Err: hl7.ErrTruncatedHeader}},
		"empty MSH-2":          {"MSH|§|A", hl7.ParseError{Code: "bad-delimiters", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrDelimiters}},
		"letters in MSH-2":     {"MSH|§^~X&|A", hl7.ParseError{Code: "bad-delimiters", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrDelimiters}},
		"seven in MSH-2":       {"MSH|§^~\\&#!?|A", hl7.ParseError{Code: "bad-delimiters", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrDelimiters}},
		"a line end":           {"MSH§\r|^~\\&|A", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-2", Err: hl7.ErrTruncatedHeader}},
		"one in MSH-2, no end": {"MSH|^§", hl7.ParseError{Code: "truncated-header", Line: 1, Segment: 1, Path: "MSH-3", Err: hl7.ErrTruncatedHeader}},
		"blank MSH-1":          {"MSH§ ^~\\& A", hl7.ParseError{Code: "bad-delimiters", Line: 1, Segment: 1, Path: "MSH-1", Err: hl7.ErrDelimiters}},
		"two messages":         {"MSH|^~\\&|A\rPID|1\r\n§MSH|^~\\&|B\r", hl7.ParseError{Code: "batch", Line: 3, Segment: 3, Path: "MSH", Err: hl7.ErrSeveralMessages}},
		"a batch":              {"§BHS|^~\\&|A\rMSH|^~\\&|A\r", hl7.ParseError{Code: "batch", Line: 1, Segment: 1, Path: "BHS", Err: hl7.ErrSeveralMessages}},
		"a trailer":            {"MSH|^~\\&|A\r§BTS|1\r", hl7.ParseError{Code: "batch", Line: 2, Segment: 2, Path: "BTS", Err: hl7.ErrSeveralMessages}},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.Offset = strings.Index(test.input, "§")
			_, err := hl7.Parse([]byte(strings.Replace(test.input, "§", "", 1)))
			var got *hl7.ParseError
			if !errors.As(err, &got) {
				t.Fatalf("error %v", err)
			}
			if *got != test.want {
				t.Errorf("\n got %+v\nwant %+v", *got, test.want)
			}
			if !errors.Is(err, test.want.Err) {
				t.Error("the error does not unwrap to its kind")
			}
		})
	}
}

func TestNoErrorHoldsContent(t *testing.T) {
	for _, input := range []string{
		"Testperson", "PID|1||Testperson", "MSH|Testperson|A", "MSHTestperson", "MSH Testperson", "MSH|Testperson",
		"MSH|^~\\&|A\rMSH|Testperson\r", "BHS|Testperson",
	} {
		_, err := hl7.Parse([]byte(input))
		if err == nil {
			t.Errorf("%q is a message", input)
		} else if strings.Contains(err.Error(), "Testperson") {
			t.Errorf("%q: %v", input, err)
		}
	}
	if _, err := hl7.FromJSON([]byte(`[{"id":"Testperson","fields":"Testperson"}]`)); err == nil || strings.Contains(err.Error(), "Testperson") {
		t.Errorf("FromJSON: %v", err)
	}
}
