package dictionary

import (
	"fmt"
	"slices"

	"hl7lake/hl7"
)

// Tables whose values are the names of things that the dictionary knows anyway, or that
// no version can list completely.
const (
	versionIDs    = 104 // there are later versions
	valueTypes    = 125 // "all HL7 data types are valid" (HL7 v2.5.1, 7.4.2.2)
	structures    = 354
	codingSystems = 396 // anybody may add values
	dataTypes     = 440
)

// code checks a value of type ID against its table (HL7 v2.5.1, 2.A.35).
func (c *check) code(p hl7.Path, text string) {
	f := c.v.part(p)
	if f == nil || c.v.hasCode(f.Table, text) || !isFixed(p) {
		return
	}
	c.report(UnknownCode, p, fmt.Sprintf("not in table %04d", f.Table))
}

// isCode reports whether a repetition of a field is one of the codes that the version has
// for it. A code is never too long, whatever the field's length: HL7 v2.5.1 has names of
// three characters for OBX-2, whose length is two.
func (c *check) isCode(f *Field, value []byte) bool {
	return f.Type == "ID" && f.Table > 0 && c.v.hasCode(f.Table, string(value))
}

// part returns the definition of the component or sub-component at a path, or of the
// field if its type has none.
func (v *Version) part(p hl7.Path) *Field {
	f := v.Field(p.Segment, p.Field)
	for _, n := range []int{p.Component, p.Subcomponent} {
		if f == nil {
			return nil
		}
		if part := v.component(f.Type, n); part != nil {
			f = part
		}
	}
	return f
}

// hasCode reports whether a text may be a code of a table: the table holds it in this
// version or a later one, or the version does not list the table's codes. Codes of later
// versions are accepted because tables grow, and senders do not wait.
func (v *Version) hasCode(table int, text string) bool {
	switch table {
	case versionIDs, codingSystems:
		return true
	case valueTypes, dataTypes:
		if v.Type(text) != nil {
			return true
		}
	case structures:
		if v.Structure(text) != nil {
			return true
		}
	}
	t := v.Table(table)
	if t == nil || t.Open || len(t.Values) == 0 || t.has(text) {
		return true
	}
	for _, later := range slices.Backward(load()) {
		if later == v {
			break
		}
		if t := later.Table(table); t != nil && t.has(text) {
			return true
		}
	}
	return false
}

func (t *Table) has(code string) bool {
	_, known := t.Values[code]
	return known
}

// typesSettled is the version from which on the type ID is used with HL7's own tables
// only. Before, some fields with user-defined tables had it, such as PV1-4.
const typesSettled = "2.5.1"

// isFixed reports whether the table of a field of type ID is HL7's own.
func isFixed(p hl7.Path) bool {
	f := Of(typesSettled).part(p)
	return f == nil || f.Type == "ID" || f.Type == "" || f.Type == "VARIES"
}
