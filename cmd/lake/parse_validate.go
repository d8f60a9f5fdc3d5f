package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"time"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7/dictionary"
)

// validation lists where messages depart from the version that they name. What
// it writes holds no content.
type validation struct {
	screen term.Screen
	json   bool
	strict bool

	checked, departing int
}

// finding is a departure for machines.
type finding struct {
	Rule    string `json:"rule"`
	Segment int    `json:"segment,omitempty"`
	Path    string `json:"path"`
	Detail  string `json:"detail,omitempty"`
}

func (v *validation) write(out *bufio.Writer, p parsed) error {
	var findings []dictionary.Finding
	if p.err == nil {
		level := dictionary.Lenient
		if v.strict {
			level = dictionary.Strict
		}
		findings = dictionary.Of(p.message.Version()).Validate(p.message, level)
		v.checked++
	}
	if len(findings) > 0 {
		v.departing++
	}
	if v.json {
		return writeFindings(out, p, findings)
	}
	for _, found := range findings {
		if _, err := fmt.Fprintf(out, "%s: %s\n", p.place(), found); err != nil {
			return err
		}
	}
	return nil
}

func writeFindings(out *bufio.Writer, p parsed, findings []dictionary.Finding) error {
	line := struct {
		origin
		Findings []finding `json:"findings"`
	}{originOf(p), []finding{}}
	for _, found := range findings {
		line.Findings = append(line.Findings, finding{string(found.Rule), found.Segment, found.Path.String(), found.Detail})
	}
	return json.NewEncoder(out).Encode(line)
}

func (v *validation) end(out *bufio.Writer, _ time.Duration, _ int64) error {
	if !v.json {
		style := term.Good
		if v.departing > 0 {
			style = term.Bad
		}
		if _, err := fmt.Fprintln(out, v.screen.Styled(style, fmt.Sprintf("%d of %d messages depart from the standard", v.departing, v.checked))); err != nil {
			return err
		}
	}
	if v.departing > 0 {
		return errReported
	}
	return nil
}
