package tables

import (
	"errors"
	"time"

	"github.com/parquet-go/parquet-go"

	"hl7lake/hl7"
)

// An extractor makes rows from messages, one message at a time.
type extractor struct {
	message hl7.Message
	scan    scan
	times   moments

	root, received parquet.Value
	header         hl7.Header
	problem        string // why the message cannot be read
	charset        string
	bytes          int32
	zone           *time.Location // of MSH-7; nil if it has none

	current   [slots]int32 // the segment of each slot that is in effect, or -1
	about     int32        // the last segment that is not an NTE, or -1
	field     int32        // of the identifier
	survivors []int32      // the first repetitions of PID-3 that are not empty

	emit func(t *Table, own slot, repetition int32)
	to   Tables
}

// maxSurvivors is how many identifiers of a patient are searched for the one that
// replaces a prior identifier.
const maxSurvivors = 16

// read starts on a message. A message that cannot be read has no segments.
func (x *extractor) read(m Message) {
	x.root = requiredText([]byte(m.Root))
	x.received = parquet.Int64Value(m.Received.UnixMilli())
	x.bytes = int32(len(m.Body))
	x.problem, x.charset = "", ""
	err := x.message.ParseChosen(m.ReadIn, m.Charset, m.Body)
	x.header = x.message.Header()
	x.scan.read(&x.message)
	for i := range x.current {
		x.current[i] = -1
	}
	x.about = -1
	if err != nil {
		x.problem = problemOf(err)
		return
	}
	x.charset = x.message.Charset().Used
	x.setZone(x.scan.get(x.scan.segments[0], 7, 1, 1))
}

// problemOf returns the code of an error of package hl7.
func problemOf(err error) string {
	var refused *hl7.ParseError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return "charset"
}

// setZone sets the zone to that of MSH-7. If the zone does not change, the old value
// stays.
func (x *extractor) setZone(sent []byte) {
	if len(sent) > longestTime || !hasZone(sent) {
		x.zone = nil
		return
	}
	t, _, err := hl7.ParseTime(string(sent), nil)
	if err != nil {
		x.zone = nil
		return
	}
	_, offset := t.Zone()
	if x.zone != nil {
		if _, same := t.In(x.zone).Zone(); same == offset {
			return
		}
	}
	x.zone = time.FixedZone("", offset)
}

// rows makes all rows of the message.
func (x *extractor) rows() {
	x.current[evn] = x.ahead(-1, evn, pid)
	if len(x.scan.segments) > 0 {
		x.current[msh] = 0
	}
	x.emitFor(x.to.Messages, msh)
	for i := range x.scan.segments {
		x.segment(int32(i))
	}
}

// segment makes the rows of one segment and puts the segment in effect for those after
// it. A patient's segment ends the visit and the order before it. An order's segment ends
// the results before it.
func (x *extractor) segment(i int32) {
	at := &x.scan.segments[i]
	switch at.slot {
	case pid:
		x.end(pv1, pv2, orc, obr, spm, rxo, rxe, rxa, rxr)
		x.current[pid] = i
		x.patient(*at)
	case mrg:
		x.current[mrg] = i
		x.links(*at)
	case pv1:
		x.current[pv1], x.current[pv2] = i, x.ahead(i, pv2, pv1, pid)
		x.emitFor(x.to.Visits, pv1)
	case orc:
		x.commonOrder(i)
	case obr:
		x.detailedOrder(i)
	case rxa:
		x.current[rxa], x.current[rxr] = i, x.ahead(i, rxr, rxa, orc, pid)
		if x.isVaccination() {
			x.emitFor(x.to.Immunizations, rxa)
		}
	case sch:
		x.appointment(i)
	default:
		x.detail(i, at.slot)
	}
	if at.slot != nte {
		x.about = i
	}
}

