package dictionary

import (
	"compress/gzip"
	_ "embed"
	"io"
	"strconv"
	"strings"
	"sync"
)

// The tables, as generate/main.go writes them: lines of tab-separated columns. A line
// that begins with a tab belongs to the one above it.
//
//	segment    PID  Patient Identification  2.5 2.5.1       then its fields
//	type       XPN  Extended Person Name  2.5 2.5.1         then its components
//	    name  type  usage  repetitions  length  table
//	structure  ADT_A01  Admit  MSH EVN (…)  2.5 2.5.1
//	table      1  Administrative Sex                        then its values
//	    code  meaning
//
//go:embed tables.txt.gz
var compressed string

// load reads the tables when they are first wanted, which most programs never do; the
// result is never changed. It panics on tables that are damaged, which the tests of
// this package rule out.
var load = sync.OnceValue(func() []*Version {
	r, err := gzip.NewReader(strings.NewReader(compressed))
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	l := loader{byName: map[string]*Version{}, tables: map[int]*Table{}, shared: map[string]string{}}
	l.read(string(text))
	return l.versions()
})

type loader struct {
	byName map[string]*Version
	tables map[int]*Table
	shared map[string]string // names, each held once
}

func (l *loader) versions() []*Version {
	var all []*Version
	for _, name := range []string{"2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1"} {
		v := l.version(name)
		v.tables = l.tables
		all = append(all, v)
	}
	return all
}

func (l *loader) version(name string) *Version {
	v := l.byName[name]
	if v == nil {
		v = &Version{Name: name, segments: map[string]*Segment{}, types: map[string]*DataType{}, structures: map[string]*Structure{}}
		l.byName[name] = v
	}
	return v
}

func (l *loader) read(text string) {
	var addField func(Field)
	var values map[string]string
	for line := range strings.Lines(text) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch columns[0] {
		case "":
			if values != nil {
				values[columns[1]] = columns[2]
			} else {
				addField(l.field(columns[1:]))
			}
		case "segment":
			s := &Segment{Name: columns[1], Description: columns[2]}
			addField, values = func(f Field) { s.Fields = append(s.Fields, f) }, nil
			for v := range strings.FieldsSeq(columns[3]) {
				l.version(v).segments[s.Name] = s
			}
		case "type":
			t := &DataType{Name: columns[1], Description: columns[2]}
			addField, values = func(f Field) { t.Components = append(t.Components, f) }, nil
			for v := range strings.FieldsSeq(columns[3]) {
				l.version(v).types[t.Name] = t
			}
		case "structure":
			s := &Structure{Name: columns[1], Description: columns[2], Root: parseGrammar(columns[3])}
			for v := range strings.FieldsSeq(columns[4]) {
				l.version(v).structures[s.Name] = s
			}
		case "table":
			t := &Table{Number: number(columns[1]), Description: columns[2], Values: map[string]string{}}
			values = t.Values
			l.tables[t.Number] = t
		}
	}
}

func (l *loader) field(columns []string) Field {
	return Field{
		Name:        l.share(columns[0]),
		Type:        l.share(columns[1]),
		Usage:       Usage(columns[2][0]),
		Repetitions: number(columns[3]),
		Length:      number(columns[4]),
		Table:       number(columns[5]),
	}
}

// share returns a string of its own for each text, so that the tables' text can go.
func (l *loader) share(s string) string {
	if shared, ok := l.shared[s]; ok {
		return shared
	}
	s = strings.Clone(s)
	l.shared[s] = s
	return s
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// parseGrammar reads a structure: names with a blank between; (…) after a name holds
// the content of a group, <…> a choice; ? * + after either mean optional, optional and
// repeating, repeating.
func parseGrammar(text string) *Node {
	root := &Node{Required: true}
	open := []*Node{root}
	for text != "" {
		group := open[len(open)-1]
		n := strings.IndexAny(text, " ()<>?*+")
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			group.Children = append(group.Children, &Node{Name: text[:n], Required: true})
			text = text[n:]
			continue
		}
		switch text[0] {
		case '<':
			choice := &Node{Required: true}
			group.Children = append(group.Children, choice)
			open = append(open, choice)
		case '(':
			open = append(open, group.Children[len(group.Children)-1])
		case ')', '>':
			open = open[:len(open)-1]
		case '?', '*', '+':
			last := group.Children[len(group.Children)-1]
			last.Required = text[0] == '+'
			last.Repeats = text[0] != '?'
		}
		text = text[1:]
	}
	return root
}
