package dictionary

import (
	"compress/gzip"
	_ "embed"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./generate -npm ../../node_modules/hl7-dictionary -facts ../../../shared/facts -to .

// The definitions and the code tables, as generate/main.go writes them: lines of
// tab-separated columns. A line that begins with a tab belongs to the one above it.
//
//	versions   2.1 2.2 2.3 …
//	segment    PID  Patient Identification  2.5 2.5.1       then its fields
//	type       XPN  Extended Person Name  2.5 2.5.1         then its components
//	    name  type  usage  repetitions  length  table
//	structure  ADT_A01  Admit  MSH EVN (…)  2.5 2.5.1
//	event      ADT_A04  ADT_A01  2.5 2.5.1
//
// The second file has these, with a + if the standard says that there are more codes:
//
//	table      1  Administrative Sex    2.5 2.5.1           then its values
//	    code  meaning
var (
	//go:embed tables.txt.gz
	compressed string
	//go:embed codes.txt.gz
	compressedCodes string
)

// load reads the definitions when they are first needed, which is never in most programs.
// The result is never changed. It panics if the tables are damaged, which the tests of
// this package exclude.
var load = sync.OnceValue(func() []*Version {
	l := loader{byName: map[string]*Version{}, shared: map[string]string{}}
	l.read(decompress(compressed))
	return l.versions
})

// loadTables reads the code tables, which fewer programs need: by version and number.
var loadTables = sync.OnceValue(func() map[string]map[int]*Table {
	l := loader{tables: map[string]map[int]*Table{}, shared: map[string]string{}}
	l.read(decompress(compressedCodes))
	return l.tables
})

func decompress(data string) string {
	r, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	if _, err := io.Copy(&text, r); err != nil {
		panic(err)
	}
	return text.String()
}

type loader struct {
	versions []*Version
	byName   map[string]*Version
	tables   map[string]map[int]*Table
	shared   map[string]string // names, each stored once
	below    func(columns []string)
}

func (l *loader) read(text string) {
	for line := range strings.Lines(text) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch columns[0] {
		case "":
			l.below(columns[1:])
		case "versions":
			for name := range strings.FieldsSeq(columns[1]) {
				v := &Version{Name: strings.Clone(name), segments: map[string]*Segment{}, types: map[string]*DataType{},
					structures: map[string]*Structure{}, events: map[string]string{}}
				l.versions = append(l.versions, v)
				l.byName[v.Name] = v
			}
		case "table":
			l.table(columns)
		default:
			l.definition(columns)
		}
	}
}

// definition reads a line of the first file, which ends with the versions that it holds
// for.
func (l *loader) definition(columns []string) {
	name := l.share(columns[1])
	each := func(add func(*Version)) {
		for v := range strings.FieldsSeq(columns[len(columns)-1]) {
			add(l.byName[v])
		}
	}
	switch columns[0] {
	case "segment":
		s := &Segment{Name: name, Description: l.share(columns[2])}
		l.below = func(c []string) { s.Fields = append(s.Fields, l.field(c)) }
		each(func(v *Version) { v.segments[name] = s })
	case "type":
		t := &DataType{Name: name, Description: l.share(columns[2])}
		l.below = func(c []string) { t.Components = append(t.Components, l.field(c)) }
		each(func(v *Version) { v.types[name] = t })
	case "structure":
		s := &Structure{Name: name, Description: l.share(columns[2]), Root: l.parseGrammar(columns[3])}
		s.syntax = sync.OnceValue(func() *syntax { return newSyntax(s.Root) })
		each(func(v *Version) { v.structures[name] = s })
	case "event":
		structure := l.share(columns[2])
		each(func(v *Version) { v.events[name] = structure })
	}
}

func (l *loader) table(columns []string) {
	t := &Table{Number: number(columns[1]), Description: strings.Clone(columns[2]), Open: columns[3] == "+", Values: map[string]string{}}
	l.below = func(c []string) { t.Values[l.share(c[0])] = l.share(c[1]) }
	for v := range strings.FieldsSeq(columns[4]) {
		if l.tables[v] == nil {
			l.tables[strings.Clone(v)] = map[int]*Table{}
		}
		l.tables[v][t.Number] = t
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

// share returns a separate string for each text, so that the memory of the tables' text
// can be freed.
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

// parseGrammar reads a structure: names with spaces between them. (…) after a name holds
// the content of a group, <…> a choice. After either, ? means optional, * optional and
// repeating, + repeating.
func (l *loader) parseGrammar(text string) *Node {
	root := &Node{Required: true}
	open := []*Node{root}
	for text != "" {
		group := open[len(open)-1]
		n := strings.IndexAny(text, " ()<>?*+")
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			group.Children = append(group.Children, &Node{Name: l.share(text[:n]), Required: true})
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
