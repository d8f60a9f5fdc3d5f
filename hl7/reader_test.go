package hl7_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

// readersOf return the same stream in pieces of different sizes.
func readersOf(input string) map[string]io.Reader {
	return map[string]io.Reader{
		"at once":      strings.NewReader(input),
		"byte by byte": iotest.OneByteReader(strings.NewReader(input)),
	}
}

// partsOf returns the parts of a stream that has no error of its own.
func partsOf(t interface{ Fatal(...any) }, stream io.Reader) iter.Seq[hl7.Part] {
	return func(yield func(hl7.Part) bool) {
		for r := hl7.NewReader(stream); ; {
			p, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !yield(p) {
				return
			}
		}
	}
}

// The mark § is where a part begins.
func TestAReaderTakesAStreamApart(t *testing.T) {
	for name, marked := range map[string]string{
		"one":                     "§MSH|^~\\&|A\rPID|1\r",
		"several":                 "§MSH|^~\\&|A\r\nPID|1\r\n\r\n§MSH|^~\\&|B\r\n§MSH|^~\\&|C",
		"LF":                      "§MSH|^~\\&|A\nPID|1\n\n§MSH|^~\\&|B\n",
		"batch":                   "§BHS|^~\\&|A\r§MSH|^~\\&|A\r§MSH|^~\\&|B\r§BTS|2\r",
		"file":                    "§FHS|^~\\&|A\n§BHS|^~\\&|A\n§MSH|^~\\&|A\nPID|1\n§BTS|1\n§FTS|1\n",
		"trailers without fields": "§BHS|^~\\&|A\r§MSH|^~\\&|A\r§BTS\r§FTS",
		"frames":                  "§\vMSH|^~\\&|A\rPID|1\r\x1c\r§\vMSH|^~\\&|B\r\x1c\r",
		"frames without CR":       "§\vMSH|^~\\&|A\rPID|1\x1c§\vMSH|^~\\&|B\x1c",
		"blanks before":           "§  \r\n MSH|^~\\&|A\r§  MSH|^~\\&|B\r",
		"byte order marks":        "§\ufeffMSH|^~\\&|A\r§\ufeffMSH|^~\\&|B\r",
		"no HL7 before":           "§Dear reader,\r\n§MSH|^~\\&|A\r",
		"MSH in a value":          "§MSH|^~\\&|A\rNTE|1|MSH|^~\\&|\rMSHA|x\r§MSH$*$A\r",
		"each its own delimiters": "§MSH|^~\\&|A\r§MSH$*@!%$A\r",
		"nothing":                 "",
		"blank":                   "§\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			input := strings.ReplaceAll(marked, "§", "")
			for reader, r := range readersOf(input) {
				var got strings.Builder
				parts := hl7.NewReader(r)
				for {
					p, err := parts.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					got.WriteString("§" + string(p.Data))
					if end := p.Offset + int64(len(p.Data)); parts.InputOffset() != end {
						t.Errorf("%s: offset %d after a part that ends at %d", reader, parts.InputOffset(), end)
					}
				}
				if diff := cmp.Diff(marked, got.String()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reader, diff)
				}
				if parts.InputOffset() != int64(len(input)) {
					t.Errorf("%s: offset %d at the end of %d bytes", reader, parts.InputOffset(), len(input))
				}
			}
		})
	}
}

