package term

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// The text of a Screen goes through a cleaner. It is the one place that keeps what a
// message or a file's name holds from controlling a terminal (ECMA-48): it writes control
// characters as Go and JSON do. In the text, styles are marked by characters that no text
// may have, so that only this program's own styles become escape sequences.

// The noncharacters U+FDD0 and following (Unicode 16, 23.7) mark where a style begins;
// the first of them marks where it ends. A text that holds one can change its own colour,
// and nothing else.
const styleMark = '\ufdd0'

var styles = [...]Style{Plain, Bold, Dim, Good, Bad, Note}

func markOf(style Style) string {
	for i, s := range styles {
		if s == style {
			return string(styleMark + rune(i))
		}
	}
	return ""
}

// control reports whether a character may control a terminal, or show text in another
// order than it is written (Unicode Standard Annex 9, 2).
func control(r rune) bool {
	return unicode.IsControl(r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// cleaner writes text that is safe for a terminal. It is safe for concurrent use.
type cleaner struct {
	mu     sync.Mutex
	w      io.Writer
	colour bool
	begun  []byte // the bytes of a character that is not complete yet
	line   []byte // reused memory
}

// Clean returns a screen that cleans everything written to it.
func (s Screen) Clean() Screen {
	if _, is := s.Writer.(*cleaner); !is {
		s.Writer = &cleaner{w: s.Writer, colour: s.Colour}
	}
	return s
}

// Raw returns the screen's own writer, for content that must arrive unchanged and for
// this program's own control sequences.
func (s Screen) Raw() io.Writer {
	if c, is := s.Writer.(*cleaner); is {
		return c.w
	}
	return s.Writer
}

// Flush writes the bytes of an incomplete character.
func (s Screen) Flush() error {
	c, is := s.Writer.(*cleaner)
	if !is {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(nil, true)
}

func (c *cleaner) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.write(p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *cleaner) write(p []byte, last bool) error {
	if len(c.begun)+len(p) == 0 { // writing nothing may block, for example on a pipe
		return nil
	}
	if len(c.begun) == 0 && plain(p) {
		_, err := c.w.Write(p)
		return err
	}
	text := append(c.begun, p...)
	c.line = c.line[:0]
	for len(text) > 0 && (last || utf8.FullRune(text)) {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			c.line = fmt.Appendf(c.line, `\x%02x`, text[0])
		} else {
			c.line = c.appendRune(c.line, r)
		}
		text = text[n:]
	}
	c.begun = append([]byte(nil), text...)
	_, err := c.w.Write(c.line)
	return err
}

// plain reports whether a text is ASCII without control characters.
func plain(p []byte) bool {
	for _, b := range p {
		if (b < ' ' && b != '\n' && b != '\t') || b >= 0x7f {
			return false
		}
	}
	return true
}

func (c *cleaner) appendRune(dst []byte, r rune) []byte {
	if i := int(r - styleMark); 0 <= i && i < len(styles) {
		if !c.colour {
			return dst
		}
		return append(dst, "\x1b["+string(max(styles[i], "0"))+"m"...)
	}
	if r == '\n' || r == '\t' || !control(r) {
		return utf8.AppendRune(dst, r)
	}
	return append(dst, escaped(r)...)
}

// escaped returns a control character as text: below the space as Go writes it, else in a
// form that JSON has too, because the text may be JSON.
func escaped(r rune) string {
	switch {
	case r == '\r':
		return `\r`
	case r < ' ':
		return fmt.Sprintf(`\x%02x`, r)
	default:
		return fmt.Sprintf(`\u%04x`, r)
	}
}

// OnOneLine writes every control character of a text as text, including line ends and
// tabs, so that it is one value on one line.
func OnOneLine(text string) string {
	if !strings.ContainsFunc(text, control) {
		return text
	}
	var line strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			line.WriteString(`\n`)
		case r == '\t':
			line.WriteString(`\t`)
		case control(r):
			line.WriteString(escaped(r))
		default:
			line.WriteRune(r)
		}
	}
	return line.String()
}
