package hl7_test

// This file is about time and output, which are bounded by the size of the input.

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
	"hl7lake/hl7/growth"
)

// worst are inputs of about n bytes, each made of one thing only that a function might
// search again and again from its start.
var worst = map[string]func(n int) []byte{
	"repetitions of MSH-18":       inHeader("|||||||ADT^A01|1|T|2.5||||||", "~"),
	"character sets":              inHeader("|||||||ADT^A01|1|T|2.5||||||", "8859/1~"),
	"character sets with escapes": inHeader("\x1b|||||||ADT^A01|1|T|2.5||||||ASCII~", "ISO IR87x~"),
	"components of MSH-9":         inHeader("|||||||", "^"),
	"subcomponents of MSH-3":      inHeader("|", "&"),
	"fields of MSH":               inHeader("", "|"),
	"repetitions":                 inBody("PID|1||", "~"),
	"identifiers":                 inBody("PID|1||", "1^^^A^MR~"),
	"components":                  inBody("PID|1||", "^"),
	"subcomponents":               inBody("PID|1||", "&"),
	"fields":                      inBody("OBX|", "|"),
	"values":                      inBody("OBX|1|CE|", "a^b&c~|"),
	"typed values":                inBody("OBX|1|NM|||", "1~"),
	"escape characters":           inBody("NTE|1||", "\\"),
	"escape sequences":            inBody("NTE|1||", "\\T\\"),
	"sequences that are none":     inBody("NTE|1||", "\\ab c"),
	"hexadecimal escapes":         inBody("NTE|1||", "\\X41\\"),
	"one hexadecimal escape":      inBody("NTE|1||\\X", "41"),
	"line breaks":                 inBody("NTE|1||", "\\.br\\"),
	"control characters":          inBody("NTE|1||", "\x01"),
	"bytes beyond ASCII":          inBody("NTE|1||", "\xe4"),
	"blanks":                      inBody("NTE|1||", " "),
	"line feeds in a value":       inBody("NTE|1||", "\n"),
	"line feeds before a segment": inBody("NTE|1||", "\nPID"),
	"segments":                    inBody("", "NTE|1\r"),
	"segments of a group":         inBody("PID|1\r", "ORC|RE\rOBR|1\rOBX|1\r"),
	"segments out of place":       inBody("", "OBX|1\rPID|1\r"),
	"segments of no name":         inBody("", "x\r"),
	"blank lines":                 inBody("", "\r\n"),
	"messages":                    inBody("", "MSH|^~\\&|\r"),
	"frames":                      inBody("", "\x1c\r\x0bMSH|^~\\&|\r"),
	"ends of frames":              inBody("", "\x1c\r"),
	"batch trailers":              inBody("", "BTS|1\r"),
	"text like headers":           inBody("", "MSH: x\r"),
	"text like headers after LF":  inBody("NTE|1||", "\nMSH|x"),
	"headers broken":              inBody("", "MSH|x|\r"),
	"headers of batches":          inBody("", "BHS|^~\\&|\rPID|1\r"),
	"terminators in two styles":   inBody("", "PID|1\n\r"),
	"frames without an end":       inBody("", "\vMSH|^~\\&|\r"),
	"headers in a value":          inBody("NTE|", "MSH|^~\\&|"),
	"NUL":                         inBody("", "\x00"),
	"NUL and blanks":              inBody("", "\x00 "),
	"FS":                          inBody("", "\x1c"),
	"FS in a value":               inBody("NTE|", "\x1cx"),
	"byte order marks":            inBody("", "\ufeff"),
}

func inHeader(before, part string) func(int) []byte {
	return func(n int) []byte {
		return []byte("MSH|^~\\&" + before + strings.Repeat(part, n/len(part)) + "\rPID|1\r")
	}
}

func inBody(before, part string) func(int) []byte {
	return func(n int) []byte {
		return []byte("MSH|^~\\&|A|B|C|D|20260102||ORU^R01^ORU_R01|1|T|2.5.1\r" + before + strings.Repeat(part, n/len(part)) + "\r")
	}
}

