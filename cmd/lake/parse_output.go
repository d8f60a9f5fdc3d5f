package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// jsonOutput writes a line of JSON for each message: where it is from, what its header
// says, and its segments in the lake's shape. A message that cannot be parsed is a line
// too.
type jsonOutput struct {
	enrich bool
	line   []byte
}

// origin comes before a message's content.
type origin struct {
	File    string        `json:"file"`
	Number  int           `json:"number"`
	Type    string        `json:"type,omitempty"`
	Version string        `json:"version,omitempty"`
	Charset string        `json:"charset,omitempty"`
	Error   *parseProblem `json:"error,omitempty"`
}

type parseProblem struct {
	Code    string `json:"code"`
	Line    int    `json:"line"`
	Segment int    `json:"segment,omitempty"`
	Path    string `json:"path,omitempty"`
	Offset  int    `json:"offset"`
}

func originOf(p parsed) origin {
	from := origin{File: p.file, Number: p.number}
	if wrong, ok := errors.AsType[*hl7.ParseError](p.err); ok {
		from.Error = &parseProblem{wrong.Code, wrong.Line, wrong.Segment, wrong.Path, wrong.Offset}
		return from
	}
	from.Type, from.Version, from.Charset = p.message.Type(), p.message.Version(), p.message.Charset().Used
	return from
}

func (o *jsonOutput) write(out *bufio.Writer, p parsed) error {
	head, err := json.Marshal(originOf(p))
	if err != nil {
		return err
	}
	o.line = append(o.line[:0], head...)
	if p.err == nil {
		o.line = append(o.line[:len(o.line)-1], `,"segments":`...)
		o.line = p.message.AppendJSON(o.line, o.shape(p.message))
		o.line = append(o.line, '}')
	}
	_, err = out.Write(append(o.line, '\n'))
	return err
}

func (o *jsonOutput) shape(message *hl7.Message) hl7.JSON {
	if !o.enrich {
		return hl7.JSON{}
	}
	return dictionary.Enrich(message, dictionary.Enrichment{Names: true, Values: true, Groups: true})
}

func (o *jsonOutput) end(*bufio.Writer, time.Duration, int64) error { return nil }

// valueOutput writes one value of each message. A message without it is an empty line, so
// that lines and messages correspond.
type valueOutput struct {
	text string // as the user wrote it
	path hl7.Path
	all  bool // repetitions: PID-3[*].1
	json bool
}

// newValueOutput reads a path, in which [*] stands for every repetition of the field.
func newValueOutput(text string, json bool) (*valueOutput, error) {
	plain, all := text, false
	if segment, rest, ok := strings.Cut(text, "-"); ok {
		if field, behind, starred := strings.Cut(rest, "[*]"); starred {
			plain, all = segment+"-"+field+behind, true
		}
	}
	path, err := hl7.ParsePath(plain)
	if err == nil && path.Field == 0 {
		err = fmt.Errorf("hl7: %w: %q names no field", hl7.ErrPath, text)
	}
	if err == nil && all && path.Repetition > 0 {
		err = fmt.Errorf("hl7: %w: %q names a repetition and all", hl7.ErrPath, text)
	}
	return &valueOutput{text: text, path: path, all: all, json: json}, err
}

// values returns the values at the path: one, or one for each repetition.
func (o *valueOutput) values(m *hl7.Message) []string {
	if !o.all {
		return []string{wholeValue(m, o.path)}
	}
	var values []string
	for n := range max(m.Repetitions(o.path), 1) {
		path := o.path
		path.Repetition = n + 1
		values = append(values, wholeValue(m, path))
	}
	return values
}

// wholeValue returns the text at a path. A field or a repetition that has parts is
// returned as it is in the message, with its delimiters and escapes; for a component it
// is the first part.
func wholeValue(m *hl7.Message, path hl7.Path) string {
	if path.Component > 0 {
		return m.GetAt(path)
	}
	raw, ok := m.RawAt(path)
	if header := path.Segment == "MSH" && path.Field <= 2; ok && !header {
		d := m.Delimiters()
		for _, c := range []byte{d.Repetition, d.Component, d.Subcomponent} {
			if c != 0 && bytes.IndexByte(raw, c) >= 0 {
				return string(raw)
			}
		}
	}
	return m.GetAt(path)
}

