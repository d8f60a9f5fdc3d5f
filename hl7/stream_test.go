package hl7_test

// This file is about Reader and streams of any shape, in reads of any size.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/hl7/growth"
)

// A feed is a stream that a sender might produce, and what is in it.
type feed struct {
	text     strings.Builder
	ids      []string // of the messages
	segments []int    // of each
	strays   int      // texts that belong to no message
}

// drawFeed draws messages with any line end, framed, in batches and bare, with text in
// them that looks like a header, and between them strays, spaces, NUL, FS and byte order
// marks.
func drawFeed(t *rapid.T) *feed {
	f := &feed{}
	f.strayMaybe(t)
	for range rapid.IntRange(1, 6).Draw(t, "pieces") {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			f.text.WriteString("\v")
			f.message(t)
			f.text.WriteString("\x1c\r")
			f.strayMaybe(t)
		case 1:
			end := rapid.SampledFrom([]string{"\r", "\n", "\r\n"}).Draw(t, "line end")
			f.text.WriteString(rapid.SampledFrom([]string{"BHS", "FHS"}).Draw(t, "header") + `|^~\&|A` + end)
			f.strayMaybe(t)
			f.message(t)
			f.text.WriteString(rapid.SampledFrom([]string{"BTS|1", "BTS", "FTS|1|done", "FTS"}).Draw(t, "trailer") + end)
			f.strayMaybe(t)
		default:
			f.message(t)
			f.text.WriteString(rapid.SampledFrom([]string{"", "\r\n\r\n", "\x00\x00", "\x00", "\x1c\r", "\x1c", "  ", "\t\r", "\ufeff"}).Draw(t, "between"))
			if strings.HasSuffix(f.text.String(), " ") || strings.HasSuffix(f.text.String(), "\ufeff") {
				f.message(t) // which spaces and marks come before
			}
		}
	}
	return f
}

func (f *feed) message(t *rapid.T) {
	id := fmt.Sprintf("M%d", len(f.ids)+1)
	end := rapid.SampledFrom([]string{"\r", "\n", "\r\n", "\n\r"}).Draw(t, "terminator")
	looks := rapid.SampledFrom([]string{
		"MSH: 12", "FHS: regular", "BTS: see", "MSHA|x", "FTS-3", "MSH", "BHS (old)", "plain text", "MSH,,", "MSH|^~\\&" + strings.Repeat("#", 9),
	})
	lines := []string{`MSH|^~\&|A|||||||` + id}
	for range rapid.IntRange(0, 4).Draw(t, "segments") {
		look := looks.Draw(t, "text")
		switch {
		case end == "\r" || end == "\r\n": // a bare LF is part of the value
			lines = append(lines, "OBX|1|TX|||Report:\n"+look+"\nend||F")
		case strings.HasPrefix(look, "MSH|"):
			lines = append(lines, "NTE|1||"+look)
		default: // each line is a segment
			lines = append(lines, "OBX|1|TX|||Report:", look, "end||F")
		}
	}
	f.ids, f.segments = append(f.ids, id), append(f.segments, len(lines))
	f.text.WriteString(strings.Join(lines, end) + end)
}

func (f *feed) strayMaybe(t *rapid.T) {
	if rapid.Bool().Draw(t, "stray") {
		f.strays++
		f.text.WriteString(rapid.SampledFrom([]string{"OBX|9|", "Dear reader ", "\x1c\r", "MSH5 "}).Draw(t, "begins") + "stray\r")
	}
}

func TestEveryByteOfAStreamIsInAMessageOrTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFeed(t)
		input := f.text.String()
		stream := io.Reader(strings.NewReader(input))
		if rapid.Bool().Draw(t, "in small pieces") {
			stream = iotest.HalfReader(iotest.OneByteReader(stream))
		}
		r := hl7.NewReader(stream)
		var outside strings.Builder
		covered := 0
		r.Tell = func(n hl7.Notice) {
			switch {
			case n.Reason == hl7.Unsure || n.Reason == hl7.Unreadable:
				t.Fatalf("%v in %q", n, input)
			case n.Length > 0 && int(n.Offset) != covered:
				t.Fatalf("%v: what is before it ended at %d in %q", n, covered, input)
			case n.Reason == hl7.Outside:
				outside.WriteString(input[n.Offset:][:n.Length])
			}
			covered += n.Length
		}
		var ids []string
		var segments []int
		for m, err := range r.Messages() {
			if err != nil {
				if !errors.Is(err, hl7.ErrNoHeader) && !errors.Is(err, hl7.ErrCount) {
					t.Fatalf("%v in %q", err, input)
				}
				continue
			}
			if !strings.HasPrefix(input[covered:], string(m.Encode())) {
				t.Fatalf("%q is not what stands at %d in %q", m.Encode(), covered, input)
			}
			covered += len(m.Encode())
			ids, segments = append(ids, m.ControlID()), append(segments, m.Len())
		}
		if covered != len(input) {
			t.Fatalf("%d bytes of %q are told", covered, input)
		}
		if diff := cmp.Diff(f.ids, ids) + cmp.Diff(f.segments, segments); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", input, diff)
		}
		if got := strings.Count(outside.String(), "stray"); got != f.strays {
			t.Fatalf("%d of %d strays are told of %q", got, f.strays, input)
		}
	})
}