func TestWhatCannotBeReadIsReportedAndTheRestIsRead(t *testing.T) {
	input := "Dear reader,\n" +
		"FHS|^~\\&|A\n" +
		"BHS|^~\\&|A\n" +
		"MSH|^~\\&|A|||||" + "|ADT^A01|1\n" +
		"\n" +
		"MSH|NOT|\n" +
		"MSH|^~\\&|A|||||" + "|ADT^A01|2\nPID|1\n" +
		"BTS|2\n" + // there are three
		"FTS|2\n"
	at := func(text string) int { return strings.Index(input, text) }
	var got []string
	for m, err := range hl7.NewReader(strings.NewReader(input)).Messages() {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, m.ControlID())
	}
	want := []string{
		"hl7: line 1, segment 1, offset 0: no-header: does not begin with an MSH segment",
		"1",
		fmt.Sprintf("hl7: line 6, segment 1, MSH-2, offset %d: bad-delimiters: unusable delimiters", at("NOT")),
		"2",
		fmt.Sprintf("hl7: line 9, BTS-1, offset %d: batch-count: the count differs from the trailer's", at("2\nFTS")),
		fmt.Sprintf("hl7: line 10, FTS-1, offset %d: file-count: the count differs from the trailer's", len(input)-2),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPartHasTheNameOfItsFirstSegment(t *testing.T) {
	input := "Dear reader,\rFHS|^~\\&|A\rBHS|^~\\&|A\r\vMSH|^~\\&|A\r\x1c\rBTS|1\rFTS\r"
	var got []string
	for parts := hl7.NewReader(strings.NewReader(input)); ; {
		p, err := parts.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Name())
	}
	if diff := cmp.Diff([]string{"", "FHS", "BHS", "MSH", "BTS", "FTS"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheCountOfATrailerIsReadWhateverEndsIt(t *testing.T) {
	for trailer, wrong := range map[string]bool{
		"BTS|1": false, "BTS|2": true, "BTS|2\n": true, "BTS|2\r\n": true, "BTS|2|a comment": true, "BTS| 1 |2": false, "BTS||2": false, "BTS|": false, "BTS": false,
	} {
		var got error
		for _, err := range hl7.NewReader(strings.NewReader("BHS|^~\\&|A\rMSH|^~\\&|A|||||" + "|ADT^A01|1\r" + trailer)).Messages() {
			got = errors.Join(got, err)
		}
		if errors.Is(got, hl7.ErrCount) != wrong || got != nil && !wrong {
			t.Errorf("%q: %v", trailer, got)
		}
	}
}

func TestTheErrorOfAPartWithoutAPlaceHasItsPlaceInThePart(t *testing.T) {
	var m hl7.Message
	err := hl7.NewReader(strings.NewReader("")).Check(&m, hl7.Part{Kind: hl7.Single, Data: []byte("MSH|NOT|")})
	if found, ok := errors.AsType[*hl7.ParseError](err); !ok || found.Line != 1 || found.Offset != 4 {
		t.Errorf("%v", err)
	}
}

func TestAMessageAsLargeAsTheLimitIsRead(t *testing.T) {
	const input = "MSH|^~\\&|A\r"
	for limit, want := range map[int]error{len(input): nil, len(input) - 1: hl7.ErrTooLarge} {
		r := hl7.NewReader(strings.NewReader(input))
		r.Limit = limit
		if _, err := r.Next(); !errors.Is(err, want) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestTheLimitIsThatOfEachMessage(t *testing.T) {
	const input = "MSH|^~\\&|A\r"
	r := hl7.NewReader(strings.NewReader(strings.Repeat(input, 100)))
	r.Limit = len(input)
	messages := 0
	for _, err := range r.Messages() {
		if err != nil {
			t.Fatal(err)
		}
		messages++
	}
	if messages != 100 {
		t.Errorf("%d messages", messages)
	}
}

// endless is a text that does not end, and counts how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestAMessageWithoutEndIsReadNotMuchFurtherThanTheLimit(t *testing.T) {
	text := &endless{}
	r := hl7.NewReader(io.MultiReader(strings.NewReader("MSH|^~\\&|A\rNTE|"), text))
	r.Limit = 1 << 20
	if _, err := r.Next(); !errors.Is(err, hl7.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if text.read > 4*r.Limit {
		t.Errorf("%d bytes are read", text.read)
	}
}

// silent is a stream from which nothing more comes.
type silent struct{ t *testing.T }

func (s silent) Read([]byte) (int, error) {
	s.t.Error("a message whose end is known waits for more")
	return 0, io.EOF
}

func TestAMessageIsReadAsSoonAsTheNextOneHasBegun(t *testing.T) {
	for length := 39; length < 50; length++ { // with which the streams have 64 bytes and more
		first := "\vMSH|^~\\&|" + strings.Repeat("x", length) + "\r\x1c\r"
		r := hl7.NewReader(io.MultiReader(strings.NewReader(first+"\vMSH|^~\\&#!|"), silent{t}))
		p, err := r.Next()
		if err != nil || string(p.Data) != first || p.Doubt != nil {
			t.Errorf("%q, %v, %v", p.Data, p.Doubt, err)
		}
	}
}

func TestAMessageOverTheLimitEndsTheStream(t *testing.T) {
	r := hl7.NewReader(strings.NewReader("MSH|^~\\&|A\rNTE|" + strings.Repeat("x", 10_000) + "\r"))
	r.Limit = 1000
	if _, err := r.Next(); !errors.Is(err, hl7.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	count := 0
	for _, err := range r.Messages() {
		if count++; !errors.Is(err, hl7.ErrTooLarge) {
			t.Errorf("error %v", err)
		}
	}
	if count != 1 {
		t.Errorf("%d errors, want one", count)
	}
}

func TestAStreamOfBlanksHasNoMessageAndNoFault(t *testing.T) {
	for name, input := range map[string]string{
		"line ends": "\r\n\r\n", "a space": " ", "a frame's end": "\x1c\r", "NULs": "\x00\x00", "a byte order mark": "\ufeff\r\n", "UTF-16": "\xff\xfe\r\x00\n\x00",
	} {
		r := hl7.NewReader(strings.NewReader(input))
		var got []hl7.Notice
		r.Tell = func(n hl7.Notice) { got = append(got, n) }
		for _, err := range r.Messages() {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]hl7.Notice{{Reason: hl7.Blank, Line: 1, Length: len(input)}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAStreamsOwnErrorComesThrough(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("MSH|^~\\&|A\rMSH|^~\\&|B\r"), iotest.ErrReader(io.ErrUnexpectedEOF))
	var errs []error
	messages := 0
	for _, err := range hl7.NewReader(broken).Messages() {
		if err != nil {
			errs = append(errs, err)
		} else {
			messages++
		}
	}
	if messages != 2 || len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
		t.Errorf("%d messages, errors %v", messages, errs)
	}
}
