package main

import (
	"regexp"
	"strings"

	"hl7lake/hl7/dictionary/internal/facts"
)

// messageStructures is HL7's table of the structures and their events (v2.7.1, chapter
// 2C, table 0354).
const messageStructures = 354

var eventCode = regexp.MustCompile(`[A-Z][A-Z0-9]{2}`)

// eventsOf0354 reads the table, which lists the events of each structure.
func (m *merger) eventsOf0354() map[string]string {
	events := map[string]string{}
	for structure, list := range m.npm.tables[latest()][messageStructures].values {
		code, own, _ := strings.Cut(structure, "_")
		for _, event := range eventCode.FindAllString(list, -1) {
			if event != own {
				events[code+"_"+event] = structure
			}
		}
	}
	return events
}

func (m *merger) mergeStructures(i int) {
	v := versions[i]
	events := map[string]string{}
	if v >= "2.3" {
		events = m.eventsOf0354()
	}
	patched := map[string]bool{}
	for _, c := range m.patch {
		if c.what == "event" && c.holds(v) {
			events[c.element], patched[c.element] = c.value, true
		}
	}
	into := m.into.structures[v]
	for name := range m.structureNames(i) {
		if target, shared := events[name]; shared && target != name && (patched[name] || !m.own(v, name)) || !m.isStructure(i, name) {
			continue
		}
		if root := m.tree(i, name); root != nil {
			into[name] = &structure{m.structureDescription(v, name), m.groupNames(i, name, root)}
		}
	}
	for event, name := range events {
		if into[name] != nil && into[event] == nil {
			m.into.events[v][event] = name
		}
	}
}

// structureNames lists what any source has in the version, or had in the one before if
// only one source has the version.
func (m *merger) structureNames(i int) map[string]bool {
	v, names := versions[i], map[string]bool{}
	for name := range m.npm.structures[v] {
		names[name] = true
	}
	for name := range m.hl7apy.Structures[v] {
		names[name] = true
	}
	for name := range m.hapi.Structures[v] {
		names[name] = true
	}
	if m.hl7apy.Structures[v] == nil {
		for name := range m.into.structures[before(i)] {
			if m.npm.structures[before(i)][name] == nil {
				names[name] = true
			}
		}
	}
	return names
}

// own reports whether an event that table 0354 gives to another event's structure had its
// own structure in this version, which the npm package's copy of the table does not
// describe. It had if the version's own table lists it or both other sources have it. In
// v2.3.1, in which the table was new, any two of the three are enough.
func (m *merger) own(v, name string) bool {
	if v == "2.7.1" {
		v = "2.7"
	}
	_, listed := m.hl7apy.Codes[v][messageStructures][name]
	return listed && v >= "2.4" || m.hl7apy.Structures[v][name] != nil && m.hapi.Structures[v][name] != nil ||
		v < "2.4" && m.sources(v, name) > 1
}

// groupNames gives the groups of a structure the names on which the two others agree. A
// name that was made up is replaced by hl7apy's or by that of the version before.
func (m *merger) groupNames(i int, name string, root *facts.Node) *facts.Node {
	v := versions[i]
	shape, count := root.Shape(), len(root.GroupNames())
	namesOf := func(n *facts.Node) []string {
		if n == nil || n.Shape() != shape {
			return make([]string, count)
		}
		return n.GroupNames()
	}
	one, other := namesOf(m.hl7apy.Structures[v][name]), namesOf(m.hapi.Structures[v][name])
	var prior []string
	if s := m.into.structures[before(i)][name]; s != nil {
		prior = namesOf(s.root)
	} else {
		prior = make([]string, count)
	}
	var rename func(n *facts.Node) *facts.Node
	rename = func(n *facts.Node) *facts.Node {
		result := *n
		result.Children = nil
		for _, child := range n.Children {
			if child.Children != nil && !child.Choice && child.Times != ' ' {
				child = renamed(child, one[0], other[0], prior[0])
				one, other, prior = one[1:], other[1:], prior[1:]
			}
			result.Children = append(result.Children, rename(child))
		}
		return &result
	}
	return rename(root)
}

// renamed returns a group with its proper name.
func renamed(group *facts.Node, one, other, prior string) *facts.Node {
	result := *group
	if one != "" {
		result.Name = agreed(group.Name, one, other)
	}
	for _, better := range []string{one, prior} {
		candidate := result
		candidate.Name = better
		if better != "" && result.MadeUp() && !candidate.MadeUp() {
			result.Name = better
		}
	}
	return &result
}

func (m *merger) sources(v, name string) (n int) {
	for _, has := range []bool{m.npm.structures[v][name] != nil, m.hl7apy.Structures[v][name] != nil, m.hapi.Structures[v][name] != nil} {
		if has {
			n++
		}
	}
	return n
}

