package term

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestControlCharactersAreWrittenAsText(t *testing.T) {
	for in, want := range map[string]string{
		"plain\n\ttext\n":          "plain\n\ttext\n",
		"a\x1b[2Jb":                `a\x1b[2Jb`,
		"\x1b]0;title\a":           `\x1b]0;title\x07`,
		"over\rwritten":            `over\rwritten`,
		"\x00\b\v\f\x1c\x7f":       `\x00\x08\x0b\x0c\x1c\u007f`,
		"csi \u009b31m \u0085":     `csi \u009b31m \u0085`,
		"bidi \u202egnp.exe\u2066": `bidi \u202egnp.exe\u2066`,
		"latin \xe9\x9b":           `latin \xe9\x9b`,
		"Ελένη ü 漢 \u200f":         "Ελένη ü 漢 \u200f",
		"cut \xe2\x82":             `cut \xe2\x82`,
	} {
		var out bytes.Buffer
		screen := Screen{Writer: &out}.Clean()
		if _, err := io.WriteString(screen, in); err != nil {
			t.Fatal(err)
		}
		if err := screen.Flush(); err != nil || out.String() != want {
			t.Errorf("%q: %q, want %q (%v)", in, out.String(), want, err)
		}
	}
}

// TestNothingReachesATerminalRaw holds for any text, in any pieces.
func TestNothingReachesATerminalRaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOf(rapid.OneOf(
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.String(), rapid.SampledFrom([]string{"\x1b[31m", "\u009b", "é", "\xc2", "\r"}),
		)).Draw(t, "pieces")
		colour := rapid.Bool().Draw(t, "colour")
		var out, whole bytes.Buffer
		for _, to := range []*bytes.Buffer{&out, &whole} {
			screen := Screen{Writer: to, Colour: colour}.Clean()
			if to == &whole {
				_, _ = io.WriteString(screen, strings.Join(pieces, ""))
			} else {
				for _, piece := range pieces {
					_, _ = io.WriteString(screen, piece)
				}
			}
			_ = screen.Flush()
		}
		if out.String() != whole.String() {
			t.Fatalf("in pieces %q, as a whole %q", out.String(), whole.String())
		}
		if !utf8.Valid(out.Bytes()) || strings.ContainsFunc(out.String(), func(r rune) bool { return r != '\n' && r != '\t' && control(r) }) {
			t.Fatalf("raw: %q", out.String())
		}
	})
}

func TestStylesPassAndTheirTextIsCleaned(t *testing.T) {
	var out bytes.Buffer
	screen := Screen{Writer: &out, Colour: true}.Clean()
	_, _ = io.WriteString(screen, screen.Styled(Bad, "a\x1b[0mb")+"\x1b[32m")
	if want := "\x1b[31m" + `a\x1b[0mb` + "\x1b[0m" + `\x1b[32m`; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestATableFitsItsScreenWithoutFoldingWords(t *testing.T) {
	table := NewTable("TIME", ">SIZE", "OBJECT")
	key := "staging/protocol=hl7v2/source=st-elsewhere/date=2026-11-25/4c2072a5-53a0-5c39-96c1-0792470a09c3.json"
	table.Row(Text("2026-11-25 13:12:51.238Z"), Text("2.6 kB"), Text(key))
	table.Row(Text("x"), Text("1"), Text("some words of a reason that is rather long, and then some more of it"))
	for _, width := range []int{0, 80, 100} {
		var out bytes.Buffer
		if err := table.Write(Screen{Writer: &out, Width: width}); err != nil {
			t.Fatal(err)
		}
		most := width
		if width == 0 {
			most = 80
		}
		var objects strings.Builder
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if n := utf8.RuneCountInString(line); n > most {
				t.Errorf("%d of %d columns: %s", n, most, line)
			}
			if at := strings.Index(out.String(), "OBJECT"); len(line) > at {
				objects.WriteString(line[at:])
			}
		}
		if !strings.Contains(objects.String(), key) {
			t.Errorf("the key is not whole when its lines are joined:\n%s", out.String())
		}
		for _, word := range strings.Fields("some words of a reason that is rather long, and then some more of it") {
			if !strings.Contains(out.String(), word) {
				t.Errorf("%q is folded:\n%s", word, out.String())
			}
		}
	}
}
