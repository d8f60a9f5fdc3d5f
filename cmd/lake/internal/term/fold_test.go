package term

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestALineIsFoldedBetweenWordsAndIndentedBelowItself(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		hang int
		want string
	}{
		"short":                   {"one two", 4, "one two"},
		"between words":           {"one two three four five six seven", 0, "one two three four five six\nseven"},
		"with a hanging indent":   {"409  some/file  duplicate of another", 5, "409  some/file  duplicate of\n     another"},
		"below its indentation":   {"  one two three four five six seven", 2, "  one two three four five six\n    seven"},
		"each line by itself":     {"one\none two three four five six seven", 0, "one\none two three four five six\nseven"},
		"a long word stays":       {"in /a/very/long/path/that/is/wider.hl7 it is", 0, "in\n/a/very/long/path/that/is/wider.hl7\nit is"},
		"a style takes no room":   {markOf(Bad) + "one two three four five six!" + markOf(Plain), 0, markOf(Bad) + "one two three four five six!" + markOf(Plain)},
		"an escape takes its own": {"one two three four five \x1b\x1b", 0, "one two three four five\n\x1b\x1b"},
	} {
		if diff := cmp.Diff(test.want, Screen{Width: 30}.Folded(test.text, test.hang)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := (Screen{}).Folded(test.text, test.hang); got != test.text {
			t.Errorf("%s: folded for a width that is not known: %q", name, got)
		}
	}
}

// TestFoldingKeepsEveryWord tries random texts and screens.
func TestFoldingKeepsEveryWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.StringMatching(`[a-zé/:\x1b]{1,30}`)).Draw(t, "words"), " ")
		width, hang := rapid.IntRange(1, 120).Draw(t, "width"), rapid.IntRange(0, 30).Draw(t, "hang")
		folded := Screen{Width: width}.Folded(text, hang)
		if diff := cmp.Diff(strings.Fields(text), strings.Fields(folded)); diff != "" {
			t.Fatalf("words (-want +got):\n%s", diff)
		}
		for line := range strings.SplitSeq(folded, "\n") {
			if columns(line) > max(width, leastRoom+hang) && strings.Contains(strings.TrimSpace(line), " ") {
				t.Fatalf("%d columns on %d: %q", columns(line), width, line)
			}
		}
	})
}

func TestTheWidthIsWhatTheEnvironmentAsksFor(t *testing.T) {
	for value, want := range map[string]int{"": 0, "80": 80, "0": 0, "-3": 0, "wide": 0} {
		screen := NewScreen(&bytes.Buffer{}, func(name string) string { return map[string]string{"COLUMNS": value}[name] })
		if screen.Width != want || screen.Live || screen.Colour {
			t.Errorf("COLUMNS=%q: %+v", value, screen)
		}
	}
}