func (o *valueOutput) write(out *bufio.Writer, p parsed) error {
	if o.json {
		return o.writeJSON(out, p)
	}
	if p.err != nil {
		return nil
	}
	before := ""
	if p.several {
		before = p.place() + ": "
	}
	for _, value := range o.values(p.message) {
		if _, err := out.WriteString(before + term.OnOneLine(value) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

func (o *valueOutput) writeJSON(out *bufio.Writer, p parsed) error {
	line := struct {
		origin
		Path   string   `json:"path,omitempty"`
		Value  string   `json:"value"`
		Values []string `json:"values,omitempty"` // of all repetitions
	}{origin: originOf(p), Path: o.text}
	if p.err == nil && o.all {
		line.Values = o.values(p.message)
	} else if p.err == nil {
		line.Value = o.values(p.message)[0]
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}

func (o *valueOutput) end(*bufio.Writer, time.Duration, int64) error { return nil }

// prettyOutput writes a line for each value, under a line about the message. The paths
// are those that --path takes, and the names are those of the message's own version.
type prettyOutput struct {
	screen  term.Screen
	began   bool
	json    []byte
	version *dictionary.Version // of the message
}

func (o *prettyOutput) write(out *bufio.Writer, p parsed) error {
	if p.err != nil {
		return nil
	}
	if o.began {
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
	}
	o.began = true
	head := fmt.Sprintf("%s  %s  %s  %s, %d segments", o.screen.Styled(term.Bold, p.place()),
		p.message.Type(), cmp.Or(p.message.Version(), "no version"), p.message.Charset().Used, p.message.Len())
	if _, err := out.WriteString(head + "\n"); err != nil {
		return err
	}
	o.json = p.message.AppendJSON(o.json[:0], hl7.JSON{})
	var segments []jsonSegment
	if err := json.Unmarshal(o.json, &segments); err != nil {
		return err
	}
	o.version = dictionary.Of(p.message.Version())
	seen := map[string]int{}
	for _, segment := range segments {
		seen[segment.ID]++
		if err := o.segment(out, segment, seen[segment.ID]); err != nil {
			return err
		}
	}
	return nil
}

func (o *prettyOutput) end(*bufio.Writer, time.Duration, int64) error { return nil }

// jsonSegment is a segment in the lake's JSON.
type jsonSegment struct {
	ID     string                         `json:"id"`
	Fields map[string][]map[string]string `json:"fields"`
}

func (o *prettyOutput) segment(out *bufio.Writer, segment jsonSegment, occurrence int) error {
	name := segment.ID
	if occurrence > 1 {
		name += "[" + strconv.Itoa(occurrence) + "]"
	}
	if len(segment.Fields) == 0 {
		_, err := out.WriteString("  " + term.OnOneLine(name) + "\n")
		return err
	}
	for _, field := range slices.SortedFunc(maps.Keys(segment.Fields), compareNumbers) {
		repetitions := segment.Fields[field]
		for i, repetition := range repetitions {
			path, plain := name+"-"+field, segment.ID+"-"+field
			if len(repetitions) > 1 {
				path += "[" + strconv.Itoa(i+1) + "]"
			}
			if err := o.values(out, path, plain, repetition); err != nil {
				return err
			}
		}
	}
	return nil
}

// The widths of the columns of paths and values, and where the names begin. A longer path
// or value moves the rest of its line.
const (
	pathWidth  = 16
	valueWidth = 24
	nameIndent = 2 + pathWidth + 2 + valueWidth + 2
)

// values writes those of one repetition, which is at path; plain is the field's path
// without counts.
func (o *prettyOutput) values(out *bufio.Writer, path, plain string, repetition map[string]string) error {
	for _, number := range slices.SortedFunc(maps.Keys(repetition), compareNumbers) {
		here, element := path, plain
		if number != "1" || len(repetition) > 1 { // n is n.1 if there is nothing else
			here, element = here+"."+number, element+"."+number
		}
		path := fmt.Sprintf("  %-*s  ", pathWidth, term.OnOneLine(here))
		value := fmt.Sprintf("%-*s", valueWidth, term.OnOneLine(repetition[number]))
		names := o.names(o.version.Describe(element), utf8.RuneCountInString(path+value))
		line := o.screen.Styled(term.Dim, path) + value + "  " + o.screen.Styled(term.Dim, names[0])
		for _, name := range names[1:] {
			line = strings.TrimRight(line, " ") + "\n" + strings.Repeat(" ", nameIndent) + o.screen.Styled(term.Dim, name)
		}
		if _, err := out.WriteString(strings.TrimRight(line, " ") + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// names folds the name of an element into its column of the screen. The first text stands
// in the line of the value, which takes used columns with its path.
func (o *prettyOutput) names(name string, used int) []string {
	room := o.screen.Width - nameIndent
	if room <= 0 { // also if the width is not known
		return []string{name}
	}
	names := term.Fold(name, room)
	if used+2+utf8.RuneCountInString(names[0]) > o.screen.Width {
		names = append([]string{""}, names...)
	}
	return names
}

// compareNumbers orders "2" before "10" and "4" before "4.2".
func compareNumbers(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}
