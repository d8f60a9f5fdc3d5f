package tables

import (
	"fmt"
	"strings"

	"hl7lake/hl7"
)

// A field is what one place in HL7 becomes: one column, or several that belong together.
type field struct {
	columns []Column
	first   int                  // of the columns in the table
	slots   []slot               // the segments that fill reads, if any
	fill    func(r *row, at int) // sets the columns of a new row, from column at on
}

// A place is a parsed path.
type place struct {
	slot                           slot
	field, component, subcomponent int32
}

// placesOf reads paths such as "OBR-2.1, ORC-2.1". The descriptions are part of the
// program, so a malformed path is a fault of the program.
func placesOf(paths string) ([]place, []slot) {
	var places []place
	var from []slot
	for text := range strings.SplitSeq(paths, ", ") {
		path, err := hl7.ParsePath(text)
		at, known := slotsByName()[path.Segment]
		if err != nil || !known {
			panic(fmt.Sprintf("tables: %q is not a path", text))
		}
		places = append(places, place{at, int32(path.Field), int32(max(path.Component, 1)), int32(max(path.Subcomponent, 1))})
		from = append(from, at)
	}
	return places, from
}

// below returns a path one component further down: "OBX-5" and 2 make "OBX-5.2".
func below(path string, component int) string {
	parts := strings.Split(path, ", ")
	for i := range parts {
		parts[i] = fmt.Sprintf("%s.%d", parts[i], component)
	}
	return strings.Join(parts, ", ")
}

// text is a column of text. It comes from the first repetition of the first place that
// has a value.
func text(name, paths string, class Class, doc string) field {
	places, from := placesOf(paths)
	return field{
		columns: []Column{{Name: name, Path: paths, Doc: doc, Class: class}},
		slots:   from,
		fill: func(r *row, at int) {
			of, found := r.find(places)
			r.value(at, of, found)
		},
	}
}

// repeated is a column with the first components of all repetitions of a field, with a
// separator between them. The field is the first one that has a value.
func repeated(name, paths, separator string, class Class, doc string) field {
	places, from := placesOf(paths)
	return field{
		columns: []Column{{Name: name, Path: paths, Doc: doc, Class: class}},
		slots:   from,
		fill: func(r *row, at int) {
			for _, p := range places {
				if found := r.joined(p, separator); found != nil {
					r.text(at, found)
					return
				}
			}
		},
	}
}

// integer is two columns: a number without a fraction, and its text.
func integer(name, paths, doc string) field {
	return numeric(name, paths, doc, Integer, parseInteger, (*row).integer)
}

// number is two columns: a number, and its text.
func number(name, paths, doc string) field {
	return numeric(name, paths, doc, Number, parseNumber, (*row).number)
}

// numeric is two columns: what parse makes of a value, which is null if parse reports
// false, and the value's text.
func numeric[T any](name, paths, doc string, of Type, parse func([]byte) (T, bool), set func(*row, int, T)) field {
	places, from := placesOf(paths)
	return field{
		columns: []Column{
			{Name: name, Type: of, Path: paths, Doc: doc + ", as a number", Class: Quantity},
			{Name: name + "_text", Path: paths, Doc: doc + ", as it was sent", Class: FreeText},
		},
		slots: from,
		fill: func(r *row, at int) {
			found := r.get(places)
			if n, ok := parse(found); ok {
				set(r, at, n)
			}
			r.text(at+1, found)
		},
	}
}

// timestamp is four columns: the moment, the text that was sent, its precision, and the
// offset with which it was read. See [row.timestamp].
func timestamp(name, paths, doc string) field {
	places, from := placesOf(paths)
	return field{
		columns: timestampColumns(name, paths, doc),
		slots:   append(from, msh), // which contains the zone
		fill:    func(r *row, at int) { r.timestamp(at, r.get(places)) },
	}
}

// timestampColumns is the columns that [row.timestamp] sets.
func timestampColumns(name, paths, doc string) []Column {
	return []Column{
		{Name: name, Type: Timestamp, Path: paths, Doc: doc + ", in UTC; where it is not precise, the first moment", Class: Day},
		{Name: name + "_text", Path: paths, Doc: doc + ", as it was sent", Class: Day},
		{Name: name + "_precision", Path: paths, Doc: "the last part of it that is known: `year` `month` `day` `hour` `minute` `second` `fraction`", Class: Plain},
		{Name: name + "_offset", Type: Integer, Path: paths, Doc: "minutes east of UTC in which it was read; NULL if nothing states it", Class: Day},
		{Name: name + "_zone", Path: paths, Doc: "who says the offset: `value`; `message`, the one of MSH-7; `unknown`, read as UTC", Class: Plain},
	}
}

// coded is the columns of a coded element (HL7 v2.5.1, 2.A.13): code, text and coding
// system, and the alternate ones. Before version 2.3 some are an ID or ST, whose only
// component is the code.
func coded(name, path string, doc string) field {
	from, slots := placesOf(path)
	columns := []Column{
		{Name: name + "_code", Path: below(path, 1), Doc: doc + ": the code", Class: Code},
		{Name: name + "_text", Path: below(path, 2), Doc: doc + ": its text", Class: FreeText},
		{Name: name + "_system", Path: below(path, 3), Doc: doc + ": the code's system, such as `LN` for LOINC (HL7 table 0396)", Class: Code},
		{Name: name + "_alternate_code", Path: below(path, 4), Doc: doc + ": the code in another system", Class: Code},
		{Name: name + "_alternate_text", Path: below(path, 5), Doc: doc + ": that one's text", Class: FreeText},
		{Name: name + "_alternate_system", Path: below(path, 6), Doc: doc + ": that one's system", Class: Code},
	}
	return field{
		columns: columns,
		slots:   slots,
		fill: func(r *row, at int) {
			for _, place := range from {
				if r.components(at, place, len(columns)) {
					return
				}
			}
		},
	}
}

// numbered is two columns: an identifier (EI, CX or a number qualified by HD), and who
// assigned it. Authority is the component that names the authority.
func numbered(name, path string, authority int, doc string) field {
	return join(
		text(name, below(path, 1), Identifier, doc),
		text(name+"_authority", below(path, authority), Identifier, doc+": who assigned it"),
	)
}

// person is the columns of somebody who cares for the patient: a CN, or an XCN from
// version 2.3 on.
func person(name, path, doc string) field {
	return join(
		text(name+"_id", below(path, 1), Identifier, doc+": number"),
		text(name+"_family_name", below(path, 2), Name, doc+": family name"),
		text(name+"_given_name", below(path, 3), Name, doc+": given name"),
	)
}

// join combines several fields into one.
func join(fields ...field) field {
	var all field
	for i := range fields {
		fields[i].first = len(all.columns)
		all.columns = append(all.columns, fields[i].columns...)
		all.slots = append(all.slots, fields[i].slots...)
	}
	all.fill = func(r *row, at int) {
		for i := range fields {
			fields[i].fill(r, at+fields[i].first)
		}
	}
	return all
}
