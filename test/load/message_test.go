package load_test

import (
	"bytes"
	"fmt"
)

// messageSize is the size of a sent message, in bytes.
const messageSize = 2048

// message returns an admission of messageSize bytes, a different one for each n.
func message(n int) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "MSH|^~\\&|REGISTRATION|ST_ELSEWHERE|LAKE|HL7LAKE|20260102030405||ADT^A01^ADT_A01|LOAD%09d|T|2.5.1\r", n)
	text.WriteString("EVN|A01|20260102030405|||OP123^Sample^Olga\r")
	fmt.Fprintf(&text, "PID|1||%09d^^^ST_ELSEWHERE^MR~999-00-%04d^^^USSSA&2.16.840.1.113883.4.1&ISO^SS||Sample^Sue^Q^^Ms||19700102|F|||"+
		"1 Example Street^^Anytown^NY^00000^USA^H||(555)555-0100^PRN^PH||eng|M||A%09d\r", n, n%10000, n)
	text.WriteString("PV1|1|I|WARD^101^1^ST_ELSEWHERE||||D001^Specimen^Doc|D002^Specimen^Ann||MED||||1|||D001^Specimen^Doc|IN|V0001|||||||||||||||||||||||||20260102030000\r")
	for line := 1; ; line++ {
		observation := fmt.Sprintf("OBX|%d|NM|8867-4^Heart rate^LN||%d|/min^beats per minute^UCUM|60-100|N|||F|||2026010203%02d05\r", line, 60+line%40, line%60)
		if text.Len()+len(observation)+len("NTE|1||\r") > messageSize {
			break
		}
		text.WriteString(observation)
	}
	text.WriteString("NTE|1||")
	text.Write(bytes.Repeat([]byte("x"), messageSize-text.Len()-1))
	text.WriteByte('\r')
	return text.Bytes()
}
