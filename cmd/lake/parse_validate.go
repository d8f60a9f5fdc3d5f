package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7/dictionary"
)

// validation lists where messages depart from the version that they name. Its output
// holds no content unless values are asked for.
type validation struct {
	screen term.Screen
	json   bool
	strict bool
	values bool // are shown

	checked, departing int
}

// finding is a departure from the standard, for programs.
type finding struct {
	Rule    string `json:"rule"`
	Segment int    `json:"segment,omitempty"`
	Path    string `json:"path"`
	Detail  string `json:"detail,omitempty"`
	Value   string `json:"value,omitempty"` // with --values
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
		return v.writeFindings(out, p, findings)
	}
	for _, found := range findings {
		const hang = 4
		line := v.screen.Folded(fmt.Sprintf("%s: %s%s", p.place(), found, v.value(p, found)), hang)
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// value returns the value at the place of a finding, to be shown after it; "" if values
// are not shown.
func (v *validation) value(p parsed, found dictionary.Finding) string {
	if !v.values || found.Path.Field == 0 {
		return ""
	}
	return ": " + term.OnOneLine(strconv.Quote(wholeValue(p.message, found.Path)))
}

func (v *validation) writeFindings(out *bufio.Writer, p parsed, findings []dictionary.Finding) error {
	line := struct {
		origin
		Findings []finding `json:"findings"`
	}{originOf(p), []finding{}}
	for _, found := range findings {
		line.Findings = append(line.Findings, finding{string(found.Rule), found.Segment, found.Path.String(), found.Detail, ""})
		if last := &line.Findings[len(line.Findings)-1]; v.values && found.Path.Field > 0 {
			last.Value = wholeValue(p.message, found.Path)
		}
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
