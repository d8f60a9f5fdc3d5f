package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"hl7lake/hl7/dictionary/internal/facts"
)

// How the npm package writes its tables.
type (
	npmField struct {
		Type        string `json:"datatype"`
		Description string `json:"desc"`
		Usage       int    `json:"opt"`
		Repetitions int    `json:"rep"`
		Length      int    `json:"len"`
		Table       int    `json:"table"`
	}
	npmComposite struct {
		Description string     `json:"desc"`
		Fields      []npmField `json:"fields"`
		Components  []npmField `json:"subfields"`
	}
	npmNode struct {
		Name     string    `json:"name"`
		Min      int       `json:"min"`
		Max      int       `json:"max"`
		Children []npmNode `json:"children"`
		Choice   []npmNode `json:"compounds"`
	}
	npmMessage struct {
		Description string `json:"desc"`
		Segments    struct {
			Segments []npmNode `json:"segments"`
		} `json:"segments"`
	}
	npmTable struct {
		Description string            `json:"desc"`
		Values      map[string]string `json:"values"`
	}
)

// readNPM reads the package's lib folder. It has one set of code tables for all versions,
// which the model gives to the last version.
func readNPM(lib string) (*model, error) {
	m := newModel()
	for _, version := range versions {
		segments, types, messages := map[string]npmComposite{}, map[string]npmComposite{}, map[string]npmMessage{}
		for file, into := range map[string]any{"segments.js": &segments, "fields.js": &types, "messages.js": &messages} {
			if err := read(filepath.Join(lib, version, file), into); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		for name, s := range segments {
			m.segments[version][name] = s.definition(s.Fields)
		}
		for name, t := range types {
			m.types[version][name] = t.definition(t.Components)
		}
		for name, s := range messages {
			root := &facts.Node{Times: ' '}
			var err error
			if root.Children, err = nodes(s.Segments.Segments); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", name, version, err)
			}
			m.structures[version][name] = &structure{clean(s.Description), root}
		}
	}
	known := map[string]npmTable{}
	if err := read(filepath.Join(lib, "tables.js"), &known); err != nil {
		return nil, err
	}
	for name, t := range known {
		number, err := strconv.Atoi(name)
		if err != nil {
			return nil, err
		}
		values := map[string]string{}
		for code, meaning := range t.Values {
			values[clean(code)] = clean(meaning)
		}
		m.tables[latest()][number] = &table{description: clean(t.Description), values: values}
	}
	return m, nil
}

func latest() string { return versions[len(versions)-1] }

// read reads a module of the form "var name = {JSON}; module.exports = name;".
func read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data = data[max(bytes.IndexByte(data, '{'), 0):]
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (c npmComposite) definition(fields []npmField) *definition {
	d := &definition{description: mend(c.Description)}
	for _, f := range fields {
		d.fields = append(d.fields, field{mend(f.Description), f.Type, " ORCB"[f.Usage], f.Repetitions, f.Length, f.Table})
	}
	return d
}

func nodes(all []npmNode) ([]*facts.Node, error) {
	var result []*facts.Node
	for _, n := range all {
		times, err := n.times()
		if err != nil {
			return nil, err
		}
		node := &facts.Node{Name: strings.ReplaceAll(n.Name, "/", "_"), Times: times}
		switch {
		case len(n.Choice) > 0: // its members are named, with commas between them; the package does not say how often it occurs
			node.Choice, node.Name, node.Times = true, "", ' '
			if len(result) > 0 { // the details of an order in a response, after its ORC
				node.Times = '?'
			}
			for name := range strings.SplitSeq(n.Name, ",") {
				node.Children = append(node.Children, &facts.Node{Name: name, Times: ' '})
			}
		case len(n.Children) > 0:
			if node.Children, err = nodes(n.Children); err != nil {
				return nil, err
			}
		}
		result = append(result, node)
	}
	return result, nil
}

// times writes how often a node occurs. The npm package has 0 for "no limit".
func (n npmNode) times() (byte, error) {
	switch [2]int{n.Min, n.Max} {
	case [2]int{1, 1}:
		return ' ', nil
	case [2]int{0, 1}:
		return '?', nil
	case [2]int{0, 0}:
		return '*', nil
	case [2]int{1, 0}:
		return '+', nil
	}
	return 0, fmt.Errorf("%s occurs %d to %d times, which the format cannot express", n.Name, n.Min, n.Max)
}

var (
	possessive = regexp.MustCompile(`([a-z])[ _]s `)
	footnote   = regexp.MustCompile(` [*+#]$`)
)

// mend restores the apostrophes and dashes that a name has lost, and removes a footnote's
// mark.
func mend(name string) string {
	name = strings.NewReplacer("вЂ“", " - ", " _ ", " - ").Replace(name) // a dash in UTF-8, read as Windows-1251
	return clean(footnote.ReplaceAllString(possessive.ReplaceAllString(name, "$1's "), ""))
}

// clean makes one line of a text, without extra spaces.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }
