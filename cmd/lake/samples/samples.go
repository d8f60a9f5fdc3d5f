// Package samples holds the messages that the demo sends: invented patients, in the forms
// that real senders use. Each is a file, to look at and to send with `lake send`, except
// the large one, which is made here.
package samples

import (
	"bytes"
	"embed"
	"encoding/base64"
)

//go:embed messages not-hl7.txt
var files embed.FS

// Sample is a message and what must become of it.
type Sample struct {
	Name     string // of the file
	Shape    string // what is special about it, in a few words
	Charset  string // declared when it is sent; "" declares none
	Type     string // MSH-9, such as ADT^A01; "unknown" if there is none
	Version  string // MSH-12
	Segments int    // 0 for text that is not HL7 and becomes an error
	Body     []byte
}

// HL7 reports whether the sample must become JSON.
func (s Sample) HL7() bool { return s.Segments > 0 }

// Admission is the ADT^A01 with which every tour of the lake begins.
func Admission() Sample {
	return read(Sample{Name: "adt-a01.hl7", Shape: "CR, repetitions", Type: "ADT^A01", Version: "2.5.1", Segments: 7})
}

// Transfer is the ADT^A02 that an engine sends over MLLP.
func Transfer() Sample {
	return read(Sample{Name: "adt-a02.hl7", Shape: "over MLLP", Type: "ADT^A02", Version: "2.5.1", Segments: 4})
}

const notHL7 = "not-hl7.txt"

// NotHL7 is a line of text, as a misconfigured sender posts it.
func NotHL7() Sample {
	return read(Sample{Name: notHL7, Shape: "a line of text", Type: "unknown"})
}

// Others are the samples except Admission, Transfer and NotHL7.
func Others() []Sample {
	list := []Sample{
		{Name: "adt-a03-latin1.hl7", Shape: "Latin-1", Charset: "iso-8859-1", Type: "ADT^A03", Version: "2.4", Segments: 4},
		{Name: "adt-a04-2.1.hl7", Shape: "as in 1988", Type: "ADT^A04", Version: "2.1", Segments: 5},
		{Name: "adt-a08-crlf.hl7", Shape: "CRLF, a Z segment", Type: "ADT^A08", Version: "2.3", Segments: 5},
		{Name: "adt-a28-separators.hl7", Shape: "delimiters $ and %", Type: "ADT^A28", Version: "2.5", Segments: 4},
		{Name: "oru-r01-lf.hl7", Shape: "LF, no end, escapes", Type: "ORU^R01", Version: "2.5.1", Segments: 8},
		{Name: "orm-o01-mllp.hl7", Shape: "MLLP frame", Type: "ORM^O01", Version: "2.3.1", Segments: 5},
		{Name: "siu-s12-bom.hl7", Shape: "byte order mark", Charset: "utf-8", Type: "SIU^S12", Version: "2.4", Segments: 6},
		{Name: "mdm-t02.hl7", Shape: "formatted text", Type: "MDM^T02", Version: "2.6", Segments: 6},
		{Name: "vxu-v04-utf8.hl7", Shape: "Greek in UTF-8", Charset: "utf-8", Type: "VXU^V04", Version: "2.5.1", Segments: 6},
		{Name: "dft-p03-blank-lines.hl7", Shape: "blank lines", Type: "DFT^P03", Version: "2.3", Segments: 5},
		{Name: "oml-o21-2.8.hl7", Shape: "truncation mark #", Type: "OML^O21", Version: "2.8", Segments: 6},
		{Name: "ack-a01.hl7", Shape: "an acknowledgment", Type: "ACK^A01", Version: "2.7", Segments: 3},
	}
	for i, sample := range list {
		list[i] = read(sample)
	}
	return append(list, Document(),
		read(Sample{Name: "no-delimiters.hl7", Shape: "MSH without MSH-2", Type: "unknown"}))
}

// documentSize is more than SNS and Step Functions accept, so that the message travels as
// a claim check.
const documentSize = 300 << 10

// Document is an ORU^R01 with a scanned page in its OBX-5.
func Document() Sample {
	body := []byte("MSH|^~\\&|ARCHIVE|ST_ELSEWHERE|LAKE|ST_ELSEWHERE|20260310||ORU^R01^ORU_R01|SAMPLE-0014|P|2.5.1\r" +
		"PID|1||4711001^^^ST_ELSEWHERE^MR||Testperson^Anna\r" +
		"OBR|1||ARC-1|18842-5^Discharge summary^LN|||20260310\r" +
		"OBX|1|ED|18842-5^Discharge summary^LN||^application^pdf^Base64^")
	body = append(body, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("Invented! "), documentSize/10))...)
	body = append(body, "||||||F\r"...)
	return Sample{Name: "oru-r01-document", Shape: "300 KB document", Type: "ORU^R01", Version: "2.5.1", Segments: 4, Body: body}
}

func read(s Sample) Sample {
	name := "messages/" + s.Name
	if s.Name == notHL7 { // not among the messages, since `lake send` posts only messages
		name = s.Name
	}
	body, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded above
	}
	s.Body = body
	return s
}
