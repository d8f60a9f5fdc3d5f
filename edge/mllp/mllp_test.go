package mllp_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"hl7lake/edge/mllp"
)

// heard is what a Reader makes of a stream.
type heard struct {
	Frames  []string // "too large:" stands before the first bytes of one that is
	Skipped int64
	End     error
}

func hear(r io.Reader, limit int) (h heard) {
	frames := mllp.NewReader(r, limit)
	for {
		content, err := frames.Next()
		switch {
		case errors.Is(err, mllp.ErrTooLarge):
			h.Frames = append(h.Frames, "too large:"+string(content))
		case err != nil:
			h.Skipped, h.End = frames.Skipped(), err
			return h
		default:
			h.Frames = append(h.Frames, string(content))
		}
	}
}

func TestAReaderTakesFramesOutOfWhatSendersWrite(t *testing.T) {
	const limit = 12
	for name, test := range map[string]struct {
		stream string
		want   heard
	}{
		"nothing":                        {"", heard{End: io.EOF}},
		"one":                            {"\vMSH|a\r\x1c\r", heard{Frames: []string{"MSH|a\r"}, End: io.EOF}},
		"several":                        {"\va\x1c\r\vb\x1c\r", heard{Frames: []string{"a", "b"}, End: io.EOF}},
		"empty":                          {"\v\x1c\r", heard{Frames: []string{""}, End: io.EOF}},
		"line ends between":              {"\r\n\va\x1c\r\r\n\vb\x1c\r\n", heard{Frames: []string{"a", "b"}, End: io.EOF}},
		"noise around":                   {"hello\va\x1c\rbye", heard{Frames: []string{"a"}, Skipped: 8, End: io.EOF}},
		"an end and no frame":            {"a\x1c\r\vb\x1c\r", heard{Frames: []string{"b"}, Skipped: 2, End: io.EOF}},
		"cut off":                        {"\va\x1c\r\vb", heard{Frames: []string{"a"}, End: io.ErrUnexpectedEOF}},
		"cut off in its end":             {"\va\x1c", heard{End: io.ErrUnexpectedEOF}},
		"FS in the content":              {"\va\x1cb\x1c\x1c\r", heard{Frames: []string{"a\x1cb\x1c"}, End: io.EOF}},
		"LF for CR":                      {"\va\x1c\n\vb\x1c\n", heard{Frames: []string{"a", "b"}, End: io.EOF}},
		"no CR":                          {"\va\x1c\vb\x1c\r", heard{Frames: []string{"a", "b"}, End: io.EOF}},
		"begun twice":                    {"\va\vb\x1c\r", heard{Frames: []string{"a\vb"}, End: io.EOF}},
		"of the limit":                   {"\v0123456789ab\x1c\r", heard{Frames: []string{"0123456789ab"}, End: io.EOF}},
		"too large, then another":        {"\v0123456789abc\x1c\r\vb\x1c\r", heard{Frames: []string{"too large:0123456789abc", "b"}, End: io.EOF}},
		"too large, and FS in it":        {"\v0123456789abcdef\x1cg\x1c\r\vb\x1c\r", heard{Frames: []string{"too large:", "b"}, End: io.EOF}},
		"much too large":                 {"\v" + strings.Repeat("x", 1<<20) + "\x1c\r\vb\x1c\r", heard{Frames: []string{"too large:", "b"}, End: io.EOF}},
		"too large, and without an end":  {"\v" + strings.Repeat("x", 1<<20), heard{End: io.ErrUnexpectedEOF}},
		"noise without end, then frames": {strings.Repeat("x", 1<<20) + "\va\x1c\r", heard{Frames: []string{"a"}, Skipped: 1 << 20, End: io.EOF}},
	} {
		for pieces, r := range map[string]io.Reader{
			"at once": strings.NewReader(test.stream),
			"by byte": iotest.OneByteReader(strings.NewReader(test.stream)),
			"by half": iotest.HalfReader(strings.NewReader(test.stream)),
			"and end": iotest.DataErrReader(strings.NewReader(test.stream)),
		} {
			got := hear(r, limit)
			for i, frame := range got.Frames { // how much of such a frame is there depends on the pieces
				if strings.HasPrefix(frame, "too large:0123456789ab") && name != "too large, then another" || strings.HasPrefix(frame, "too large:x") {
					got.Frames[i] = "too large:"
				}
				if strings.HasPrefix(frame, "too large:0123456789abc") && name == "too large, then another" {
					got.Frames[i] = "too large:0123456789abc"
				}
			}
			if diff := cmp.Diff(test.want, got, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, pieces, diff)
			}
		}
	}
}

// TestAFrameIsGivenBeforeTheNextByteComes is what a sender that waits for its answer
// needs.
func TestAFrameIsGivenBeforeTheNextByteComes(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write(mllp.AppendFrame(nil, []byte("MSH|"))) }()
	content, err := mllp.NewReader(r, 100).Next()
	if err != nil || string(content) != "MSH|" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestTheErrorOfAStreamIsThatOfTheReader(t *testing.T) {
	broken := errors.New("broken")
	got := hear(io.MultiReader(strings.NewReader("\va\x1c\r\vb"), iotest.ErrReader(broken)), 100)
	if len(got.Frames) != 1 || !errors.Is(got.End, broken) {
		t.Errorf("%+v", got)
	}
}

func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"\va\x1c\r",
		"\va\x1c\r\vb\x1c\r",                // several at once
		"\va",                               // torn
		"\va\vb\x1c\r",                      // torn, and begun again
		"\v\va\x1c\x1c\r\r",                 // each byte of the frame twice
		"hello\r\n\va\x1c\r???\vb\x1c\rbye", // garbage between
		"\va\x1cb\x1c\r",                    // an FS that is content
		"\va\x1c\n\vb\x1c\vc\x1c\r",         // ends that some senders write
		"\x1c\r\x1c\r",                      // ends without a beginning
		"\v\x1c\r",                          // nothing in it
		"\v0123456789abcdef\x1c\v\x1c\r",    // too large
		"\v0123456789abcdef\x1c\r\va\x1c\r", // and another one behind it
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 8
		ended := mllp.AppendFrame(append(bytes.Clone(stream), "\x1c\r"...), []byte("good"))
		if frames := hear(bytes.NewReader(ended), limit).Frames; len(frames) == 0 || frames[len(frames)-1] != "good" {
			t.Fatalf("a good frame is lost: %q", frames)
		}
		whole, pieces := hear(bytes.NewReader(stream), limit), hear(iotest.OneByteReader(bytes.NewReader(stream)), limit)
		for _, h := range []*heard{&whole, &pieces} {
			for i, frame := range h.Frames {
				if strings.HasPrefix(frame, "too large:") {
					h.Frames[i] = "too large:"
				} else if len(frame) > limit {
					t.Fatalf("a frame of %d bytes", len(frame))
				}
			}
		}
		if diff := cmp.Diff(whole, pieces, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
			t.Fatalf("the size of reads changes what is read (-whole +pieces):\n%s", diff)
		}
	})
}

func TestWhatIsFramedIsReadAgain(t *testing.T) {
	want := []string{"MSH|^~\\&|A\rPID|1\r", "", "MSH|^~\\&|B\r"}
	var stream []byte
	for _, content := range want {
		stream = mllp.AppendFrame(stream, []byte(content))
	}
	if diff := cmp.Diff(want, hear(bytes.NewReader(stream), 100).Frames); diff != "" {
		t.Error(diff)
	}
}
