package tables

import "slices"

// Version is the version of the tables. Raise it when the same message gives other rows:
// files of another version are then made again.
const Version = "1"

// Type is the type of a column's values.
type Type int

// The types. Each has one form in Parquet and one name in Glue.
const (
	Text      Type = iota // UTF-8
	Integer               // 32 bits, signed
	Number                // a double
	Date                  // a day
	Timestamp             // a moment in UTC, in milliseconds; without a zone, so that it reads the same in every session
)

// Glue returns the type's name in a Glue table. Athena, Spark and Hive use the same
// names.
func (t Type) Glue() string {
	return [...]string{Text: "string", Integer: "int", Number: "double", Date: "date", Timestamp: "timestamp"}[t]
}

// A Class says what a column may tell about a patient, and therefore what
// de-identification does with it.
type Class int

// The classes, after the identifiers that 45 CFR 164.514(b)(2) lists. Zero is none of
// them: each column has one.
const (
	Plain       Class = iota + 1 // a position, a count, or a word of this package: nothing that the sender chose
	Code                         // of a coding system or a table of HL7
	Quantity                     // a number that was measured or counted
	State                        // of the United States
	Name                         // of a person
	Identifier                   // a number or code that identifies a person, a visit, an order, a message or a device
	Address                      // of a person, below the state
	PostalCode                   // of a person
	Contact                      // telephone, e-mail
	Day                          // a date or time that has to do with the patient
	Birth                        // the patient's date of birth
	Institution                  // who sent or keeps the record, and where in the hospital
	FreeText                     // what a person may have typed
)

// A Table is one table.
type Table struct {
	Name    string
	Doc     string   // a sentence that says what one row is
	Key     []string // the columns that identify a row
	Columns []Column

	fields []field
	slots  []slot // the segments that the columns come from
}

// A Column is one column of a table.
type Column struct {
	Name     string
	Type     Type
	Required bool   // never NULL
	Path     string // where it comes from in HL7, such as "PID-5.1"; several are tried in their order; empty for what is computed
	Doc      string // what it is
	Class    Class

	unique bool // nearly every row has another value: a dictionary would not help
}

// Index returns the position of a column, or -1 if the table has no column of that name.
func (t *Table) Index(column string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == column })
}

// Tables is all tables, in the order of the documents.
type Tables struct {
	Messages, Patients, Identifiers, PatientLinks, Visits, Orders, Observations, Notes, Diagnoses, Allergies,
	Insurance, NextOfKin, Immunizations, Appointments, Values *Table
}

// New returns the tables. Each call makes them anew, and the caller may change them.
func New() Tables {
	return Tables{
		Messages:      messages(),
		Patients:      patients(),
		Identifiers:   identifiers(),
		PatientLinks:  patientLinks(),
		Visits:        visits(),
		Orders:        orders(),
		Observations:  observations(),
		Notes:         notes(),
		Diagnoses:     diagnoses(),
		Allergies:     allergies(),
		Insurance:     insurance(),
		NextOfKin:     nextOfKin(),
		Immunizations: immunizations(),
		Appointments:  appointments(),
		Values:        valuesTable(),
	}
}

// All lists the tables.
func (t Tables) All() []*Table {
	return []*Table{
		t.Messages, t.Patients, t.Identifiers, t.PatientLinks, t.Visits, t.Orders, t.Observations, t.Notes, t.Diagnoses,
		t.Allergies, t.Insurance, t.NextOfKin, t.Immunizations, t.Appointments, t.Values,
	}
}

// newTable makes a table from its fields.
func newTable(name, doc string, key []string, fields ...field) *Table {
	t := &Table{Name: name, Doc: doc, Key: key, fields: fields}
	for i := range t.fields {
		f := &t.fields[i]
		f.first = len(t.Columns)
		t.Columns = append(t.Columns, f.columns...)
		for _, s := range f.slots {
			if !slices.Contains(t.slots, s) {
				t.slots = append(t.slots, s)
			}
		}
	}
	return t
}