// detail makes the row of a segment that no other segment depends on.
func (x *extractor) detail(i int32, of slot) {
	var table *Table
	switch of {
	case obx:
		table = x.to.Observations
	case nte:
		table = x.to.Notes
	case dg1:
		table = x.to.Diagnoses
	case al1, iam:
		table = x.to.Allergies
		x.end(al1, iam)
	case in1:
		table = x.to.Insurance
	case nk1:
		table = x.to.NextOfKin
	default:
		return
	}
	x.current[of] = i
	x.emitFor(table, of)
}

// emitFor makes a row about the segment of a slot, unless the segment is empty. The row
// of MSH is always made.
func (x *extractor) emitFor(t *Table, own slot) {
	if i := x.current[own]; own != msh && x.scan.segments[i].first == x.scan.segments[i].last {
		return
	}
	x.emit(t, own, 0)
}

// end takes segments out of effect.
func (x *extractor) end(which ...slot) {
	for _, s := range which {
		x.current[s] = -1
	}
}

// ahead returns the next segment of a slot after position i, or -1 if one of the stopping
// segments comes first. They are chosen so that a message is searched a few times at
// most.
func (x *extractor) ahead(i int32, of slot, stop ...slot) int32 {
	for j := i + 1; j < int32(len(x.scan.segments)); j++ {
		s := x.scan.segments[j].slot
		if s == of {
			return j
		}
		for _, end := range stop {
			if s == end {
				return -1
			}
		}
	}
	return -1
}

// patient makes the rows of a PID segment.
func (x *extractor) patient(at segment) {
	x.emitFor(x.to.Patients, pid)
	x.survivors = x.survivors[:0]
	for _, field := range identifierFields() {
		x.field = field
		x.scan.eachRepetition(at, field, func(repetition int32) {
			if field == 3 && len(x.survivors) < maxSurvivors {
				x.survivors = append(x.survivors, repetition)
			}
			x.emit(x.to.Identifiers, pid, repetition)
		})
	}
}

// links makes the rows of an MRG segment.
func (x *extractor) links(at segment) {
	x.scan.eachRepetition(at, 1, func(repetition int32) { x.emit(x.to.PatientLinks, mrg, repetition) })
}

// commonOrder puts an ORC segment in effect for the segments up to the next ORC. If no
// OBR is among them, the ORC itself is the order.
func (x *extractor) commonOrder(i int32) {
	x.end(obr, spm)
	x.current[orc] = i
	for _, of := range []slot{rxo, rxe, rxa, tq1} {
		x.current[of] = x.ahead(i, of, orc, pid)
	}
	if x.ahead(i, obr, orc, pid) < 0 {
		x.emitFor(x.to.Orders, orc)
	}
	x.end(rxo, rxe, rxa)
}

// detailedOrder puts an OBR segment in effect and makes the order's row. An ORC belongs
// to the first OBR after it. The next OBR begins an order that has no ORC (HL7 v2.5.1,
// 7.3.1, the group ORDER_OBSERVATION).
func (x *extractor) detailedOrder(i int32) {
	if x.current[obr] >= 0 {
		x.end(orc)
	}
	x.current[obr], x.current[spm] = i, x.ahead(i, spm, obr, orc, pid)
	x.emitFor(x.to.Orders, obr)
}

// order returns the segment that the row of the order in effect is about, or -1 if no
// order is in effect.
func (x *extractor) order() int32 {
	if x.current[obr] >= 0 {
		return x.current[obr]
	}
	return x.current[orc]
}

// appointment makes the row of a SCH segment. Its patient and services come after it.
func (x *extractor) appointment(i int32) {
	for _, of := range []slot{pid, tq1, ais, ail} {
		x.current[of] = x.ahead(i, of, sch)
	}
	x.current[sch] = i
	x.emitFor(x.to.Appointments, sch)
}

// isVaccination reports whether the message is about vaccinations (HL7 v2.5.1, 4.17 to
// 4.20). In other messages, RXA segments are about medicines.
func (x *extractor) isVaccination() bool {
	switch x.header.Message {
	case "VXU", "VXR", "VXX", "RSP":
		return true
	}
	return false
}
