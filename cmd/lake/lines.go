package main

import (
	"fmt"
	"strings"

	"hl7lake/cmd/lake/internal/term"
)

// note writes a text for a person, separate from the results.
func (p *program) note(text string) { fmt.Fprintln(p.err, p.err.Folded(text, 0)) }

// row writes a line of the results. If it is wider than the screen, it goes on below,
// indented by hang columns.
func (p *program) row(hang int, format string, args ...any) error {
	_, err := fmt.Fprintln(p.out, p.out.Folded(strings.TrimRight(fmt.Sprintf(format, args...), " "), hang))
	return err
}

// records writes the records of a log (log/slog, TextHandler) as lines that fit the
// screen.
type records struct{ screen term.Screen }

func (r records) Write(record []byte) (int, error) {
	const hang = 4
	if _, err := fmt.Fprintln(r.screen, r.screen.Folded(strings.TrimSuffix(string(record), "\n"), hang)); err != nil {
		return 0, err
	}
	return len(record), nil
}
