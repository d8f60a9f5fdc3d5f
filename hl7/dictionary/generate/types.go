package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"hl7lake/hl7/dictionary/internal/facts"
)

func (m *merger) mergeTypes(i int) {
	m.mergeTypesOf(i)
	m.addPrimitives(versions[i])
}

// addPrimitives adds the types that are used and that no source describes. They have no
// components.
func (m *merger) addPrimitives(v string) {
	for _, all := range []map[string]*definition{m.into.segments[v], m.into.types[v]} {
		for _, d := range all {
			for _, f := range d.fields {
				if f.dataType != "" && m.into.types[v][f.dataType] == nil {
					m.into.types[v][f.dataType] = &definition{description: m.describe(m.npm.types, v, f.dataType)}
				}
			}
		}
	}
}

func (m *merger) mergeTypesOf(i int) {
	v := versions[i]
	own, hl7apy := m.npm.types[v], m.hl7apy.Components[v]
	switch {
	case len(own) > 0 && hl7apy == nil:
		m.carry(v, before(i), own, m.npm.types[before(i)], m.into.types)
	case len(own) > 0:
		for _, name := range slices.Sorted(maps.Keys(own)) {
			m.into.types[v][name] = m.dataType(v, own[name], hl7apy[name])
		}
	default:
		m.typesWithoutNPM(i)
	}
}

// dataType merges a type that the npm package and hl7apy have. It takes the package's if
// that says anything.
func (m *merger) dataType(v string, base *definition, other []facts.Field) *definition {
	d := &definition{description: base.description}
	if len(base.fields) == 0 {
		for _, f := range other {
			d.fields = append(d.fields, m.fromFact(f))
		}
		return d
	}
	for n, f := range base.fields {
		if a := factAt(other, n); !a.Missing {
			f.name = m.names.whole(f.name, a.Name)
			if f.dataType == "ST" && v == "2.7" {
				f.dataType = a.Type
			}
			f.table = cmp.Or(f.table, a.Table)
		}
		d.fields = append(d.fields, f.settled())
	}
	for n := len(base.fields); n < len(other); n++ {
		d.fields = append(d.fields, m.fromFact(other[n]))
	}
	return d
}

// typesWithoutNPM takes hl7apy's composite types, and the primitive types of the version
// before that are still used.
func (m *merger) typesWithoutNPM(i int) {
	v, prior := versions[i], before(i)
	used := map[string]bool{}
	for _, s := range m.into.segments[v] {
		for _, f := range s.fields {
			used[f.dataType] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.hl7apy.Components[v])) {
		components := m.hl7apy.Components[v][name]
		if strings.HasSuffix(name, "_SIMPLE") {
			continue
		}
		d := &definition{description: m.describe(m.npm.types, v, name)}
		for n, a := range components {
			f := m.fromFact(a)
			if p := fieldAt(m.into.types[prior][name], n); p != nil {
				f = f.remember(p)
				if letters(f.name) == letters(p.name) || strings.HasPrefix(letters(p.name), letters(f.name)) {
					f.name = p.name
					if p.usage != 'W' && f.dataType != "" {
						f.usage = p.usage
					}
				}
			}
			used[f.dataType] = true
			d.fields = append(d.fields, f.settled())
		}
		m.into.types[v][name] = d
	}
	for name, t := range m.into.types[prior] {
		if len(t.fields) == 0 && (used[name] || !strings.ContainsAny(name, "_0123456789")) && m.into.types[v][name] == nil {
			m.into.types[v][name] = t
		}
	}
}