// work are all functions that go through a message, by name. A function that needs a
// message does nothing if the input has none.
var work = map[string]func(data []byte){
	"Parse":     func(data []byte) { _, _ = hl7.Parse(data) },
	"ParseAs":   func(data []byte) { _ = new(hl7.Message).ParseAs("iso-8859-1", data) },
	"Peek":      func(data []byte) { hl7.Peek(data) },
	"Normalize": func(data []byte) { hl7.Normalize(nil, data) },
	"Reader": func(data []byte) {
		for _, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			_ = err // what is wrong with a part does not matter here
		}
	},
	"Header":     parsed(func(m *hl7.Message) { m.Header() }),
	"Charset":    parsed(func(m *hl7.Message) { m.Charset() }),
	"AppendJSON": parsed(func(m *hl7.Message) { m.AppendJSON(nil, hl7.JSON{}) }),
	"FromJSON":   parsed(func(m *hl7.Message) { _, _ = hl7.FromJSON(m.AppendJSON(nil, hl7.JSON{})) }),
	"Encode":     parsed(func(m *hl7.Message) { m.Encode() }),
	"Get":        parsed(func(m *hl7.Message) { m.Get("OBX[9]-5[9].9.9") }),
	"Set":        parsed(func(m *hl7.Message) { _ = m.Set("MSH-10", "another") }),
	"Values": parsed(func(m *hl7.Message) {
		for i := range m.Len() {
			for range m.Segment(i).Values() {
				continue
			}
		}
	}),
	"Acknowledge": parsed(func(m *hl7.Message) {
		_, _ = m.Acknowledge(hl7.Ack{Code: hl7.ApplicationAccept, ControlID: "1", Time: time.Unix(0, 0)})
	}),
	"Validate": parsed(func(m *hl7.Message) {
		dictionary.Of("2.5.1").Validate(m, dictionary.Lenient)
	}),
	"Validate strictly": parsed(func(m *hl7.Message) {
		dictionary.Of("2.5.1").Validate(m, dictionary.Strict)
	}),
}

func parsed(do func(*hl7.Message)) func([]byte) {
	return func(data []byte) {
		if m, err := hl7.Parse(data); err == nil {
			do(m)
		}
	}
}

func TestTheTimeOfEveryFunctionGrowsWithItsInputOnly(t *testing.T) {
	const size = 16 << 10
	for name, do := range work {
		for kind, input := range worst {
			first, second, linear := growth.Linear(size, func(size int) func() {
				data := input(size)
				return func() { do(data) }
			})
			if !linear {
				t.Errorf("%s of %s: %v for %d bytes, %v for %d times as many", name, kind, first, size, second, growth.Times)
			}
		}
	}
}

func TestTheTextOfAMessageIsNotMuchLongerThanTheMessage(t *testing.T) {
	for name, input := range map[string]func(int) []byte{
		"lines":              inBody("NTE|1||", `\.sp255\`),
		"blanks":             inBody("NTE|1||", `\.sk200\`),
		"zeros in front":     inBody("NTE|1||", `\.sp0255\`),
		"one after another":  inBody("NTE|1||", `x\.sp99\y|`),
		"each after a start": inBody("NTE|1||", `\.s\.sp255\`),
	} {
		m, err := hl7.Parse(input(256 << 10))
		var refused *hl7.ParseError
		if !errors.As(err, &refused) || refused.Code != "layout" || refused.Segment != 2 || refused.Offset == 0 {
			t.Errorf("%s: %v, %v", name, m, err)
		}
		if m, err = hl7.Parse(input(1024)); err != nil || len(m.AppendJSON(nil, hl7.JSON{})) < 2048 {
			t.Errorf("%s: a few of them are refused or not followed: %v", name, err)
		}
	}
}

func TestFormattingCommandsMayStandFor65536LineEndsAndNoMore(t *testing.T) {
	const limit = 64 << 10
	for n, refused := range map[int]bool{limit: false, limit + 1: true} {
		_, err := hl7.Parse([]byte("MSH|^~\\&|A\rNTE|1||" + strings.Repeat(`\.sp\`, n) + "\r"))
		if errors.Is(err, hl7.ErrLayout) != refused {
			t.Errorf("%d line ends: %v", n, err)
		}
	}
}

func TestJSONStopsAtItsLimit(t *testing.T) {
	m, err := hl7.Parse(inBody("", "A\r")(100_000))
	if err != nil {
		t.Fatal(err)
	}
	const limit = 10_000
	if n := len(m.AppendJSON([]byte("before"), hl7.JSON{Limit: limit})) - len("before"); n <= limit || n > limit+100 {
		t.Errorf("%d bytes", n)
	}
	whole := m.AppendJSON(nil, hl7.JSON{})
	if !bytes.Equal(m.AppendJSON(nil, hl7.JSON{Limit: len(whole)}), whole) {
		t.Error("a limit that is kept changes the JSON")
	}
}

func TestTheSegmentThatExceedsTheLimitIsTheLastInTheJSON(t *testing.T) {
	segments := []string{"MSH|^~\\&|A\r", "PID|1\r", "PV1|1|I\r", "NTE|1||a text\r"}
	for limit := 1; limit < 400; limit++ {
		var want []byte
		for n := 1; n <= len(segments) && len(want) <= limit; n++ {
			want = parse(t, strings.Join(segments[:n], "")).AppendJSON(nil, hl7.JSON{})
		}
		got := parse(t, strings.Join(segments, "")).AppendJSON([]byte("before"), hl7.JSON{Limit: limit})
		if diff := cmp.Diff("before"+string(want), string(got)); diff != "" {
			t.Fatalf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
}
