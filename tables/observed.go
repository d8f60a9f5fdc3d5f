package tables

import (
	"bytes"
	"strings"
)

// The columns of an observed value, in their order.
const (
	valueType = iota
	valueCount
	valueText
	valueNumber
	valueComparator
	valueSeparator
	valueNumber2
	valueCode
	valueCodeText
	valueCodeSystem
	valueAlternateCode
	valueAlternateText
	valueAlternateSystem
	valueMedia
	valueEncoding
	valueSize
	valueAt
)

// observedValue is OBX-5, whose type OBX-2 states (HL7 v2.5.1, 7.4.2.2 and 7.4.2.5, table
// 0125). Only the first of several repetitions is typed. The texts of all repetitions are
// joined as lines. The table values has every repetition.
func observedValue() field {
	columns := []Column{
		{Name: "value_type", Path: "OBX-2", Doc: "the type of the value: `NM` number, `SN` structured number, `CE` `CWE` code, `TX` text, … (HL7 table 0125)", Class: Code},
		{Name: "value_count", Type: Integer, Path: "OBX-5", Doc: "how many repetitions the value has that are not empty", Class: Plain},
		{Name: "value_text", Path: "OBX-5", Doc: "the value as a person reads it: the number or text as it was sent, lines joined; of a code its text, else the code; " +
			"of a structured number its parts; of what is kept elsewhere its address; NULL of documents", Class: FreeText},
		{Name: "value_number", Type: Number, Path: "OBX-5.1, OBX-5.2", Doc: "the number of an `NM`, `SN` or `CQ`, the lower end of an `NR`", Class: Quantity},
		{Name: "value_comparator", Path: "OBX-5.1", Doc: "of an `SN`: `>` `<` `>=` `<=` `=` `<>`; NULL is `=`", Class: Code},
		{Name: "value_separator", Path: "OBX-5.3", Doc: "of an `SN`: `-` range, `/` or `:` ratio, `+` or more, as in a titre of 2+; of an `NR`: `-`", Class: Code},
		{Name: "value_number_2", Type: Number, Path: "OBX-5.4", Doc: "the second number of an `SN`, the upper end of an `NR`", Class: Quantity},
		{Name: "value_code", Path: "OBX-5.1", Doc: "the code of a `CE`, `CWE`, `CNE`, `CF`, `ID` or `IS`", Class: Code},
		{Name: "value_code_text", Path: "OBX-5.2", Doc: "its text", Class: FreeText},
		{Name: "value_code_system", Path: "OBX-5.3", Doc: "its system", Class: Code},
		{Name: "value_alternate_code", Path: "OBX-5.4", Doc: "the code in another system", Class: Code},
		{Name: "value_alternate_text", Path: "OBX-5.5", Doc: "that one's text", Class: FreeText},
		{Name: "value_alternate_system", Path: "OBX-5.6", Doc: "that one's system", Class: Code},
		{Name: "value_media", Path: "OBX-5.2, OBX-5.3", Doc: "of a document (`ED`, `RP`): its type and sub-type, `APPLICATION/PDF`", Class: Code},
		{Name: "value_encoding", Path: "OBX-5.4", Doc: "of an `ED`: `A` none, `Hex`, `Base64` (HL7 table 0299)", Class: Code},
		{Name: "value_size", Type: Integer, Path: "OBX-5.5", Doc: "of an `ED`: how many bytes of text its data take; they themselves are in values", Class: Plain},
	}
	return field{
		columns: append(columns, timestampColumns("value_at", "OBX-5", "a value that is a time (`TS`, `DTM`, `DT`)")...),
		slots:   []slot{obx, msh},
		fill:    fillObserved,
	}
}

func fillObserved(r *row, at int) {
	segment, ok := r.segment(obx)
	if !ok {
		return
	}
	kind := r.scan.get(segment, 2, 1, 1)
	r.text(at+valueType, kind)
	count, first := int32(0), int32(1)
	r.scan.eachRepetition(segment, 5, func(repetition int32) {
		if count++; count == 1 {
			first = repetition
		}
	})
	if count == 0 {
		return
	}
	r.integer(at+valueCount, count)
	v := observed{row: r, at: at, segment: segment, repetition: first}
	switch string(bytes.ToUpper(kind)) {
	case "NM":
		v.plain()
		v.setNumber(valueNumber, v.part(1))
	case "SN":
		v.structured()
	case "CQ":
		v.plain()
		v.setNumber(valueNumber, v.part(1))
	case "NR":
		v.numericRange()
	case "CE", "CWE", "CNE", "CF", "ID", "IS":
		v.coded()
	case "TS", "DTM", "DT":
		v.plain()
		r.timestamp(at+valueAt, v.part(1))
	case "ED":
		v.document()
	case "RP":
		v.plain()
		v.media(3, 4)
	default:
		v.plain()
	}
}

