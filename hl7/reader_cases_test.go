package hl7_test

// This file is about streams that were reported to break readers, given to Reader.

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

// heard is what a Reader says about a stream.
type heard struct {
	Messages []string // MSH-10, or the error's code, with its place as the test's input marks it
	Segments []int
	Notices  []hl7.Reason
}

func hear(data []byte) (h heard) {
	r := hl7.NewReader(bytes.NewReader(data))
	r.Tell = func(n hl7.Notice) {
		if n.Reason != hl7.Blank && n.Reason != hl7.Envelope {
			h.Notices = append(h.Notices, n.Reason)
		}
	}
	for m, err := range r.Messages() {
		if e := (*hl7.ParseError)(nil); errors.As(err, &e) {
			h.Messages = append(h.Messages, e.Code)
			continue
		}
		h.Messages = append(h.Messages, m.ControlID())
		h.Segments = append(h.Segments, m.Len())
	}
	return h
}

func TestTheReaderLosesNothingOfTheReportedStreams(t *testing.T) {
	for name, want := range map[string]heard{
		"lf-file-wrapped-line-begins-like-header": {[]string{"C1"}, []int{6}, []hl7.Reason{hl7.Lookalike}},
		"lf-then-word-like-header-abbreviation":   {[]string{"C1"}, []int{5}, []hl7.Reason{hl7.Lookalike, hl7.Lookalike, hl7.Lookalike}},
		"batch-orphan-segments-after-bhs":         {[]string{"no-header", "M9"}, []int{4}, []hl7.Reason{hl7.Outside}},
		"mllp-stray-result-after-frame":           {[]string{"M1", "no-header", "M2"}, []int{4, 4}, []hl7.Reason{hl7.Outside}},
		"nul-between-messages-no-frames":          {[]string{"M1", "M2", "M3"}, []int{4, 4, 4}, nil},
		"concatenated-without-any-separator":      {[]string{"M1", "unsure"}, []int{10}, []hl7.Reason{hl7.Unsure}},
		"charset-utf16le-two-messages":            {[]string{"CS1", "CS1"}, []int{2, 2}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, hear(readCase(t, name))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The mark § is where a part begins, ? before one whose message is in doubt.
func TestTextThatLooksLikeAHeaderIsTextAndWhatIsInNoMessageIsAPart(t *testing.T) {
	const a, b = `MSH|^~\&|A`, `MSH|^~\&|B`
	for name, marked := range map[string]string{
		"a word and a colon":               "§" + a + "\rNTE|1||x\rMSH: 12\rBTS: see\rFHS-x\r§" + b + "\r",
		"the same after LF":                "§" + a + "\nNTE|1||x\nMSH: 12\nBTS: see\nFHS-x\n§" + b + "\n",
		"a word and a blank":               "§" + a + "\rNTE|1||x\rBTS of the ward\rFHS of it\r§" + b + "\r",
		"LF in a value":                    "§" + a + "\rNTE|1||x\nMSH|see\nBTS\nFHS|x\rPV1|1\r§" + b + "\r",
		"another header after LF":          "§" + a + "\rPV1|1\n§" + b + "\rPV1|1\n",
		"a batch that ends after LF":       "§" + a + "\rPV1|1\n§BTS|1\n",
		"a trailer after LF, then no more": "§" + a + "\rPV1|1\nBTS",
		"a header broken":                  "§?" + a + "\rPV1|1\r§?MSH|see|\rPV1|2\r§" + b + "\r",
		"a header broken in a frame":       "§?\v" + a + "\rPV1|1\r§?\vMSH|see|\rPV1|2\r\x1c\r§\v" + b + "\r\x1c\r",
		"a header broken after a batch":    "§BHS|^~\\&|A\r§MSH|see|\rPV1|2\r§" + b + "\r",
		"segments before any message":      "§PID|1\rPV1|1\r§" + a + "\r",
		"segments in a batch":              "§BHS|^~\\&|A\r§PID|1\rOBX|1\r§" + a + "\r§BTS|1\r\r\n§OBX|2\r§FTS|1\r",
		"text behind a frame":              "§\v" + a + "\r\x1c\r§OBX|1\r\x1c\r§\v" + b + "\r\x1c\r§ 3 messages",
		"a frame without a header":         "§\vPID|1\r\x1c\r§\v" + b + "\r\x1c\r",
		"a frame without an end":           "§?\v" + a + "\rPV1|1\r§\v" + b + "\r\x1c\r",
		"a frame cut off":                  "§?\v" + a + "\rPV1|1",
		"a batch in a frame":               "§\vBHS|^~\\&|A\r§" + a + "\r§" + b + "\r§BTS|2\r\x1c\r",
		"an end without a frame":           "§" + a + "\r\x1c\r§" + b + "\r\x1c\r",
		"an end without a frame, text":     "§?" + a + "\r\x1c\r§OBX|1\r",
		"NUL between":                      "§" + a + "\r\x00\x00§" + b + "\r\x00",
		"NUL instead of a line end":        "§" + a + "\rPV1|1\x00§" + b + "\x00",
		"NUL in a value":                   "§" + a + "\rNTE|\x00MSH\x00|\r§" + b + "\r",
		"FS in a value":                    "§\v" + a + "\rNTE|\x1cMSH: \x1c|\r\x1c\r§\v" + b + "\r\x1c\r",
		"FS far into a value":              "§\v" + a + "\rNTE|" + strings.Repeat("x", 64) + "\x1cMSH: \x1c|\r\x1c\r§\v" + b + "\r\x1c\r",
		"FS at the start of a line":        "§" + a + "\rNTE|1\r\x1cx|1\r§" + b + "\r",
		"blanks before the first":          "§" + strings.Repeat(" ", 62) + a + "\rPID|1\r§" + b + "\r",
		"blanks after the last frame":      "§\v" + a + "\r\x1c\r§  ",
		"FS, blanks, NUL":                  "§" + a + "\r\x1c\r\n\x00\x1c§  " + b + "\r",
		"a header broken at the start":     "§MSH|see\rPV1|1\r§" + b + "\r",
		"a header of a name alone":         "§MSH|\rPV1|1\r§" + b + "\r",
		"a header directly after one":      "§?" + a[:9] + b + "\rPV1|1\r",
		"a header after a blank":           "§" + a + "\rNTE|1||see MSH|^~\\&|x\r",
		"a quoted header in one line":      "§" + a + "\rNTE|1||see \"MSH|^~\\&|x\" (MSH|^~\\&|y)\r",
		"a header against a letter":        "§?" + a + "\rOBX|1||FMSH|^~\\&|B\rPID|1\r§" + b + "\r",
		"a header against a separator":     "§?" + a + "\rOBX|1||MSH|^~\\&|B\rPID|1\r§" + b + "\r",
		"a header against a bracket":       "§?" + a + "\rOBX|1||(x)MSH|^~\\&|B\rPID|1\r§" + b + "\r",
		"blanks without end":               "§" + a + "\r" + strings.Repeat(" ", 600) + "x\r§" + strings.Repeat(" ", 600) + b,
	} {
		t.Run(name, func(t *testing.T) {
			input := strings.NewReplacer("§", "", "?", "").Replace(marked)
			kinds := map[string][]hl7.PartKind{}
			for reader, r := range readersOf(input) {
				var got strings.Builder
				for p := range partsOf(t, r) {
					kinds[reader] = append(kinds[reader], p.Kind)
					got.WriteString("§")
					if p.Doubt != nil {
						got.WriteString("?")
					}
					got.Write(p.Data)
				}
				if diff := cmp.Diff(marked, got.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reader, diff)
				}
			}
			if diff := cmp.Diff(kinds["at once"], kinds["byte by byte"]); diff != "" {
				t.Errorf("kinds (-at once +byte by byte):\n%s", diff)
			}
		})
	}
}

// The mark § is where the fault is, in the stream and in what the Reader reports.
func TestAReadersErrorsAndNoticesHaveThePlaceOfTheFault(t *testing.T) {
	const first = "MSH|^~\\&|A\r\nPV1|1\r\n"
	for code, marked := range map[string]string{
		"no-header":        "BHS|^~\\&|A\r\n" + first[:0] + "\r\n§PID|1\r\nPV1|1\r\n" + first,
		"bad-delimiters":   first + "\r\nMSH|§see|\r\n",
		"truncated-header": first + "  MSH|^~\\&§",
		"unsure":           first + "\vMSH|^~\\&|B\r\n§\v" + first + "\x1c\r",
		"batch-count":      "BHS|^~\\&|A\r\n" + first + "BTS|§5\r\n",
	} {
		offset := strings.Index(marked, "§")
		line := 1 + strings.Count(marked[:offset], "\r\n")
		input := strings.Replace(marked, "§", "", 1)
		for name, data := range map[string][]byte{"bytes": []byte(input), "UTF-16": utf16Of(input)} {
			want := offset
			if name == "UTF-16" {
				want = 2 * offset
				if !strings.HasPrefix(input, "M") {
					continue // which begins with no message
				}
			}
			found := false
			for _, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
				if e := (*hl7.ParseError)(nil); errors.As(err, &e) && e.Code == code {
					if found = true; e.Offset != want || e.Line != line {
						t.Errorf("%s in %s: line %d, offset %d, want %d, %d", code, name, e.Line, e.Offset, line, want)
					}
				}
			}
			if !found {
				t.Errorf("%s in %s: no such error", code, name)
			}
		}
	}
}

func TestANoticeHasThePlaceOfTheLineThatItIsAbout(t *testing.T) {
	const before, line = "MSH|^~\\&|A\r\nPV1|1\r\nMSH|^~\\&|B\r\nPV1|1\r\n", "BTS: see\r\nFHS: see\r\n"
	for _, test := range []struct {
		name          string
		data          []byte
		first, second int64
	}{
		{"bytes", []byte(before + line), int64(len(before)), int64(len(before) + len(line)/2)},
		{"UTF-16", utf16Of(before + line), int64(2 * len(before)), int64(2*len(before) + len(line))},
	} {
		var got []hl7.Notice
		r := hl7.NewReader(bytes.NewReader(test.data))
		r.Tell = func(n hl7.Notice) { got = append(got, n) }
		for _, err := range r.Messages() {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		want := []hl7.Notice{{Reason: hl7.Lookalike, Offset: test.first, Line: 5}, {Reason: hl7.Lookalike, Offset: test.second, Line: 6}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func utf16Of(ascii string) []byte {
	var wide []byte
	for _, c := range []byte(ascii) {
		wide = append(wide, c, 0)
	}
	return wide
}

func TestAMessageThatItsStreamCutsOffIsInDoubt(t *testing.T) {
	r := hl7.NewReader(io.MultiReader(strings.NewReader("MSH|^~\\&|A\rMSH|^~\\&|B\rPID"), &broken{}))
	var doubts []bool
	for {
		p, err := r.Next()
		if err != nil {
			break
		}
		doubts = append(doubts, p.Doubt != nil)
	}
	if diff := cmp.Diff([]bool{false, true}, doubts); diff != "" {
		t.Error(diff)
	}
}

// A header that cannot be read is in doubt, and so is the end of the message before it.
// The mark § is where.
func TestNoLaterDoubtHidesTheFirstOne(t *testing.T) {
	for name, marked := range map[string]string{
		"the stream breaks off":      "MSH|^~\\&|A\r§MSH|see|\rPID",
		"text follows a frame's end": "MSH|^~\\&|A\r§MSH|see|\r\x1c\rOBX|1\r",
		"its frame does not end":     "\vMSH|^~\\&|A\r§MSH|see|\rPID|1\r",
	} {
		stream := io.Reader(strings.NewReader(strings.Replace(marked, "§", "", 1)))
		if strings.HasSuffix(marked, "PID") {
			stream = io.MultiReader(stream, &broken{})
		}
		doubts := 0
		for r := hl7.NewReader(stream); ; {
			p, err := r.Next()
			if err != nil {
				break
			}
			if p.Kind != hl7.Single {
				continue
			}
			if doubts++; p.Doubt == nil || p.Doubt.Offset != strings.Index(marked, "§") {
				t.Errorf("%s: %q is in doubt for %v", name, p.Data, p.Doubt)
			}
		}
		if doubts != 2 {
			t.Errorf("%s: %d messages", name, doubts)
		}
	}
}

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestATerminatorInTwoStylesIsInNoValue(t *testing.T) {
	const msh = "MSH|^~\\&|A\r"
	for name, input := range map[string]string{
		"LF CR":              msh + "PID|1||X\n\rPV1|2\n\r",
		"LF at the end":      msh + "PID|1||X\n",
		"LF CR LF":           msh + "PID|1||X\n\r\nPV1|2\r",
		"LF, blanks, CR":     msh + "PID|1||X\n \t\rPV1|2\r",
		"LF, blank, CR":      msh + "PID|1||X\n \rPV1|2\r",
		"LF, blanks, end":    "MSH|^~\\&|A\nPID|1||X\n\t\r",
		"LF LF CR":           msh + "PID|1||X\n\n\rPV1|2\r",
		"LF before a frame":  "\v" + msh + "PID|1||X\n\x1c\r",
		"LF, all LF CR":      "MSH|^~\\&|A\n\rPID|1||X\n\rPV1|2\n\r",
		"NUL at the end":     msh + "PID|1||X\x00",
		"LF, NUL at the end": msh + "PID|1||X\n\x00",
	} {
		m, err := hl7.Parse([]byte(input))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := m.Get("PID-3"); got != "X" || string(m.Encode()) != input {
			t.Errorf("%s: PID-3 is %q", name, got)
		}
		normal, err := hl7.Parse(hl7.Normalize(nil, []byte(input)))
		if err != nil {
			t.Errorf("%s: normalized: %v", name, err)
			continue
		}
		if diff := cmp.Diff(segmentsOf(m), segmentsOf(normal)); diff != "" {
			t.Errorf("%s: (-parsed +normalized):\n%s", name, diff)
		}
	}
}

func TestParseRefusesWhatStandsBehindAFrame(t *testing.T) {
	input := "\vMSH|^~\\&|A\rPID|1\r\x1c\rOBX|1\r\x1c\r"
	_, err := hl7.Parse([]byte(input))
	var e *hl7.ParseError
	if !errors.As(err, &e) || !errors.Is(err, hl7.ErrOutside) || e.Offset != strings.Index(input, "OBX") || e.Line != 4 {
		t.Errorf("%v", err)
	}
}
