package main

import (
	"cmp"
	"maps"
	"slices"

	"hl7lake/hl7/dictionary/internal/facts"
)

// A merger decides version by version, oldest first.
type merger struct {
	npm          *model
	hl7apy, hapi *facts.Source
	patch        []change
	names        *speller
	into         *model
}

func merge(npm *model, hl7apy, hapi *facts.Source, patch []change) (*model, error) {
	m := &merger{npm: npm, hl7apy: hl7apy, hapi: hapi, patch: patch, names: newSpeller(npm), into: newModel()}
	for i := range versions {
		m.mergeSegments(i)
		m.mergeStructures(i)
		m.keepSegments(i)
		m.mergeTypes(i)
	}
	m.mergeTables()
	if err := m.applyPatch(); err != nil {
		return nil, err
	}
	m.correctV23()
	m.correctV25()
	return m.into, nil
}

// before returns the version before the one at i, or "" for the first.
func before(i int) string {
	if i == 0 {
		return ""
	}
	return versions[i-1]
}

// agreed returns what two others say if they say the same, or else what the base says.
func agreed[T comparable](base, one, other T) T {
	if one == other {
		return one
	}
	return base
}

func (m *merger) mergeSegments(i int) {
	v := versions[i]
	if len(m.npm.segments[v]) > 0 && m.hl7apy.Fields[v] == nil {
		m.carry(v, before(i), m.npm.segments[v], m.npm.segments[before(i)], m.into.segments)
		return
	}
	names := map[string]int{} // how many sources have it
	for name := range m.npm.segments[v] {
		names[name]++
	}
	for name := range m.hl7apy.Fields[v] {
		names[name]++
	}
	for name := range m.hapi.Fields[v] {
		names[name]++
	}
	for _, name := range slices.Sorted(maps.Keys(names)) { // always the same: the speller learns
		sources := names[name]
		switch {
		case m.hapi.Fields[v] == nil: // v2.8.2
			m.into.segments[v][name] = m.onlyHL7apy(i, name)
		case len(m.npm.segments[v]) == 0: // v2.8 and v2.8.1
			if m.hl7apy.Fields[v][name] != nil {
				m.into.segments[v][name] = m.withoutNPM(i, name)
			}
		case sources > 1 || m.kept("segment", v, name):
			m.into.segments[v][name] = m.segment(v, name)
		}
	}
}

// carry takes over a version that only the npm package has. If it says the same as of the
// version before, that version's decision holds.
func (m *merger) carry(v, prior string, own, npmPrior map[string]*definition, into map[string]map[string]*definition) {
	for name, d := range own {
		was, decided := npmPrior[name], into[prior][name]
		if decided == nil {
			if was == nil {
				into[v][name] = d
			}
			continue // dropped in the version before
		}
		merged := &definition{description: d.description}
		for n, f := range d.fields {
			if n < len(decided.fields) && was != nil && n < len(was.fields) {
				f = carryField(f, was.fields[n], decided.fields[n])
			}
			merged.fields = append(merged.fields, f)
		}
		if was != nil && len(d.fields) == len(was.fields) {
			merged.fields = append(merged.fields[:min(len(d.fields), len(decided.fields))], decided.fields[min(len(d.fields), len(decided.fields)):]...)
		}
		into[v][name] = merged
	}
	for name, decided := range into[prior] {
		if own[name] == nil && npmPrior[name] == nil {
			into[v][name] = decided
		}
	}
}

func carryField(f, was, decided field) field {
	f.name = carried(f.name, was.name, decided.name)
	f.dataType = carried(f.dataType, was.dataType, decided.dataType)
	f.usage = carried(f.usage, was.usage, decided.usage)
	f.repetitions = carried(f.repetitions, was.repetitions, decided.repetitions)
	f.length = carried(f.length, was.length, decided.length)
	f.table = carried(f.table, was.table, decided.table)
	return f.settled()
}

func carried[T comparable](now, was, decided T) T {
	if now == was {
		return decided
	}
	return now
}