// observed is the value of one OBX segment.
type observed struct {
	*row
	at         int
	segment    segment
	repetition int32 // the first that is not empty
}

// part returns a component, or nil if there is none.
func (v observed) part(component int32) []byte {
	return v.scan.get(v.segment, 5, v.repetition, component)
}

func (v observed) setNumber(column int, text []byte) {
	if n, ok := parseNumber(text); ok {
		v.number(v.at+column, n)
	}
}

// plain sets the text to the first components of all repetitions, one on each line.
func (v observed) plain() { v.text(v.at+valueText, v.joined(place{slot: obx, field: 5}, "\n")) }

// structured is an SN: comparator, number, separator, number (HL7 v2.5.1, 2.A.69).
func (v observed) structured() {
	var all []byte
	for component := int32(1); component <= 4; component++ {
		all = append(all, v.part(component)...)
	}
	if len(all) > 0 {
		v.text(v.at+valueText, all)
	}
	v.text(v.at+valueComparator, v.part(1))
	v.setNumber(valueNumber, v.part(2))
	v.text(v.at+valueSeparator, v.part(3))
	v.setNumber(valueNumber2, v.part(4))
}

// numericRange is an NR: low and high (HL7 v2.5.1, 2.A.49).
func (v observed) numericRange() {
	v.text(v.at+valueText, bytes.Join([][]byte{v.part(1), v.part(2)}, []byte("-")))
	v.setNumber(valueNumber, v.part(1))
	v.text(v.at+valueSeparator, []byte("-"))
	v.setNumber(valueNumber2, v.part(2))
}

// coded is a code with its text and system. ID and IS have only a code.
func (v observed) coded() {
	for component := int32(1); component <= 6; component++ {
		v.text(v.at+valueCode+int(component)-1, v.part(component))
	}
	for _, component := range []int32{2, 9, 1, 5, 4} { // CWE-9 is the original text, which may say more than the code
		if found := v.part(component); found != nil {
			v.text(v.at+valueText, found)
			return
		}
	}
}

// document is an ED: who made it, type, sub-type, encoding, data (HL7 v2.5.1, 2.A.24).
func (v observed) document() {
	v.media(2, 3)
	v.text(v.at+valueEncoding, v.part(4))
	if data := v.part(5); data != nil {
		v.integer(v.at+valueSize, int32(len(data)))
	}
}

func (v observed) media(kind, subtype int32) {
	parts := make([]string, 0, 2)
	for _, component := range []int32{kind, subtype} {
		if found := v.part(component); found != nil {
			parts = append(parts, string(found))
		}
	}
	if len(parts) > 0 {
		v.text(v.at+valueMedia, []byte(strings.Join(parts, "/")))
	}
}

// referenceRange is OBX-7: the text, and its two ends if it has the form `low-high`, `<
// high`, `<= high`, `> low`, `>= low` (HL7 v2.5.1, 7.4.2.7).
func referenceRange() field {
	return field{
		columns: []Column{
			{Name: "reference_range", Path: "OBX-7", Doc: "the range of normal values, as it was sent", Class: FreeText},
			{Name: "reference_low", Type: Number, Path: "OBX-7", Doc: "its lower end; NULL if it has none, or is not a range of numbers", Class: Quantity},
			{Name: "reference_high", Type: Number, Path: "OBX-7", Doc: "its upper end", Class: Quantity},
		},
		slots: []slot{obx},
		fill: func(r *row, at int) {
			text := r.get([]place{{obx, 7, 1, 1}})
			r.text(at, text)
			low, high := rangeEnds(text)
			if n, ok := parseNumber(low); ok {
				r.number(at+1, n)
			}
			if n, ok := parseNumber(high); ok {
				r.number(at+2, n)
			}
		},
	}
}

// rangeEnds returns the two ends of a range of numbers; an end that is missing is nil. If
// one end is not a number, both are nil.
func rangeEnds(text []byte) (low, high []byte) {
	text = bytes.TrimSpace(text)
	if rest, found := bytes.CutPrefix(text, []byte("<")); found {
		return nil, bytes.TrimPrefix(rest, []byte("="))
	}
	if rest, found := bytes.CutPrefix(text, []byte(">")); found {
		return bytes.TrimPrefix(rest, []byte("=")), nil
	}
	if len(text) == 0 {
		return nil, nil
	}
	i := bytes.IndexByte(text[1:], '-') // a sign may come first
	if i < 0 {
		return nil, nil
	}
	low, high = text[:i+1], text[i+2:]
	if _, ok := parseNumber(low); !ok {
		return nil, nil
	}
	if _, ok := parseNumber(high); !ok {
		return nil, nil
	}
	return low, high
}
