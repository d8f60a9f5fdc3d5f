package tables

import "bytes"

func patients() *Table {
	return newTable("patients", "One row a PID segment: what the message says of the patient.", key(),
		head("PID"),
		text("patient_id", "PID-3.1, PID-2.1", Identifier, "the first identifier; all are in identifiers"),
		text("patient_id_authority", "PID-3.4, PID-2.4", Identifier, "who assigned it"),
		text("patient_id_type", "PID-3.5, PID-2.5", Code, "its type, such as `MR` (HL7 table 0203)"),
		text("account_number", "PID-18.1", Identifier, "the account's number"),
		text("family_name", "PID-5.1", Name, "the family name"),
		text("given_name", "PID-5.2", Name, "the given name"),
		text("middle_name", "PID-5.3", Name, "further given names or initials"),
		text("name_suffix", "PID-5.4", Name, "what stands behind the name, such as Jr"),
		text("name_prefix", "PID-5.5", Name, "what stands before it, such as Dr"),
		text("name_type", "PID-5.7", Code, "the kind of name (HL7 table 0200)"),
		text("mothers_name", "PID-6.1", Name, "the mother's family name"),
		date("birth_date", "PID-7", Birth, "the date of birth"),
		text("sex", "PID-8.1", Code, "the administrative sex (HL7 table 0001)"),
		text("race_code", "PID-10.1", Code, "the race (HL7 table 0005)"),
		text("ethnic_group_code", "PID-22.1", Code, "the ethnic group (HL7 table 0189)"),
		text("street", "PID-11.1", Address, "the street"),
		text("street_other", "PID-11.2", Address, "a second line of the address"),
		text("city", "PID-11.3", Address, "the city"),
		text("state", "PID-11.4", State, "the state or province"),
		text("postal_code", "PID-11.5", PostalCode, "the postal code"),
		text("country", "PID-11.6", Code, "the country (ISO 3166, or HL7 table 0399)"),
		text("county_code", "PID-12.1, PID-11.9", Address, "the county or parish"),
		text("phone_home", "PID-13.1", Contact, "the telephone at home"),
		text("phone_work", "PID-14.1", Contact, "the telephone at work"),
		text("language_code", "PID-15.1", Code, "the primary language"),
		text("marital_status_code", "PID-16.1", Code, "the marital status (HL7 table 0002)"),
		text("religion_code", "PID-17.1", Code, "the religion (HL7 table 0006)"),
		text("birth_place", "PID-23.1", Address, "where the patient was born"),
		timestamp("died_at", "PID-29", "when the patient died"),
		text("dead", "PID-30.1", Code, "whether the patient is dead: `Y` or `N`"),
	)
}

// date is three columns: a day, its text and its precision.
func date(name, paths string, class Class, doc string) field {
	places, from := placesOf(paths)
	return field{
		columns: []Column{
			{Name: name, Type: Date, Path: paths, Doc: doc + "; where it is not precise, the first day", Class: class},
			{Name: name + "_text", Path: paths, Doc: doc + ", as it was sent", Class: class},
			{Name: name + "_precision", Path: paths, Doc: "the last part of it that is known, as in times", Class: Plain},
		},
		slots: from,
		fill:  func(r *row, at int) { r.day(at, r.get(places)) },
	}
}

// identifierFields are the fields of PID that hold identifiers (HL7 v2.5.1, 3.4.2):
// external, internal and alternate ones before version 2.3.1, account, national number.
func identifierFields() []int32 { return []int32{2, 3, 4, 18, 19} }

func identifiers() *Table {
	return newTable("identifiers", "One row an identifier of a patient: each repetition of PID-2, PID-3, PID-4, PID-18 and PID-19.",
		[]string{"root", "seq", "field", "repetition"},
		head("PID"),
		field{
			columns: []Column{
				{Name: "field", Type: Integer, Required: true, Doc: "the field of PID that it stands in", Class: Plain},
				{Name: "repetition", Type: Integer, Required: true, Doc: "the repetition, from 1", Class: Plain},
				{Name: "id", Path: "PID-3.1", Doc: "the identifier", Class: Identifier},
				{Name: "check_digit", Path: "PID-3.2", Doc: "its check digit", Class: Identifier},
				{Name: "authority", Path: "PID-3.4.1", Doc: "who assigned it", Class: Identifier},
				{Name: "authority_id", Path: "PID-3.4.2", Doc: "that one's universal id, such as an OID", Class: Identifier},
				{Name: "type", Path: "PID-3.5", Doc: "its type, such as `MR`, `SS`, `PI` (HL7 table 0203)", Class: Code},
				{Name: "facility", Path: "PID-3.6", Doc: "the house that assigned it", Class: Institution},
			},
			slots: []slot{pid},
			fill: func(r *row, at int) {
				r.set(at, required(r.field))
				r.set(at+1, required(r.repetition))
				r.identifier(at+2, pid, r.field, r.repetition)
			},
		},
	)
}