// segment merges a segment that the npm package, hl7apy and HAPI may have.
func (m *merger) segment(v, name string) *definition {
	base, one, other := m.npm.segments[v][name], m.hl7apy.Fields[v][name], m.hapi.Fields[v][name]
	if base == nil {
		d := &definition{description: m.describe(m.npm.segments, v, name)}
		for _, f := range one {
			d.fields = append(d.fields, m.fromFact(f))
		}
		return d
	}
	d := &definition{description: base.description}
	length := len(base.fields)
	if one != nil && other != nil {
		length = agreed(length, len(one), len(other))
	}
	for n := range length {
		a, h := factAt(one, n), factAt(other, n)
		switch {
		case n >= len(base.fields):
			d.fields = append(d.fields, m.fromFact(a))
		default:
			if shifted(h, base.fields, n) {
				h.Missing = true
			}
			d.fields = append(d.fields, m.field(v, base.fields[n], a, h))
		}
	}
	return d
}

func factAt(fields []facts.Field, n int) facts.Field {
	if n < len(fields) {
		return fields[n]
	}
	return facts.Field{Missing: true}
}

// shifted reports whether a source has, at n, the base's field next to it.
func shifted(f facts.Field, base []field, n int) bool {
	if f.Missing || letters(f.Name) == letters(base[n].name) {
		return false
	}
	for _, next := range []int{n - 1, n + 1} {
		if next >= 0 && next < len(base) && letters(f.Name) == letters(base[next].name) {
			return true
		}
	}
	return false
}

// field merges a field of a version up to v2.7.
func (m *merger) field(v string, f field, a, h facts.Field) field {
	saysST := f.dataType == "ST" && v == "2.7" // perhaps only because there was no better word
	switch {
	case a.Missing:
		if saysST && !h.Missing && h.Type == "" {
			f.dataType = ""
		}
		return f.settled()
	case h.Missing:
		if saysST {
			f.dataType = a.Type
		}
	default:
		f.dataType = agreed(f.dataType, a.Type, h.Type)
		if saysST && h.Type != "ST" {
			f.dataType = a.Type
		}
		if required := agreed(f.usage == 'R', a.Required, h.Required); required != (f.usage == 'R') {
			f.usage = usage(required)
		}
		if a.Type != "" && h.Type != "" {
			f.repetitions = agreed(f.repetitions, a.Most, h.Most)
		}
		f.name = m.names.agreed(f.name, a.Name, h.Name)
		if a.Table != 0 {
			f.table = agreed(f.table, a.Table, h.Table)
		}
	}
	f.table = cmp.Or(f.table, a.Table)
	return f.settled()
}

// settled clears what a withdrawn field or a sequence number does not have.
func (f field) settled() field {
	switch f.dataType {
	case "":
		f.usage, f.repetitions, f.length, f.table = 'W', 0, 0, 0
	case "SI":
		f.table = 0
	}
	return f
}

func usage(required bool) byte {
	if required {
		return 'R'
	}
	return 'O'
}

func (m *merger) fromFact(f facts.Field) field {
	return field{name: m.names.spell(f.Name), dataType: f.Type, usage: usage(f.Required), repetitions: f.Most, table: f.Table}.settled()
}

// describe finds the npm package's name for a segment or type in another version.
func (m *merger) describe(all map[string]map[string]*definition, v, name string) string {
	text := ""
	for _, other := range versions {
		if d := all[other][name]; d != nil && d.description != "" {
			text = d.description
			if other >= v {
				break
			}
		}
	}
	return text
}

// withoutNPM merges a segment of v2.8 or v2.8.1.
func (m *merger) withoutNPM(i int, name string) *definition {
	v := versions[i]
	d := &definition{description: m.describe(m.npm.segments, v, name)}
	prior := m.into.segments[before(i)][name]
	own := m.hl7apy.Fields[v][name]
	if others := m.hapi.Fields[v][name]; prior != nil && len(others) > len(own) && len(prior.fields) >= len(others) {
		own = append(slices.Clone(own), make([]facts.Field, len(others)-len(own))...) // withdrawn, and left out
		for n := len(m.hl7apy.Fields[v][name]); n < len(own); n++ {
			own[n].Missing = true
		}
	}
	for n, a := range own {
		h := factAt(m.hapi.Fields[v][name], n)
		f, p := m.fromFact(a), fieldAt(prior, n)
		if a.Missing && p != nil { // withdrawn, and left out
			f.name = p.name
		}
		if p == nil && f.repetitions == 0 && h.Type != "" {
			f.repetitions = h.Most // what the standard says nothing of, hl7apy has without limit in what is new
		}
		if p != nil && !a.Missing {
			if !h.Missing && letters(h.Name) != "" {
				f.dataType = agreed(f.dataType, h.Type, p.dataType)
				f.usage = usage(agreed(a.Required, h.Required, p.usage == 'R'))
				if h.Type != "" && p.dataType != "" {
					f.repetitions = agreed(f.repetitions, h.Most, p.repetitions)
				}
				if h.Table != 0 {
					f.table = agreed(f.table, h.Table, p.table)
				}
			}
			f = f.remember(p)
		}
		d.fields = append(d.fields, f.settled())
	}
	return d
}

