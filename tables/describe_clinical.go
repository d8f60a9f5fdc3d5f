package tables

func diagnoses() *Table {
	return newTable("diagnoses", "One row a DG1 segment: a diagnosis.", key(),
		head("DG1"),
		ofPatient(),
		reference("visit_seq", pv1, "visits"),
		integer("set_id", "DG1-1", "the sender's numbering"),
		text("code", "DG1-3.1", Code, "the code"),
		text("text", "DG1-3.2, DG1-4", FreeText, "its text"),
		text("system", "DG1-3.3, DG1-2", Code, "the code's system, such as `I10`; before 2.3 in a field of its own"),
		timestamp("diagnosed_at", "DG1-5", "when it was made"),
		text("type", "DG1-6.1", Code, "`A` admitting, `W` working, `F` final (HL7 table 0052)"),
		integer("priority", "DG1-15", "its rank, 1 for the primary one"),
		person("diagnosing", "DG1-16", "who made it"),
	)
}

func allergies() *Table {
	return newTable("allergies", "One row an AL1 or IAM segment: an allergy or intolerance.", key(),
		head("AL1 or IAM"),
		ofPatient(),
		text("type_code", "AL1-2.1, IAM-2.1", Code, "`DA` drug, `FA` food, … (HL7 table 0127)"),
		coded("allergen", "AL1-3, IAM-3", "to what"),
		text("severity_code", "AL1-4.1, IAM-4.1", Code, "`SV` severe, `MO` moderate, `MI` mild (HL7 table 0128)"),
		repeated("reactions", "AL1-5, IAM-5", "~", FreeText, "what happened, several with ~ between them"),
		text("action", "IAM-6.1", Code, "`A` add, `D` delete, `U` update (HL7 table 0323); NULL of AL1, whose list is complete"),
		text("status", "IAM-17.1", Code, "its state (HL7 table 0438)"),
		timestamp("identified_at", "AL1-6, IAM-11", "since when, or when it began"),
	)
}

func insurance() *Table {
	return newTable("insurance", "One row an IN1 segment: an insurance of the patient.", key(),
		head("IN1"),
		ofPatient(),
		integer("set_id", "IN1-1", "the sender's numbering"),
		text("plan_code", "IN1-2.1", Code, "the plan: its code"),
		text("plan_text", "IN1-2.2", FreeText, "the plan: its text"),
		text("company_id", "IN1-3.1", Code, "the company's number"),
		text("company_name", "IN1-4.1", FreeText, "the company's name"),
		text("group_number", "IN1-8.1", Identifier, "the group's number"),
		text("policy_number", "IN1-36.1", Identifier, "the policy's number"),
		timestamp("effective_at", "IN1-12", "from when on it is valid"),
		timestamp("expires_at", "IN1-13", "until when"),
		text("insured_family_name", "IN1-16.1", Name, "the insured person's family name"),
		text("insured_given_name", "IN1-16.2", Name, "the insured person's given name"),
		text("insured_relationship", "IN1-17.1", Code, "what the insured person is to the patient (HL7 table 0063)"),
	)
}

func nextOfKin() *Table {
	return newTable("next_of_kin", "One row an NK1 segment: a person to turn to.", key(),
		head("NK1"),
		ofPatient(),
		integer("set_id", "NK1-1", "the sender's numbering"),
		text("family_name", "NK1-2.1", Name, "the family name"),
		text("given_name", "NK1-2.2", Name, "the given name"),
		text("relationship_code", "NK1-3.1", Code, "what the person is to the patient (HL7 table 0063)"),
		text("street", "NK1-4.1", Address, "the street"),
		text("city", "NK1-4.3", Address, "the city"),
		text("state", "NK1-4.4", State, "the state or province"),
		text("postal_code", "NK1-4.5", PostalCode, "the postal code"),
		text("phone_home", "NK1-5.1", Contact, "the telephone at home"),
		text("phone_work", "NK1-6.1", Contact, "the telephone at work"),
		text("role_code", "NK1-7.1", Code, "the role, such as emergency contact (HL7 table 0131)"),
	)
}

func immunizations() *Table {
	return newTable("immunizations", "One row an RXA segment of a message about vaccinations (VXU, VXR, VXX, RSP): a dose, given or not.", key(),
		head("RXA"),
		ofPatient(),
		numbered("filler_number", "ORC-3", 2, "the number of who keeps the record"),
		timestamp("given_at", "RXA-3", "when it was given"),
		coded("vaccine", "RXA-5", "the vaccine, such as a code of `CVX`"),
		number("amount", "RXA-6", "how much; `999` is not recorded"),
		text("unit", "RXA-7.1", Code, "the unit"),
		text("record_source", "RXA-9.1", Code, "given here, or taken from a record: the code"),
		text("lot_number", "RXA-15.1", Identifier, "the first lot's number"),
		timestamp("lot_expires_at", "RXA-16", "when that lot expires"),
		text("manufacturer_code", "RXA-17.1", Code, "the maker, such as a code of `MVX`"),
		text("refusal_code", "RXA-18.1", Code, "why it was refused: the code"),
		text("completion", "RXA-20", Code, "`CP` complete, `RE` refused, `NA` not given, `PA` partly (HL7 table 0322)"),
		text("action", "RXA-21", Code, "`A` add, `D` delete, `U` update (HL7 table 0323)"),
		text("route_code", "RXR-1.1", Code, "how it was given (HL7 table 0162)"),
		text("site_code", "RXR-2.1", Code, "where on the body (HL7 table 0163)"),
	)
}