// isStructure reports whether the version has a structure of that name: more than one
// source has it, or one source and HL7's table 0354.
func (m *merger) isStructure(i int, name string) bool {
	v := versions[i]
	switch {
	case m.dropped(v, name):
		return false
	case m.kept("structure", v, name):
		return true
	case m.hl7apy.Structures[v] == nil: // v2.7.1
		return m.into.structures[before(i)][name] != nil || m.npm.structures[before(i)][name] == nil
	case len(m.npm.structures[v]) == 0: // v2.8 and later
		return m.hl7apy.Structures[v][name] != nil
	}
	_, listed := m.hl7apy.Codes[v][messageStructures][name]
	return m.sources(v, name) > 1 || listed && m.npm.structures[v][name] != nil
}

// tree decides what a structure consists of.
func (m *merger) tree(i int, name string) *facts.Node {
	v, prior := versions[i], before(i)
	var base *facts.Node
	if s := m.npm.structures[v][name]; s != nil {
		base = s.root
	}
	var decided *facts.Node
	if s := m.into.structures[prior][name]; s != nil {
		decided = s.root
	}
	one, other := m.hl7apy.Structures[v][name], m.hapi.Structures[v][name]
	if one != nil && one.Broken() {
		one = nil
	}
	switch {
	case m.hl7apy.Structures[v] == nil: // v2.7.1
		was := m.npm.structures[prior][name]
		if base == nil || was != nil && was.root.Shape() == base.Shape() {
			return decided
		}
		return base
	case m.hapi.Structures[v] == nil: // v2.8.2
		if was := m.hl7apy.Structures[prior][name]; decided != nil && (one == nil || was != nil && was.Shape() == one.Shape()) {
			return decided
		}
		return m.tidy(one)
	case len(m.npm.structures[v]) == 0: // v2.8 and v2.8.1
		if one == nil || decided != nil && other != nil && other.Shape() == decided.Shape() {
			return decided
		}
		return m.tidy(one)
	case base == nil:
		return m.tidy(one)
	case one == nil || other == nil:
		return base
	case one.Shape() == base.Shape():
		if strings.Contains(one.String(), facts.AnySegment) && !strings.Contains(base.String(), facts.AnySegment) {
			return m.tidy(one)
		}
		return base
	case one.Shape() == other.Shape() && !strings.Contains(one.String(), facts.AnySegment):
		return m.tidy(one)
	}
	return base
}

// tidy makes "any segment" optional, and the alternative to OBR if it follows one, as in
// an order's detail: nobody can say that a segment of any name is missing. It leaves out
// what is not a segment of the version. That is how hl7apy writes a group that it could
// not read.
func (m *merger) tidy(n *facts.Node) *facts.Node {
	if n == nil {
		return nil
	}
	result := *n
	result.Children = nil
	for _, child := range n.Children {
		last := len(result.Children) - 1
		switch {
		case child.Name == facts.AnySegment && n.Choice:
			result.Children = append(result.Children, child)
		case child.Name == facts.AnySegment && child.Times == ' ' && last >= 0 && result.Children[last].Name == "OBR":
			result.Children[last] = &facts.Node{Choice: true, Times: ' ', Children: []*facts.Node{result.Children[last], child}}
		case child.Name == facts.AnySegment:
			times := byte('?')
			if child.Times == '+' || child.Times == '*' {
				times = '*'
			}
			result.Children = append(result.Children, &facts.Node{Name: child.Name, Times: times})
		case child.Children != nil:
			if inner := m.tidy(child); inner.Children != nil {
				result.Children = append(result.Children, inner)
			}
		case m.isSegment(child.Name):
			result.Children = append(result.Children, child)
		}
	}
	return &result
}

// isSegment reports whether any version has a segment of that name.
func (m *merger) isSegment(name string) bool {
	for _, v := range versions {
		if m.into.segments[v][name] != nil || m.npm.segments[v][name] != nil || m.hl7apy.Fields[v][name] != nil {
			return true
		}
	}
	return false
}

// keepSegments keeps the segments that a structure of the version still has, as the npm
// package or the version before defines them.
func (m *merger) keepSegments(i int) {
	v := versions[i]
	var keep func(n *facts.Node)
	keep = func(n *facts.Node) {
		for _, child := range n.Children {
			keep(child)
			if child.Children != nil || child.Name == facts.AnySegment || m.into.segments[v][child.Name] != nil {
				continue
			}
			d := m.npm.segments[v][child.Name]
			if d == nil {
				d = m.into.segments[before(i)][child.Name]
			}
			if d != nil {
				m.into.segments[v][child.Name] = d
			}
		}
	}
	for _, s := range m.into.structures[v] {
		keep(s.root)
	}
}

func (m *merger) structureDescription(v, name string) string {
	text := ""
	for _, other := range versions {
		if s := m.npm.structures[other][name]; s != nil && s.description != "" {
			text = s.description
			if other >= v {
				break
			}
		}
	}
	return text
}
