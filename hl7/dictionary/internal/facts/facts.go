// Package facts reads what two other implementations know of the standard's tables. The
// generator merges these facts, and a test counts how far the dictionary agrees with
// them. The facts are not part of this module: both look for them beside it, in the form
// that the facts' own README describes.
package facts

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Field is a source's definition of a field of a segment, or of a component of a data
// type.
type Field struct {
	Name     string
	Type     string // in capitals; empty if the source has the field as withdrawn
	Required bool
	Most     int // repetitions; 0 for no limit
	Table    int // 0 for none
	Length   int // 0 for none
	Missing  bool
}

// A Source holds the facts of one implementation, by version.
type Source struct {
	Name       string
	Fields     map[string]map[string][]Field // of each segment; field n is at n-1
	Components map[string]map[string][]Field // of each data type; nil if the source has none
	Structures map[string]map[string]*Node
	Events     map[string]map[string]string         // such as "ADT_A04": "ADT_A01"; nil if the source has none
	Codes      map[string]map[int]map[string]string // of each table, with empty meanings; nil if the source has none
}

// The names of the sources.
const (
	HL7apy = "hl7apy"
	HAPI   = "HAPI"
)

// Read reads both sources from a folder. The error is that of [os.Open] if the folder
// does not exist.
func Read(folder string) (hl7apy, hapi *Source, err error) {
	hl7apy, hapi = newSource(HL7apy), newSource(HAPI)
	for _, file := range []struct {
		name string
		add  func(columns []string) error
	}{
		{"hl7apy-fields.tsv", hl7apy.addField},
		{"hapi-fields.tsv", hapi.addField},
		{"hl7apy-components.tsv", hl7apy.addComponent},
		{"hl7apy-structures.tsv", hl7apy.addStructure},
		{"hapi-structures.tsv", hapi.addStructure},
		{"hapi-events.tsv", hapi.addEvent},
		{"hl7apy-codes.tsv", hl7apy.addCode},
	} {
		if err := readTable(filepath.Join(folder, file.name), file.add); err != nil {
			return nil, nil, err
		}
	}
	return hl7apy, hapi, nil
}

func newSource(name string) *Source {
	return &Source{
		Name:       name,
		Fields:     map[string]map[string][]Field{},
		Components: map[string]map[string][]Field{},
		Structures: map[string]map[string]*Node{},
		Events:     map[string]map[string]string{},
		Codes:      map[string]map[int]map[string]string{},
	}
}

// readTable calls add with the columns of each line except the first, which names them.
func readTable(file string, add func([]string) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			continue
		}
		if err := add(strings.Split(lines.Text(), "\t")); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return lines.Err()
}

// at returns the map of a version, and makes it if necessary.
func at[V any](m map[string]map[string]V, version string) map[string]V {
	if m[version] == nil {
		m[version] = map[string]V{}
	}
	return m[version]
}

// set stores a field under its number, and marks the fields before it that the source
// leaves out.
func set(fields []Field, number int, f Field) []Field {
	for len(fields) < number {
		fields = append(fields, Field{Missing: true})
	}
	fields[number-1] = f
	return fields
}

func (s *Source) addField(c []string) error {
	number, err := strconv.Atoi(c[2])
	if err != nil || number < 1 {
		return fmt.Errorf("no field number: %q", c[2])
	}
	f := Field{Name: c[3], Type: dataType(c[4]), Required: c[5] == "1", Table: table(c[7])}
	if c[6] != "*" {
		if f.Most, err = strconv.Atoi(c[6]); err != nil {
			return err
		}
		if f.Most == 0 { // at most none: withdrawn
			f.Type = ""
		}
	}
	if c[8] != "" {
		if f.Length, err = strconv.Atoi(c[8]); err != nil {
			return err
		}
	}
	segments := at(s.Fields, c[0])
	segments[c[1]] = set(segments[c[1]], number, f)
	return nil
}

func (s *Source) addComponent(c []string) error {
	number, err := strconv.Atoi(c[2])
	if err != nil || number < 1 {
		return fmt.Errorf("no component number: %q", c[2])
	}
	types := at(s.Components, c[0])
	types[c[1]] = set(types[c[1]], number, Field{Name: c[3], Type: dataType(c[4]), Table: table(c[5])})
	return nil
}

// dataType writes a type as the dictionary does: without hl7apy's mark for a type used in
// a component, and empty for the types that mean "withdrawn".
func dataType(name string) string {
	switch name = strings.TrimSuffix(strings.ToUpper(name), "_SIMPLE"); name {
	case "WD", "NONE", "NULLDT":
		return ""
	}
	return name
}

// table reads a table's number. hl7apy writes 9999 for none.
func table(number string) int {
	n, err := strconv.Atoi(number)
	if err != nil || n == 9999 {
		return 0
	}
	return n
}

func (s *Source) addStructure(c []string) error {
	root, err := ParseStructure(strings.ReplaceAll(c[2], "<choice>(", "<"))
	if err != nil {
		return fmt.Errorf("%s: %w", c[1], err)
	}
	root.splice(true)
	at(s.Structures, c[0])[c[1]] = root
	return nil
}

func (s *Source) addEvent(c []string) error {
	if c[2] != "?" {
		at(s.Events, c[0])[c[1]] = c[2]
	}
	return nil
}

func (s *Source) addCode(c []string) error {
	if s.Codes[c[0]] == nil {
		s.Codes[c[0]] = map[int]map[string]string{}
	}
	n := table(c[1])
	if s.Codes[c[0]][n] == nil {
		s.Codes[c[0]][n] = map[string]string{}
	}
	s.Codes[c[0]][n][c[2]] = ""
	return nil
}
