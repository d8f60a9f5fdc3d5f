package tables

// key identifies a row in all tables except two.
func key() []string { return []string{"root", "seq"} }

// head is the columns that every table begins with.
func head(seq string) field {
	return field{
		columns: []Column{
			{Name: "root", Required: true, Doc: "the id that the sender was told; the first column of every key", Class: Identifier, unique: true},
			{Name: "seq", Type: Integer, Required: true, Doc: "the position in the message, from 1, of " + seq, Class: Plain},
			{Name: "received_at", Type: Timestamp, Required: true, Doc: "when the lake accepted the message, in UTC", Class: Day},
		},
		fill: func(r *row, at int) {
			r.set(at, r.root)
			r.set(at+1, required(r.current[r.own]+1))
			r.set(at+2, r.received)
		},
	}
}

// ofPatient is the columns that refer to a row's patient.
func ofPatient() field {
	return join(
		reference("patient_seq", pid, "patients"),
		text("patient_id", "PID-3.1, PID-2.1", Identifier, "the patient's first identifier; all are in identifiers"),
	)
}

// reference is the column that refers to a row of another table by that row's segment.
func reference(name string, to slot, table string) field {
	return field{
		columns: []Column{{Name: name, Type: Integer, Doc: "the `seq` of the row of " + table + " that this one belongs to, NULL if there is none", Class: Plain}},
		slots:   []slot{to},
		fill: func(r *row, at int) {
			if i := r.current[to]; i >= 0 {
				r.integer(at, i+1)
			}
		},
	}
}

func messages() *Table {
	return newTable("messages", "One row a message, also of one that cannot be read.", key(),
		head("MSH, which is 1"),
		field{
			columns: []Column{
				{Name: "type", Required: true, Path: "MSH-9", Doc: "code and event, `ADT^A01`; `unknown` where MSH-9 does not tell", Class: Code},
				{Name: "problem", Doc: "why the message cannot be read, such as `no-header`; NULL of all others", Class: Plain},
				{Name: "charset", Doc: "the character set in which it was read", Class: Plain},
				{Name: "segments", Type: Integer, Doc: "how many segments it has", Class: Plain},
				{Name: "bytes", Type: Integer, Required: true, Doc: "its size as it was sent", Class: Plain},
			},
			fill: func(r *row, at int) {
				r.set(at, requiredText([]byte(r.header.Type)))
				if r.problem != "" {
					r.text(at+1, []byte(r.problem))
				} else {
					r.text(at+2, []byte(r.charset))
					r.integer(at+3, int32(len(r.scan.segments)))
				}
				r.set(at+4, required(r.bytes))
			},
		},
		text("code", "MSH-9.1", Code, "the message code"),
		text("event", "MSH-9.2, EVN-1", Code, "the trigger event; before 2.2 that of EVN"),
		text("structure", "MSH-9.3", Code, "the message structure"),
		text("version", "MSH-12.1", Code, "the version of HL7"),
		unique(text("control_id", "MSH-10", Identifier, "the sender's own number of the message, which need not be unique")),
		text("processing", "MSH-11.1", Code, "`P` production, `T` training, `D` debugging (HL7 table 0103)"),
		text("sending_application", "MSH-3.1", Institution, "the program that sent it"),
		text("sending_facility", "MSH-4.1", Institution, "the house that sent it"),
		text("receiving_application", "MSH-5.1", Institution, "the program that it is for"),
		text("receiving_facility", "MSH-6.1", Institution, "the house that it is for"),
		timestamp("sent_at", "MSH-7", "when the sender made it"),
		timestamp("event_at", "EVN-6, EVN-2", "when the event happened, else when it was recorded"),
		text("event_reason", "EVN-4.1", Code, "why it happened (HL7 table 0062)"),
	)
}

// unique marks the columns of a field as having a different value in nearly every row.
func unique(f field) field {
	for i := range f.columns {
		f.columns[i].unique = true
	}
	return f
}

func valuesTable() *Table {
	t := newTable("values", "One row a value that is not empty, of every segment, Z segments too: all that a message says, and nothing twice.",
		[]string{"root", "seq", "field", "repetition", "component", "subcomponent"},
		field{columns: []Column{
			{Name: "root", Required: true, Doc: "the id that the sender was told", Class: Identifier, unique: true},
			{Name: "seq", Type: Integer, Required: true, Doc: "the segment's position in the message, from 1", Class: Plain},
			{Name: "segment", Doc: "the segment's name; NULL if the line is not a segment", Class: Plain},
			{Name: "field", Type: Integer, Required: true, Doc: "the field's number; 0 is a row about the segment, which a segment without values has, and a " +
				"line that is not a segment: `value` is its name then", Class: Plain},
			{Name: "repetition", Type: Integer, Required: true, Doc: "the repetition's number, from 1", Class: Plain},
			{Name: "component", Type: Integer, Required: true, Doc: "the component's number, from 1", Class: Plain},
			{Name: "subcomponent", Type: Integer, Required: true, Doc: "the sub-component's number, from 1", Class: Plain},
			{Name: "value", Doc: "the text, decoded; MSH-1 and MSH-2 as they stand", Class: FreeText, unique: true},
		}},
	)
	return t
}
