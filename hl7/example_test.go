package hl7_test

import (
	"fmt"
	"strings"

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
