package bill

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteMarkdown writes the bill as a table: a row for each line that is not
// free, the sum of each service, and the total.
func (b Bill) WriteMarkdown(w io.Writer) error {
	var text strings.Builder
	text.WriteString("| service | what | quantity | USD |\n|---|---|--:|--:|\n")
	for i, line := range b.Lines {
		if i > 0 && b.Lines[i-1].Service != line.Service {
			b.writeSum(&text, b.Lines[i-1].Service)
		}
		what := line.Unit
		if line.Detail != "" {
			what += ": " + line.Detail
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %.2f |\n", line.Service, what, quantity(line.Quantity), line.USD)
		if i == len(b.Lines)-1 {
			b.writeSum(&text, line.Service)
		}
	}
	fmt.Fprintf(&text, "| **total** | | | **%.2f** |\n", b.USD())
	_, err := io.WriteString(w, text.String())
	return err
}

// writeSum adds the sum of a service that has more than one line.
func (b Bill) writeSum(text *strings.Builder, service string) {
	var lines int
	var usd float64
	for _, line := range b.Lines {
		if line.Service == service {
			lines++
			usd += line.USD
		}
	}
	if lines > 1 {
		fmt.Fprintf(text, "| *%s* | | | *%.2f* |\n", service, usd)
	}
}

// quantity writes a number with its thousands apart.
func quantity(n float64) string {
	digits := fmt.Sprintf("%.0f", math.Round(n))
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
