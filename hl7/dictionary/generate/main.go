// Command generate writes the dictionary's tables from the npm package hl7-dictionary
// (version 1.0.1, MIT licence), whose folder it is given:
//
//	npm pack hl7-dictionary@1.0.1 && tar xzf hl7-dictionary-1.0.1.tgz
//	go run ./hl7/dictionary/generate -from package -to hl7/dictionary/tables.txt.gz
//
// Only facts are taken: names, data types, optionality, repetition, lengths, tables and
// the order of segments. The package loads what this writes; see its tables.go for the
// format.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The versions that the npm package covers, oldest first.
var versions = []string{"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1"}

type field struct {
	Type        string `json:"datatype"`
	Description string `json:"desc"`
	Usage       int    `json:"opt"`
	Repetitions int    `json:"rep"`
	Length      int    `json:"len"`
	Table       int    `json:"table"`
}

type composite struct {
	Description string  `json:"desc"`
	Fields      []field `json:"fields"`
	Components  []field `json:"subfields"`
}

type node struct {
	Name     string `json:"name"`
	Min      int    `json:"min"`
	Max      int    `json:"max"`
	Children []node `json:"children"`
	Choice   []node `json:"compounds"`
}

type message struct {
	Description string `json:"desc"`
	Segments    struct {
		Segments []node `json:"segments"`
	} `json:"segments"`
}

type table struct {
	Description string            `json:"desc"`
	Values      map[string]string `json:"values"`
}

func main() {
	log.SetFlags(0)
	from := flag.String("from", "package", "folder of the unpacked npm package")
	to := flag.String("to", "tables.txt.gz", "file to write")
	flag.Parse()
	text, err := tables(filepath.Join(*from, "lib"))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*to, compress(text), 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d bytes of text in %s\n", len(text), *to)
}

func compress(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		log.Fatal(err) // a buffer in memory takes what it is given
	}
	return b.Bytes()
}

// tables returns the whole dictionary as text. What several versions define in the same
// words is written once, with the versions that it holds for.
func tables(lib string) ([]byte, error) {
	entries := map[string][]string{} // definition: versions
	for _, version := range versions {
		segments, types, messages := map[string]composite{}, map[string]composite{}, map[string]message{}
		for file, into := range map[string]any{"segments.js": &segments, "fields.js": &types, "messages.js": &messages} {
			if err := read(filepath.Join(lib, version, file), into); err != nil {
				return nil, err
			}
		}
		add := func(definition string) { entries[definition] = append(entries[definition], version) }
		for name, s := range segments {
			add(definition("segment", name, s.Description, s.Fields))
		}
		for name, t := range types {
			add(definition("type", name, t.Description, t.Components))
		}
		for name, m := range messages {
			add(fmt.Sprintf("structure\t%s\t%s\t%s", name, clean(m.Description), sequence(m.Segments.Segments)))
		}
	}
	known := map[string]table{}
	if err := read(filepath.Join(lib, "tables.js"), &known); err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, definition := range slices.Sorted(maps.Keys(entries)) {
		first, rest, _ := strings.Cut(definition, "\n")
		fmt.Fprintf(&text, "%s\t%s\n", first, strings.Join(entries[definition], " "))
		text.WriteString(rest)
	}
	for _, number := range slices.SortedFunc(maps.Keys(known), byNumber) {
		fmt.Fprintf(&text, "table\t%s\t%s\n", number, clean(known[number].Description))
		for _, value := range slices.Sorted(maps.Keys(known[number].Values)) {
			fmt.Fprintf(&text, "\t%s\t%s\n", clean(value), clean(known[number].Values[value]))
		}
	}
	return text.Bytes(), nil
}

// read reads a module of the form "var name = {JSON}; module.exports = name;".
func read(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	data = data[bytes.IndexByte(data, '{'):]
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func definition(kind, name, description string, fields []field) string {
	text := fmt.Sprintf("%s\t%s\t%s\n", kind, name, clean(description))
	for _, f := range fields {
		text += fmt.Sprintf("\t%s\t%s\t%c\t%d\t%d\t%d\n", clean(f.Description), f.Type, " ORCB"[f.Usage], f.Repetitions, f.Length, f.Table)
	}
	return text
}

// sequence writes segments and groups as a regular expression over names.
func sequence(nodes []node) string {
	var parts []string
	for _, n := range nodes {
		part := strings.ReplaceAll(n.Name, "/", "_")
		switch {
		case len(n.Choice) > 0: // its members are named with commas between
			part = "<" + strings.ReplaceAll(n.Name, ",", " ") + ">"
		case len(n.Children) > 0:
			part += "(" + sequence(n.Children) + ")"
		}
		parts = append(parts, part+quantifier(n))
	}
	return strings.Join(parts, " ")
}

// quantifier writes how often a node occurs; the npm package has 0 for "no limit".
func quantifier(n node) string {
	switch {
	case n.Min == 1 && n.Max == 1:
		return ""
	case n.Min == 0 && n.Max == 1:
		return "?"
	case n.Min == 0 && n.Max == 0:
		return "*"
	case n.Max == 0:
		return "+"
	}
	log.Fatalf("%s occurs %d to %d times, which the format cannot say", n.Name, n.Min, n.Max)
	return ""
}

// clean makes one line of a text without blanks to spare.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

func byNumber(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
}
