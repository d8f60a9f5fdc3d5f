package main

import "hl7lake/hl7/dictionary/internal/facts"

// The first version with code tables.
const firstWithCodes = "2.3.1"

// mergeTables takes each version's codes from hl7apy, and their meanings from the npm
// package, which has one table for all versions.
func (m *merger) mergeTables() {
	from := firstWithCodes
	for _, v := range versions {
		if m.hl7apy.Codes[v] != nil {
			from = v
		}
		for number, printed := range m.hl7apy.Codes[from] {
			codes, open := facts.CleanCodes(printed)
			t := &table{open: open, values: map[string]string{}}
			known := m.npm.tables[latest()][number]
			if known != nil {
				t.description = known.description
			}
			for _, code := range codes {
				t.values[code] = ""
				if known != nil {
					t.values[code] = known.values[code]
				}
			}
			m.into.tables[v][number] = t
		}
	}
}
