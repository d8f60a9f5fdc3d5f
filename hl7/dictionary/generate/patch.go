package main

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hl7lake/hl7/dictionary/internal/facts"
)

// A change is a line of patch.tsv: what the standard says where the sources are wrong.
type change struct {
	line        int
	first, last string // versions
	what        string
	element     string // "ORC-7", "XPN.3", "ADT_A01", "0301"
	value       string
	section     string // chapter and section of the standard
	checked     string // what the line was checked with
}

//go:embed patch.tsv
var patchText string

// readPatch reads the lines that are not comments.
func readPatch() ([]change, error) {
	var all []change
	n := 0
	for line := range strings.Lines(patchText) {
		n++
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 6 || c[4] == "" || c[5] == "" {
			return nil, fmt.Errorf("patch.tsv:%d: not versions, what, element, value, section and what it was checked with", n)
		}
		first, last, ok := strings.Cut(c[0], "-")
		if !ok {
			last = first
		}
		if !slices.Contains(versions, first) || !slices.Contains(versions, last) {
			return nil, fmt.Errorf("patch.tsv:%d: no versions: %s", n, c[0])
		}
		all = append(all, change{n, first, last, c[1], c[2], c[3], c[4], c[5]})
	}
	return all, nil
}

func (c change) holds(v string) bool {
	i := slices.Index(versions, v)
	return slices.Index(versions, c.first) <= i && i <= slices.Index(versions, c.last)
}

// kept reports whether a segment or structure stays although only one source has it.
func (m *merger) kept(what, v, name string) bool {
	return slices.ContainsFunc(m.patch, func(c change) bool {
		return c.what == "keep "+what && c.element == name && c.holds(v)
	})
}

func (m *merger) dropped(v, name string) bool {
	return slices.ContainsFunc(m.patch, func(c change) bool { return c.what == "drop structure" && c.element == name && c.holds(v) })
}

// applyPatch makes the changes that remain after the merge. A change that finds its
// result already there is an error, so that no line outlives its reason.
func (m *merger) applyPatch() error {
	var problems []error
	for _, c := range m.patch {
		changed := false
		for _, v := range versions {
			if !c.holds(v) {
				continue
			}
			did, err := m.apply(c, v)
			if err != nil {
				problems = append(problems, fmt.Errorf("patch.tsv:%d: %s: %w", c.line, v, err))
			}
			changed = changed || did
		}
		if !changed {
			problems = append(problems, fmt.Errorf("patch.tsv:%d: %s %s is so without it", c.line, c.what, c.element))
		}
	}
	return errors.Join(problems...)
}

func (m *merger) apply(c change, v string) (changed bool, err error) {
	switch c.what {
	case "keep segment":
		return m.into.segments[v][c.element] != nil, nil
	case "keep structure":
		return m.into.structures[v][c.element] != nil, nil
	case "drop structure":
		return m.into.structures[v][c.element] == nil, nil
	case "event":
		return m.into.events[v][c.element] == c.value && m.eventsOf0354()[c.element] != c.value, nil
	case "structure":
		root, err := facts.ParseStructure(c.value)
		if err != nil {
			return false, err
		}
		return m.replaceStructure(v, c.element, root)
	case "add structure":
		root, err := facts.ParseStructure(c.value)
		if err != nil || m.into.structures[v][c.element] != nil {
			return false, err
		}
		m.into.structures[v][c.element] = &structure{m.structureDescription(v, c.element), root}
		return true, nil
	case "group": // wherever it is
		for _, s := range m.into.structures[v] {
			if renamed := renameGroup(s.root, c.element, c.value); renamed != nil {
				*s, changed = structure{s.description, renamed}, true
			}
		}
		return changed, nil
	case "describe segment":
		return describe(m.into.segments[v][c.element], c.value), nil
	case "describe type":
		return describe(m.into.types[v][c.element], c.value), nil
	case "describe table":
		number, err := strconv.Atoi(c.element)
		t := m.into.tables[v][number]
		if err != nil || t == nil || t.description == c.value {
			return false, err
		}
		t.description = c.value
		return true, nil
	}
	return m.changeField(c, v)
}

func (m *merger) replaceStructure(v, name string, root *facts.Node) (bool, error) {
	s := m.into.structures[v][name]
	if s == nil {
		return false, fmt.Errorf("no structure %s", name)
	}
	if s.root.String() == root.String() {
		return false, nil
	}
	m.into.structures[v][name] = &structure{s.description, root}
	return true, nil
}

// renameGroup returns the structure with another name for a group, or nil if it has no
// group of that name.
func renameGroup(n *facts.Node, from, to string) *facts.Node {
	if !slices.Contains(n.GroupNames(), from) {
		return nil
	}
	result := *n
	result.Children = nil
	for _, child := range n.Children {
		if renamed := renameGroup(child, from, to); renamed != nil {
			child = renamed
		}
		if child.Name == from {
			copied := *child
			copied.Name = to
			child = &copied
		}
		result.Children = append(result.Children, child)
	}
	return &result
}

func describe(d *definition, text string) bool {
	if d == nil || d.description == text {
		return false
	}
	d.description = text
	return true
}

// changeField changes one property of a field or component. It works on a copy, because
// versions may share a definition.
func (m *merger) changeField(c change, v string) (bool, error) {
	all, name, number := m.into.segments[v], "", ""
	var ok bool
	if name, number, ok = strings.Cut(c.element, "-"); !ok {
		all = m.into.types[v]
		name, number, _ = strings.Cut(c.element, ".")
	}
	n, err := strconv.Atoi(number)
	if err != nil || all[name] == nil || n < 1 || n > len(all[name].fields) {
		return false, fmt.Errorf("no field %s", c.element)
	}
	d := *all[name]
	d.fields = slices.Clone(d.fields)
	f, was := &d.fields[n-1], d.fields[n-1]
	switch c.what {
	case "name":
		f.name = c.value
	case "type":
		f.dataType = c.value
	case "usage":
		f.usage = c.value[0]
	case "repetitions":
		f.repetitions, err = strconv.Atoi(c.value)
	case "table":
		f.table, err = strconv.Atoi(c.value)
	case "length":
		f.length, err = strconv.Atoi(c.value)
	default:
		err = fmt.Errorf("cannot change %q", c.what)
	}
	all[name] = &d
	return *f != was, err
}
