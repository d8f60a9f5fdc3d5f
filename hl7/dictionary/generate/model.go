package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hl7lake/hl7/dictionary/internal/facts"
)

// The versions of the standard, oldest first.
var versions = []string{"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"}

// A model is a dictionary of all versions: a source's, or the merged one.
type model struct {
	segments, types map[string]map[string]*definition // by version and name
	structures      map[string]map[string]*structure
	events          map[string]map[string]string // "ADT_A04": "ADT_A01"
	tables          map[string]map[int]*table
}

type definition struct {
	description string
	fields      []field // or components
}

type field struct {
	name        string
	dataType    string // empty if withdrawn
	usage       byte   // as in the package's Usage
	repetitions int
	length      int
	table       int
}

type structure struct {
	description string
	root        *facts.Node
}

type table struct {
	description string
	open        bool
	values      map[string]string
}

func newModel() *model {
	m := &model{
		segments: map[string]map[string]*definition{}, types: map[string]map[string]*definition{},
		structures: map[string]map[string]*structure{}, events: map[string]map[string]string{}, tables: map[string]map[int]*table{},
	}
	for _, v := range versions {
		m.segments[v], m.types[v], m.structures[v] = map[string]*definition{}, map[string]*definition{}, map[string]*structure{}
		m.events[v], m.tables[v] = map[string]string{}, map[int]*table{}
	}
	return m
}

// definitions writes everything except the code tables. A definition that several
// versions share is written once, with the versions that it holds for.
func (m *model) definitions() []byte {
	entries := map[string][]string{} // definition: versions
	for _, v := range versions {
		add := func(text string) { entries[text] = append(entries[text], v) }
		for name, s := range m.segments[v] {
			add(s.text("segment", name))
		}
		for name, t := range m.types[v] {
			add(t.text("type", name))
		}
		for name, s := range m.structures[v] {
			add(fmt.Sprintf("structure\t%s\t%s\t%s\n", name, s.description, s.root))
		}
		for event, name := range m.events[v] {
			add(fmt.Sprintf("event\t%s\t%s\n", event, name))
		}
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "versions\t%s\n", strings.Join(versions, " "))
	write(&text, entries)
	return text.Bytes()
}

// codes writes the code tables in the same way.
func (m *model) codes() []byte {
	entries := map[string][]string{}
	for _, v := range versions {
		for number, t := range m.tables[v] {
			open := ""
			if t.open {
				open = "+"
			}
			entry := fmt.Sprintf("table\t%04d\t%s\t%s\n", number, t.description, open)
			for _, code := range slices.Sorted(maps.Keys(t.values)) {
				entry += fmt.Sprintf("\t%s\t%s\n", code, t.values[code])
			}
			entries[entry] = append(entries[entry], v)
		}
	}
	var text bytes.Buffer
	write(&text, entries)
	return text.Bytes()
}

// write puts the versions at the end of each entry's first line.
func write(text *bytes.Buffer, entries map[string][]string) {
	for _, entry := range slices.Sorted(maps.Keys(entries)) {
		first, rest, _ := strings.Cut(entry, "\n")
		fmt.Fprintf(text, "%s\t%s\n%s", first, strings.Join(entries[entry], " "), rest)
	}
}

func (d *definition) text(kind, name string) string {
	text := fmt.Sprintf("%s\t%s\t%s\n", kind, name, d.description)
	for _, f := range d.fields {
		text += fmt.Sprintf("\t%s\t%s\t%c\t%d\t%d\t%d\n", f.name, f.dataType, f.usage, f.repetitions, f.length, f.table)
	}
	return text
}
