package hl7

import (
	"bytes"
	"strconv"
	"time"
)

// headerName is the name under which a batch's header is read: its first seven fields are
// those of MSH (HL7 v2.5.1, 2.15.2 and 2.15.9).
const headerName = "MSH"

// ReplyHeader returns the header of the answer to a batch or a file: FHS or BHS, as in
// the header that came, with a CR. Sender and receiver are exchanged, and field 12 names
// the control id that came in field 11 (HL7 v2.5.1, 2.10.3 and 2.15.2). What cannot be
// read of the header that came is left out. data is a [Part] of kind [Opening].
func ReplyHeader(data []byte, controlID string, at time.Time) []byte {
	text := data[leadingFrame(data):]
	name := "BHS"
	if bytes.HasPrefix(text, []byte("FHS")) {
		name = "FHS"
	}
	m := new(Message)
	if len(text) < len(name) || m.Parse(append([]byte(headerName), text[len(name):]...)) != nil {
		return []byte(name + "|" + usualEncodingCharacters + "|||||" + at.Format(ackTime) + "||||" + controlID + "\r")
	}
	fields := m.replyFields(at)
	fields[11-1], fields[12-1] = controlID, m.Segment(0).rawField(11)
	header, err := m.reply(fields)
	if err != nil {
		return ReplyHeader(nil, controlID, at)
	}
	return append([]byte(name), header.Encode()[len(headerName):]...)
}

// ReplyTrailer returns the trailer of an answer that [ReplyHeader] began: BTS with the
// number of messages, or FTS with the number of batches, and a CR (HL7 v2.5.1, 2.15.3 and
// 2.15.7).
func ReplyTrailer(header []byte, count int) []byte {
	name := "BTS"
	if bytes.HasPrefix(header, []byte("FHS")) {
		name = "FTS"
	}
	return []byte(name + string(header[3:4]) + strconv.Itoa(count) + "\r")
}
