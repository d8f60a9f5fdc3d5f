package dictionary_test

import (
	"fmt"

	"hl7lake/hl7/dictionary"
)

func ExampleLookup() {
	v, known := dictionary.Lookup("2.9")
	if !known {
		fmt.Printf("read as v%s\n", v.Name)
	}
	// Output: read as v2.8.2
}

func ExampleVersion_Segments() {
	for s := range dictionary.Of("2.5.1").Segments() {
		if s.Name[0] == 'T' {
			fmt.Printf("%s %s, %d fields\n", s.Name, s.Description, len(s.Fields))
		}
	}
	// Output:
	// TCC Test Code Configuration, 14 fields
	// TCD Test Code Detail, 8 fields
	// TQ1 Timing/Quantity, 14 fields
	// TQ2 Timing/Quantity Relationship, 10 fields
	// TXA Transcription Document Header, 23 fields
}

func ExampleVersion_Fields() {
	for n, f := range dictionary.Of("2.5.1").Fields("MSA") {
		fmt.Printf("MSA-%d %c %s: %s\n", n, f.Usage, f.Type, f.Name)
	}
	// Output:
	// MSA-1 R ID: Acknowledgment Code
	// MSA-2 R ST: Message Control ID
	// MSA-3 O ST: Text Message
	// MSA-4 O NM: Expected Sequence Number
	// MSA-5 W : Delayed Acknowledgment Type
	// MSA-6 O CE: Error Condition
}

func ExampleVersion_Structures() {
	for s := range dictionary.Of("2.5.1").Structures() {
		if s.Name[:3] == "OUL" {
			fmt.Println(s.Name, "begins with", s.Root.Children[0].Name)
		}
	}
	// Output:
	// OUL_R21 begins with MSH
	// OUL_R22 begins with MSH
	// OUL_R23 begins with MSH
	// OUL_R24 begins with MSH
}

func ExampleVersion_StructureFor() {
	fmt.Println(dictionary.Of("2.5.1").StructureFor("ADT", "A08").Name)
	// Output: ADT_A01
}

func ExampleVersion_Events() {
	for event, s := range dictionary.Of("2.5.1").Events() {
		if s.Name == "MDM_T02" {
			fmt.Println(event)
		}
	}
	// Output:
	// MDM_T02
	// MDM_T04
	// MDM_T06
	// MDM_T08
	// MDM_T10
}

func ExampleVersion_Tables() {
	for t := range dictionary.Of("2.5.1").Tables() {
		if t.Number > 4 {
			break
		}
		fmt.Printf("%04d %s: %d codes\n", t.Number, t.Description, len(t.Values))
	}
	// Output:
	// 0001 Administrative Sex: 6 codes
	// 0002 Marital Status: 16 codes
	// 0003 Event type: 286 codes
	// 0004 Patient Class: 9 codes
}