// identifier sets six columns to a repetition, which is a CX from version 2.3 on.
func (r *row) identifier(at int, of slot, field, repetition int32) {
	segment, ok := r.segment(of)
	if !ok {
		return
	}
	for i, p := range [...]struct{ component, subcomponent int32 }{{1, 1}, {2, 1}, {4, 1}, {4, 2}, {5, 1}, {6, 1}} {
		r.value(at+i, of, r.scan.at(segment, field, repetition, p.component, p.subcomponent))
	}
}

func patientLinks() *Table {
	return newTable("patient_links", "One row an identifier that became another's, or whose records did: each repetition of MRG-1 (A18, A34, A40 and their kin).",
		[]string{"root", "seq", "repetition"},
		head("MRG"),
		reference("patient_seq", pid, "patients"),
		text("event", "MSH-9.2, EVN-1", Code, "the trigger event"),
		field{
			columns: []Column{
				{Name: "repetition", Type: Integer, Required: true, Doc: "the repetition of MRG-1, from 1", Class: Plain},
				{Name: "kind", Doc: "`merge`: the prior one is no longer used; `move`: its records went; `change`: it was replaced; NULL of other events", Class: Plain},
				{Name: "prior_id", Path: "MRG-1.1", Doc: "the identifier that was", Class: Identifier},
				{Name: "prior_check_digit", Path: "MRG-1.2", Doc: "its check digit", Class: Identifier},
				{Name: "prior_authority", Path: "MRG-1.4.1", Doc: "who assigned it", Class: Identifier},
				{Name: "prior_authority_id", Path: "MRG-1.4.2", Doc: "that one's universal id", Class: Identifier},
				{Name: "prior_type", Path: "MRG-1.5", Doc: "its type (HL7 table 0203)", Class: Code},
				{Name: "prior_facility", Path: "MRG-1.6", Doc: "the house that assigned it", Class: Institution},
				{Name: "id", Path: "PID-3.1", Doc: "the identifier that is: the repetition of PID-3 with the prior one's authority and type, else the first", Class: Identifier},
				{Name: "check_digit", Path: "PID-3.2", Doc: "its check digit", Class: Identifier},
				{Name: "authority", Path: "PID-3.4.1", Doc: "who assigned it", Class: Identifier},
				{Name: "authority_id", Path: "PID-3.4.2", Doc: "that one's universal id", Class: Identifier},
				{Name: "type", Path: "PID-3.5", Doc: "its type", Class: Code},
				{Name: "facility", Path: "PID-3.6", Doc: "the house that assigned it", Class: Institution},
			},
			slots: []slot{mrg, pid},
			fill: func(r *row, at int) {
				r.set(at, required(r.repetition))
				r.text(at+1, linkKind(r.header.Event, r.eventOfEVN()))
				r.identifier(at+2, mrg, 1, r.repetition)
				r.identifier(at+8, pid, 3, r.survivor())
			},
		},
		text("prior_account_number", "MRG-3.1", Identifier, "the account that was"),
		text("prior_visit_number", "MRG-5.1", Identifier, "the visit that was"),
		text("prior_family_name", "MRG-7.1", Name, "the family name that was"),
		text("prior_given_name", "MRG-7.2", Name, "the given name that was"),
	)
}

// linkKind returns what an event does to the identifiers of MRG (HL7 v2.5.1, 3.3.18 to
// 3.3.51). The event is MSH-9.2, or EVN-1 if that is empty. It is nil if the event is not
// about identifiers.
func linkKind(event string, early []byte) []byte {
	if event == "" {
		event = string(early)
	}
	switch event {
	case "A18", "A34", "A35", "A36", "A39", "A40", "A41", "A42":
		return []byte("merge")
	case "A43", "A44", "A45":
		return []byte("move")
	case "A46", "A47", "A48", "A49", "A50", "A51":
		return []byte("change")
	}
	return nil
}

// eventOfEVN returns EVN-1, or nil if there is none.
func (r *row) eventOfEVN() []byte { return r.get([]place{{evn, 1, 1, 1}}) }

// survivor returns the repetition of PID-3 that has the same authority and type as MRG-1.
// If there is none, or MRG-1 has neither, it returns the first repetition.
func (r *row) survivor() int32 {
	prior, ok := r.segment(mrg)
	patient, known := r.segment(pid)
	if !ok || !known {
		return 1
	}
	authority, kind := r.scan.get(prior, 1, r.repetition, 4), r.scan.get(prior, 1, r.repetition, 5)
	if authority == nil && kind == nil {
		return 1
	}
	for _, n := range r.survivors {
		if bytes.Equal(authority, r.scan.get(patient, 3, n, 4)) && bytes.Equal(kind, r.scan.get(patient, 3, n, 5)) {
			return n
		}
	}
	return 1
}
