package main

import (
	"fmt"
	"strings"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
)

// noticesShown is how many places of a file are shown one by one.
const noticesShown = 10

// noticed is what a file of several messages holds besides them.
type noticed struct {
	Outside    int   `json:"outside"`    // stretches that belong to no message
	Bytes      int64 `json:"bytes"`      // bytes in these
	Lookalikes int   `json:"lookalikes"` // lines that begin like a header, but are text
	Unsure     int   `json:"unsure"`     // places where it is not certain how the file divides
}

func (c *noticed) add(n hl7.Notice) {
	switch n.Reason {
	case hl7.Outside:
		c.Outside++
		c.Bytes += int64(n.Length)
	case hl7.Lookalike:
		c.Lookalikes++
	case hl7.Unsure:
		c.Unsure++
	}
}

func (c *noticed) total() int { return c.Outside + c.Lookalikes + c.Unsure }

func (c *noticed) String() string {
	var parts []string
	if c.Outside > 0 {
		parts = append(parts, fmt.Sprintf("skipped, as in no message: %d bytes in %d places", c.Bytes, c.Outside))
	}
	if c.Lookalikes > 0 {
		parts = append(parts, fmt.Sprintf("kept as text, though like a header: %d lines", c.Lookalikes))
	}
	if c.Unsure > 0 {
		parts = append(parts, fmt.Sprintf("not certain how to divide: %d places", c.Unsure))
	}
	return strings.Join(parts, "; ")
}

// place describes a notice without the file's content.
func place(file string, n hl7.Notice) string {
	at := fmt.Sprintf("%s: line %d, offset %d: ", term.OnOneLine(file), n.Line, n.Offset)
	switch n.Reason {
	case hl7.Outside:
		return at + fmt.Sprintf("skipped %d bytes, which belong to no message", n.Length)
	case hl7.Lookalike:
		return at + "kept as text, though it begins like a header"
	default:
		return at + string(n.Reason)
	}
}
