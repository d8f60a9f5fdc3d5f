package hl7_test

import (
	"fmt"
	"strings"
	"time"

	"hl7lake/hl7"
)

const admission = `MSH|^~\&|WARDS|NORTHFIELD|LAKE|NORTHFIELD|202603140915||ADT^A01^ADT_A01|NF0000481|P|2.5.1
PID|1||900100223^^^NORTHFIELD&2.16.840.1&ISO^MR~99-1002^^^^NI||Testperson^Tilda||19710820|F|||12 Sample Street \T\ Yard
ZWB|blue|""
`

func ExampleParse() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Type(), m.ControlID(), m.Version())
	fmt.Println(m.Get("PID-5.1"), m.Get("PID-3[2]"), m.Get("PID-3.4.2"), m.Get("PID-11"))
	// Output:
	// ADT^A01 NF0000481 2.5.1
	// Testperson 99-1002 2.16.840.1 12 Sample Street & Yard
}

func ExampleMessage_AppendJSON() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(m.AppendJSON(nil, hl7.JSON{})), `},{"seq`, "},\n{\"seq"))
	// Output:
	// [{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"WARDS"}],"4":[{"1":"NORTHFIELD"}],"5":[{"1":"LAKE"}],"6":[{"1":"NORTHFIELD"}],"7":[{"1":"202603140915"}],"9":[{"1":"ADT","2":"A01","3":"ADT_A01"}],"10":[{"1":"NF0000481"}],"11":[{"1":"P"}],"12":[{"1":"2.5.1"}]}},
	// {"seq":2,"id":"PID","fields":{"1":[{"1":"1"}],"3":[{"1":"900100223","4":"NORTHFIELD","4.2":"2.16.840.1","4.3":"ISO","5":"MR"},{"1":"99-1002","5":"NI"}],"5":[{"1":"Testperson","2":"Tilda"}],"7":[{"1":"19710820"}],"8":[{"1":"F"}],"11":[{"1":"12 Sample Street & Yard"}]}},
	// {"seq":3,"id":"ZWB","fields":{"1":[{"1":"blue"}],"2":[{"1":"\"\""}]}}]
}

func ExampleReader() {
	stream := strings.NewReader(admission + "\n" + strings.ReplaceAll(admission, "NF0000481", "NF0000482"))
	for m, err := range hl7.NewReader(stream).Messages() {
		if err != nil {
			fmt.Println(err) // names the line, never the content; reading goes on
			continue
		}
		fmt.Println(m.ControlID(), m.Len(), "segments")
	}
	// Output:
	// NF0000481 3 segments
	// NF0000482 3 segments
}

func ExampleReader_tell() {
	r := hl7.NewReader(strings.NewReader("BHS|^~\\&|WARDS\rPID|1\r" + admission + "BTS|1\r"))
	r.Tell = func(n hl7.Notice) {
		fmt.Printf("line %d, offset %d: %d bytes: %s\n", n.Line, n.Offset, n.Length, n.Reason)
	}
	for {
		part, err := r.Next()
		if err != nil {
			break // io.EOF, or the stream's error
		}
		if part.Kind == hl7.Single && part.Doubt == nil {
			fmt.Println("a message of", len(part.Data), "bytes")
		}
	}
	// Output:
	// line 1, offset 0: 15 bytes: envelope
	// line 2, offset 15: 6 bytes: outside
	// a message of 222 bytes
	// line 6, offset 243: 6 bytes: envelope
}

func ExampleMessage_Set() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Set("PID-5.2", "Tilda & Theo"); err != nil {
		fmt.Println(err)
	}
	if err := m.AddSegment("NTE", "1", "", "moved | to 3WEST"); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s", m.Encode())
	// Output:
	// MSH|^~\&|WARDS|NORTHFIELD|LAKE|NORTHFIELD|202603140915||ADT^A01^ADT_A01|NF0000481|P|2.5.1
	// PID|1||900100223^^^NORTHFIELD&2.16.840.1&ISO^MR~99-1002^^^^NI||Testperson^Tilda \T\ Theo||19710820|F|||12 Sample Street \T\ Yard
	// ZWB|blue|""
	// NTE|1||moved \F\ to 3WEST
}