// noise are the bytes that a scan decides by.
var noise = rapid.SampledFrom([]string{
	"MSH", "BHS", "FHS", "BTS", "FTS", `MSH|^~\&|A`, `BHS|^~\&|`, "MSH$*$A", "MSH|", "|^~\\&|", "PID|1", "x", "1",
	"\r", "\n", "\v", "\x1c", "\x00", " ", "\t", "\ufeff", "\xef", ":", "|", "\xff\xfe", "M\x00S\x00H\x00|\x00^\x00~\x00|\x00",
})

func TestTheSizeOfReadsChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		input := strings.Join(rapid.SliceOfN(noise, 0, 40).Draw(t, "noise"), "")
		var first []string
		for name, stream := range readersOf(input) {
			var parts []string
			length := 0
			for p := range partsOf(t, stream) {
				if length += len(p.Data); p.Offset != int64(length-len(p.Data)) {
					t.Fatalf("%s: a part at %d of %q", name, p.Offset, input)
				}
				parts = append(parts, fmt.Sprintf("%d %d %v %q", p.Kind, p.Line, p.Doubt, p.Data))
			}
			if length != len(input) {
				t.Fatalf("%s: %d bytes of %q", name, length, input)
			}
			if first == nil {
				first = parts
			}
			if diff := cmp.Diff(first, parts); diff != "" {
				t.Fatalf("%q:\n%s", input, diff)
			}
		}
	})
}

func TestAStreamInUTF16IsReadInPiecesOfAnySize(t *testing.T) {
	const before, message = "Dear reader, this is a letter.\r", "MSH|^~\\&|A|||||" + "|ADT^A01|7|P|2.5||||||UNICODE UTF-16\rPID|1||Müller 表\r"
	for name, test := range map[string]struct {
		encoding encoding.Encoding
		text     string
	}{
		"low byte first":            {unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), strings.Repeat(message, 3)},
		"high byte first":           {unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), strings.Repeat(message, 3)},
		"a mark, low byte first":    {unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), before + strings.Repeat(message, 3)},
		"a mark, high byte first":   {unicode.UTF16(unicode.BigEndian, unicode.UseBOM), before + strings.Repeat(message, 3)},
		"UTF-32, high byte first":   {utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), strings.Repeat(message, 3)},
		"bytes, after such a mark":  {encoding.Nop, "\xff\xfe" + before + strings.Repeat(message, 3)},
		"bytes, after another mark": {encoding.Nop, "\xfe\xff" + before + strings.Repeat(message, 3)},
	} {
		data, err := test.encoding.NewEncoder().String(test.text)
		if err != nil {
			t.Fatal(err)
		}
		for reader, stream := range readersOf(data) {
			var got []string
			for m, err := range hl7.NewReader(stream).Messages() {
				if err == nil {
					got = append(got, m.ControlID()+" "+m.Get("PID-3"))
				}
			}
			if diff := cmp.Diff([]string{"7 Müller 表", "7 Müller 表", "7 Müller 表"}, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, reader, diff)
			}
		}
	}
}

// repeated returns the same text again and again.
type repeated struct {
	text string
	left int
}

func (e *repeated) Read(p []byte) (n int, _ error) {
	for e.left > 0 && len(p)-n >= len(e.text) {
		n += copy(p[n:], e.text)
		e.left--
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestTheMemoryOfAReaderIsThatOfALargeMessage(t *testing.T) {
	for name, text := range map[string]string{
		"messages": "MSH|^~\\&|A\rOBX|1|TX|||MSH: x\nMSH: y\r" + strings.Repeat("NTE|1||x\r", 50),
		"frames":   "\vMSH|^~\\&|A\rPID|1\r\x1c\rOBX|1\r\x1c\r",
		"batches":  "BHS|^~\\&|A\rPID|1\rMSH|^~\\&|A\rBTS|1\r",
		"UTF-16":   string(utf16Of("MSH|^~\\&|A\rPID|1\r")),
	} {
		const total = 16 << 20
		r := hl7.NewReader(&repeated{text, total / len(text)})
		notices := 0
		r.Tell = func(hl7.Notice) { notices++ }
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		runtime.ReadMemStats(&after)
		if r.InputOffset() < total/2 {
			t.Errorf("%s: only %d bytes are read", name, r.InputOffset())
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes of memory for a stream of %d", name, used, total)
		}
	}
}

func TestReadingInSmallPiecesTakesLinearTime(t *testing.T) {
	for name, input := range worst {
		const size = 16 << 10
		first, second, linear := growth.Linear(size, func(size int) func() {
			data := input(size)
			return func() {
				r := hl7.NewReader(iotest.OneByteReader(bytes.NewReader(data)))
				for {
					if _, err := r.Next(); err != nil {
						return
					}
				}
			}
		})
		if !linear {
			t.Errorf("%s: %v for %d bytes, %v for %d times as many", name, first, size, second, growth.Times)
		}
	}
}