// remember takes from the version before what only the npm package knows.
func (f field) remember(p *field) field {
	if f.usage != 'R' && (p.usage == 'C' || p.usage == 'B') {
		f.usage = p.usage
	}
	if f.dataType == p.dataType && letters(f.name) == letters(p.name) {
		f.length = p.length
	}
	if f.table == 0 && f.dataType == p.dataType {
		f.table = p.table
	}
	if letters(f.name) == letters(p.name) || f.dataType == "" {
		f.name = p.name
	}
	return f
}

func fieldAt(d *definition, n int) *field {
	if d == nil || n >= len(d.fields) {
		return nil
	}
	return &d.fields[n]
}

// onlyHL7apy takes over a segment of v2.8.2.
func (m *merger) onlyHL7apy(i int, name string) *definition {
	v := versions[i]
	d := &definition{description: m.describe(m.npm.segments, v, name)}
	prior := m.into.segments[before(i)][name]
	own := m.hl7apy.Fields[v][name]
	if prior != nil && len(own) == len(m.hl7apy.Fields[before(i)][name]) {
		for len(own) < len(prior.fields) {
			own = append(own[:len(own):len(own)], facts.Field{Missing: true})
		}
	}
	for n, a := range own {
		was, p := factAt(m.hl7apy.Fields[before(i)][name], n), fieldAt(prior, n)
		f := m.fromFact(a)
		switch {
		case p == nil:
		case a.Missing:
			f = *p
		case !was.Missing:
			f = carryField(f, m.fromFact(was), *p).remember(p)
		default:
			f = f.remember(p)
		}
		d.fields = append(d.fields, f.settled())
	}
	return d
}

// correctV23 removes limits of v2.3 that no other version has. That version introduced
// the extended data types. Its attribute tables do not say that they repeat, and mark
// some fields as required that are not so in the versions before and after it.
func (m *merger) correctV23() {
	required := func(d *definition, n int) bool {
		f := fieldAt(d, n)
		return f == nil || f.usage == 'R'
	}
	for name, s := range m.into.segments["2.3"] {
		before, after, later := m.into.segments["2.2"][name], m.into.segments["2.3.1"][name], m.into.segments["2.4"][name]
		d := &definition{description: s.description}
		for n, f := range s.fields {
			if next := fieldAt(after, n); next != nil && sameField(f, *next) {
				if next.repetitions == 0 {
					f.repetitions = 0
				}
				if f.usage == 'R' && !required(before, n) && next.usage != 'R' && !required(later, n) {
					f.usage = next.usage
				}
			}
			d.fields = append(d.fields, f)
		}
		m.into.segments["2.3"][name] = d
	}
}

// correctV25 sets limits in v2.5.1 that HAPI has there and v2.6 also has, and limits in
// v2.5 that v2.4 and v2.5.1 both have. Of these two versions the other sources only say
// that such a field repeats.
func (m *merger) correctV25() {
	for _, v := range []struct{ name, before, after string }{{"2.5.1", "", "2.6"}, {"2.5", "2.4", "2.5.1"}} {
		for name, s := range m.into.segments[v.name] {
			d := &definition{description: s.description}
			for n, f := range s.fields {
				limit, next := factAt(m.hapi.Fields[v.name][name], n).Most, fieldAt(m.into.segments[v.after][name], n)
				if prior := fieldAt(m.into.segments[v.before][name], n); prior != nil {
					limit = prior.repetitions
				}
				if f.repetitions == 0 && limit > 1 && next != nil && next.repetitions == limit && f.usage != 'W' {
					f.repetitions = limit
				}
				d.fields = append(d.fields, f)
			}
			m.into.segments[v.name][name] = d
		}
	}
}

// sameField reports whether two names are of one field, whose name may have been
// corrected.
func sameField(a, b field) bool {
	x, y := letters(a.name), letters(b.name)
	n := min(len(x), len(y), 10)
	return x[:n] == y[:n]
}