func ExampleMessage_Acknowledge() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	ack, err := m.Acknowledge(hl7.Ack{
		Code:      hl7.ApplicationAccept,
		ControlID: "LAKE0001",
		Time:      time.Date(2026, 3, 14, 9, 15, 30, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(ack.Encode()), "\r", "\n"))
	// Output:
	// MSH|^~\&|LAKE|NORTHFIELD|WARDS|NORTHFIELD|20260314091530+0000||ACK^A01^ACK|LAKE0001|P|2.5.1
	// MSA|AA|NF0000481
}

func ExampleNew() {
	m, err := hl7.New(hl7.Header{
		Message: "ORU", Event: "R01", Structure: "ORU_R01", Version: "2.5.1", ControlID: "LAB1",
		SendingApplication: "LAB", SendingFacility: "NORTHFIELD",
	}, time.Date(2026, 3, 14, 9, 15, 30, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.AddSegment("OBX", "1", "ST", "", "", "positive"); err != nil {
		fmt.Println(err)
	}
	if err := m.Set("OBX-3.1", "600-7"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.ReplaceAll(string(m.Encode()), "\r", "\n"))
	// Output:
	// MSH|^~\&|LAB|NORTHFIELD|||20260314091530+0000||ORU^R01^ORU_R01|LAB1|P|2.5.1
	// OBX|1|ST|600-7||positive
}

func ExampleMessage_Named() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|LAB\rOBX|1|NM|8867-4||71\rNTE|1||at rest\rOBX|2|NM|8310-5||36.9\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for n, observation := range m.Named("OBX") {
		fmt.Println(n, observation.Get("3"), observation.Get("5"))
	}
	// Output:
	// 1 8867-4 71
	// 2 8310-5 36.9
}

func ExampleMessage_Delete() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Delete("PID-3[1]"); err != nil { // later repetitions move up
		fmt.Println(err)
	}
	if err := m.InsertRepetition("PID-3[1]", "4711"); err != nil {
		fmt.Println(err)
	}
	identifiers, _ := m.Raw("PID-3")
	fmt.Printf("%s\n", identifiers)
	// Output: 4711~99-1002^^^^NI
}

func ExampleMessage_Text() {
	m, err := hl7.Parse([]byte(admission))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = m.Text("PID-5-1")
	fmt.Println(err)
	// Output: hl7: not a path: "PID-5-1", which is "PID-5.1" here
}

func ExampleMessage_Time() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|LAB||||20260314091530+0100||ORU^R01|1|P|2.5.1\rOBR|1||||||202603140800\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	at, precision, err := m.Time("OBR-7") // in the zone of MSH-7, because it has none of its own
	fmt.Println(at, precision == hl7.Minute, err)
	// Output: 2026-03-14 08:00:00 +0100 +0100 true <nil>
}

func ExampleReply() {
	input := []byte("MSH|abc|LAB|NORTHFIELD|LAKE|NORTHFIELD|||ORU^R01|LAB1|P|2.5.1\r")
	_, err := hl7.Parse(input)
	ack, err := hl7.Reply(input, hl7.Ack{
		Code: hl7.ApplicationError, ControlID: "LAKE0001", Time: time.Date(2026, 3, 14, 9, 15, 30, 0, time.UTC),
		Problems: []hl7.Problem{hl7.ProblemOf(err)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(string(ack.Encode()), "\r", "\n"))
	// Output:
	// MSH|^~\&|LAKE|NORTHFIELD|LAB|NORTHFIELD|20260314091530+0000||ACK^R01^ACK|LAKE0001|P|2.5.1
	// MSA|AE|LAB1
	// ERR||MSH^1^2|102^Data type error^HL70357|E||||unusable delimiters
}

func ExamplePeek() {
	header, ok := hl7.Peek([]byte(admission))
	fmt.Println(ok, header.Type, header.SentAt)
	// Output: true ADT^A01 2026-03-14T09:15
}
