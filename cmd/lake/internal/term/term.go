// Package term is what a person sees of lake: tables, colours and a line of progress. It
// lets no control character of the shown text through. Colour and progress appear on a
// terminal only, and never if the environment has NO_COLOR (no-color.org).
package term

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Style is how a text looks if there is colour.
type Style string

// The styles, ECMA-48 SGR parameters.
const (
	Plain Style = ""
	Bold  Style = "1"
	Dim   Style = "2"
	Good  Style = "32" // green
	Bad   Style = "31" // red
	Note  Style = "33" // yellow
)

// Screen is a writer that knows what it can show.
type Screen struct {
	io.Writer
	Colour bool // styles are shown
	Live   bool // a line can be overwritten
	Width  int  // columns; 0 if unknown
}

// NewScreen finds out what w can show: plain text only, unless it is a terminal. If the
// environment has COLUMNS, that is its width, terminal or not (POSIX.1-2024, 8.3).
func NewScreen(w io.Writer, getenv func(string) string) Screen {
	width, err := strconv.Atoi(getenv("COLUMNS"))
	asked := err == nil && width > 0
	if !asked {
		width = 0
	}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || getenv("TERM") == "dumb" {
		return Screen{Writer: w, Width: width}.Clean()
	}
	if found, _, err := term.GetSize(int(file.Fd())); err == nil && !asked {
		width = found
	}
	plain := getenv("NO_COLOR") != ""
	return Screen{Writer: w, Colour: !plain, Live: !plain, Width: width}.Clean()
}

// Styled returns text in a style, or unchanged if there is no colour.
func (s Screen) Styled(style Style, text string) string {
	if !s.Colour || style == Plain || text == "" {
		return text
	}
	return markOf(style) + text + markOf(Plain)
}
