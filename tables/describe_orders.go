package tables

func orders() *Table {
	return newTable("orders", "One row an OBR segment, with the ORC before it; and one row an ORC segment that no OBR follows.", key(),
		field{
			columns: head("OBR, else of ORC").columns,
			fill:    head("").fill,
		},
		ofPatient(),
		reference("visit_seq", pv1, "visits"),
		text("control", "ORC-1", Code, "what is asked or said: `NW` new order, `CA` cancel, `RE` results, … (HL7 table 0119)"),
		numbered("placer_number", "OBR-2, ORC-2", 2, "the number of who ordered"),
		numbered("filler_number", "OBR-3, ORC-3", 2, "the number of who carries it out"),
		numbered("placer_group", "ORC-4", 2, "the number of the group of orders"),
		text("order_status", "ORC-5", Code, "the order's state (HL7 table 0038)"),
		coded("service", "OBR-4, RXE-2, RXO-1, RXA-5", "what is ordered: an examination, a medicine, a vaccine"),
		text("priority", "OBR-27.6, ORC-7.6, OBR-5, TQ1-9.1", Code, "how urgent: `S` stat, `R` routine, … "),
		timestamp("ordered_at", "ORC-9", "when the order was entered"),
		timestamp("requested_at", "OBR-6, ORC-15", "when it was asked for, which HL7 keeps from before 2.3; else from when on it is valid"),
		timestamp("collected_at", "OBR-7", "when the specimen was taken, or the observation began"),
		timestamp("collection_ended_at", "OBR-8", "when that ended"),
		timestamp("specimen_received_at", "OBR-14, SPM-18", "when the laboratory had the specimen"),
		timestamp("reported_at", "OBR-22", "when the results were reported, or their state changed"),
		text("specimen_code", "SPM-4.1, OBR-15.1.1", Code, "the specimen: its code"),
		text("specimen_text", "SPM-4.2, OBR-15.1.2", FreeText, "the specimen: its text"),
		text("diagnostic_service", "OBR-24", Code, "the department: `LAB`, `RAD`, `MB`, … (HL7 table 0074)"),
		text("result_status", "OBR-25", Code, "the state of the results: `P` preliminary, `F` final, `C` corrected, … (HL7 table 0123)"),
		text("reason_code", "OBR-31.1", Code, "why it is ordered: the code"),
		text("reason_text", "OBR-31.2", FreeText, "why it is ordered: its text"),
		person("ordering", "OBR-16, ORC-12", "who ordered"),
		text("clinical_information", "OBR-13.1, OBR-13.2", FreeText, "what the laboratory should know"),
	)
}

func observations() *Table {
	return newTable("observations", "One row an OBX segment: a result, as it is at that moment. A corrected result is a new row with its status; the view observations_current has the last.",
		key(),
		head("OBX"),
		ofPatient(),
		reference("visit_seq", pv1, "visits"),
		field{
			columns: []Column{{Name: "order_seq", Type: Integer, Doc: "the `seq` of the row of orders that this one belongs to, NULL if there is none", Class: Plain}},
			slots:   []slot{orc, obr},
			fill: func(r *row, at int) {
				if i := r.order(); i >= 0 {
					r.integer(at, i+1)
				}
			},
		},
		numbered("placer_number", "OBR-2, ORC-2", 2, "the order's number of who ordered"),
		numbered("filler_number", "OBR-3, ORC-3", 2, "the order's number of who carries it out"),
		text("service_code", "OBR-4.1", Code, "what was ordered: the code"),
		text("service_text", "OBR-4.2", FreeText, "what was ordered: its text"),
		text("service_system", "OBR-4.3", Code, "what was ordered: the code's system"),
		timestamp("collected_at", "OBR-7", "when the specimen was taken, or the observation began"),
		timestamp("reported_at", "OBR-22", "when the results were reported, or their state changed"),
		integer("set_id", "OBX-1", "the sender's numbering"),
		coded("observation", "OBX-3", "what was observed"),
		text("sub_id", "OBX-4.1", Code, "which of several observations with one code"),
		observedValue(),
		text("unit", "OBX-6.1", Code, "the unit: the code, or all there is"),
		text("unit_text", "OBX-6.2", FreeText, "the unit: its text"),
		text("unit_system", "OBX-6.3", Code, "the unit: the code's system, such as `UCUM`"),
		referenceRange(),
		repeated("abnormal_flags", "OBX-8", "~", Code, "`H` high, `LL` critically low, `A` abnormal, `N` normal, … (HL7 table 0078), several with ~ between them"),
		text("status", "OBX-11", Code, "`P` preliminary, `F` final, `C` corrected, `D` deleted, `X` cannot be had, … (HL7 table 0085)"),
		timestamp("observed_at", "OBX-14", "when it was observed"),
		timestamp("analyzed_at", "OBX-19", "when it was analysed"),
		text("method_code", "OBX-17.1", Code, "how: the code"),
		text("producer", "OBX-15.1", Institution, "who produced the result"),
		text("performing_organization", "OBX-23.1", Institution, "the laboratory that carried it out"),
	)
}

func notes() *Table {
	return newTable("notes", "One row an NTE segment: a note on the segment before it.", key(),
		head("NTE"),
		ofPatient(),
		field{
			columns: []Column{
				{Name: "about_seq", Type: Integer, Doc: "the `seq` of the segment that it is about: the last one before it that is no NTE", Class: Plain},
				{Name: "about_segment", Doc: "that one's name, if it is one of three letters", Class: Plain},
			},
			fill: func(r *row, at int) {
				if r.about < 0 {
					return
				}
				r.integer(at, r.about+1)
				if name := r.scan.segments[r.about].name; isSegmentName(name) {
					r.text(at+1, []byte(name))
				}
			},
		},
		text("source", "NTE-2", Code, "who wrote it: `L` laboratory, `P` orderer, `O` other (HL7 table 0105)"),
		repeated("text", "NTE-3", "\n", FreeText, "the note; its repetitions are lines"),
		text("type_code", "NTE-4.1", Code, "the kind of note (HL7 table 0364)"),
	)
}
