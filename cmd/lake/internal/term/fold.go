package term

import (
	"strings"
	"unicode/utf8"
)

// narrow is the width assumed for a screen of unknown width.
const narrow = 80

// leastRoom is the least width of a folded text in columns, however narrow the screen.
const leastRoom = 24

// columns returns how many columns a text takes on a screen. The mark of a style takes
// none. A control character takes those of the text that replaces it.
func columns(text string) int {
	n := 0
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			n += len(`\x00`)
		case styleMark <= r && r < styleMark+rune(len(styles)):
		case control(r):
			n += len(escaped(r))
		default:
			n++
		}
	}
	return n
}

// Folded breaks the lines of a text that are wider than the screen, between words. The
// part after a break is indented like its line, and by hang columns more. No word is
// broken, so that paths and ids can be copied. If the width is not known, as in a file or
// a pipe, each line stays one line.
func (s Screen) Folded(text string, hang int) string {
	if s.Width <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if columns(line) <= s.Width {
			continue
		}
		bare := strings.TrimLeft(line, " ")
		own := len(line) - len(bare)
		first, rest := s.Width-own, s.Width-own-hang
		indent := "\n" + strings.Repeat(" ", own+hang)
		lines[i] = line[:own] + strings.Join(fold(spaced(bare), max(first, leastRoom), max(rest, leastRoom)), indent)
	}
	return strings.Join(lines, "\n")
}

// Paragraph folds a text for a screen of unknown width.
func Paragraph(text string) string { return Screen{Width: narrow}.Folded(text, 0) }

// Fold breaks a text into lines of at most that many columns: between words, and within a
// longer word after a mark such as a slash.
func Fold(text string, most int) []string { return fold(words(text), most, most) }

// fold puts words into lines, as many as fit. The first line may have another width than
// the others.
func fold(words []string, first, others int) []string {
	var lines []string
	line, room := "", first
	for _, word := range words {
		if line != "" && columns(line)+columns(strings.TrimRight(word, " ")) > room {
			lines = append(lines, strings.TrimRight(line, " "))
			line, room = "", others
		}
		line += word
	}
	return append(lines, strings.TrimRight(line, " "))
}

// words splits a text where a line may end: after spaces, slashes and colons.
func words(text string) []string {
	return split(text, func(at, next byte) bool {
		return at == ' ' && next != ' ' || strings.IndexByte("/:", at) >= 0 && strings.IndexByte("/: ", next) < 0
	})
}

// spaced splits a text after spaces.
func spaced(text string) []string {
	return split(text, func(at, next byte) bool { return at == ' ' && next != ' ' })
}

// split splits a text after each byte where a line may end, given that byte and the next.
func split(text string, ends func(at, next byte) bool) []string {
	var all []string
	start := 0
	for i := range len(text) - 1 {
		if ends(text[i], text[i+1]) {
			all = append(all, text[start:i+1])
			start = i + 1
		}
	}
	return append(all, text[start:])
}
