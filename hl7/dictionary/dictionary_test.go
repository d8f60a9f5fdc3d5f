package dictionary_test

import (
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

func TestDescribeNamesAnElementDownToItsParts(t *testing.T) {
	for path, want := range map[string]string{
		"PID":           "Patient Identification",
		"PID-5":         "Patient Name",
		"PID-5[2]":      "Patient Name",
		"PID-5.1":       "Patient Name / Family Name",
		"PID-5.1.1":     "Patient Name / Family Name / Surname",
		"PID-3.4.2":     "Patient Identifier List / Assigning Authority / Universal ID",
		"PID-8.1":       "Administrative Sex",
		"PID-8.2":       "",
		"MSH-9.2":       "Message Type / Trigger Event",
		"OBX[3]-5":      "Observation Value",
		"PID-99":        "",
		"PID-5.99":      "",
		"ZZZ-1":         "",
		"not a path at": "",
	} {
		if got := dictionary.Of("2.5.1").Describe(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if got := dictionary.Describe("PID-5.1"); got != "Patient Name / Family Name" {
		t.Errorf("the latest version calls it %q", got)
	}
}

func TestAnUnknownVersionIsReadAsTheNearestEarlierOne(t *testing.T) {
	for msh12, want := range map[string]string{
		"2.3.2": "2.3.1", "2.7.2": "2.7.1", "2.9": "2.8.2", "3.0": "2.8.2", "2.0": "2.1", "1.0": "2.1",
		"": "2.8.2", "2": "2.8.2", "two": "2.8.2", "2.5.1.1": "2.8.2", "2.x": "2.8.2", "vendor": "2.8.2",
	} {
		if v, known := dictionary.Lookup(msh12); v.Name != want || known {
			t.Errorf("%q is read as %s, known %v, want %s", msh12, v.Name, known, want)
		}
	}
}

func TestAVersionIsKnownWhateverIsWrittenAroundIt(t *testing.T) {
	for msh12, want := range map[string]string{
		"2.1": "2.1", "2.3.1": "2.3.1", "2.5.1": "2.5.1", "2.7.1": "2.7.1", "2.8": "2.8", "2.8.2": "2.8.2", "2.5.0": "2.5",
		"2.3.1 DE": "2.3.1", "v2.3": "2.3", "V2.5.1": "2.5.1", " 2.4 ": "2.4", "2.6^DEU": "2.6",
	} {
		if v, known := dictionary.Lookup(msh12); v.Name != want || !known || dictionary.Of(msh12) != v {
			t.Errorf("%q is read as %s, known %v, want %s", msh12, v.Name, known, want)
		}
	}
}

func TestTheLatestVersionIsTheLast(t *testing.T) {
	last := ""
	for v := range dictionary.Versions() {
		last = v.Name
	}
	if last != dictionary.Latest {
		t.Errorf("the last version is %s", last)
	}
}

func TestADefinitionHasTheTypeThatTheSegmentNames(t *testing.T) {
	v := dictionary.Of("2.5.1")
	m := message(t, "ORU^R01", "2.5.1", "OBX|1|CE|8||a^b\nOBX|2||8||a\nMFE|A|||x~y|CX~NM\nZZZ|1\n")
	for _, test := range []struct {
		segment    int
		path       string
		name, kind string
	}{
		{0, "MSH-9", "Message Type", "MSG"},
		{0, "MSH-9.2", "Trigger Event", "ID"},
		{0, "MSH-7.1", "Time", "DTM"},
		{1, "OBX-5", "Observation Value", "CE"},
		{1, "OBX-5[2].2", "Text", "ST"},
		{1, "OBX-5.9", "Original Text", "ST"}, // of the CWE that replaces the CE
		{1, "OBX-3.1", "Identifier", "ST"},
		{2, "OBX-5", "Observation Value", "VARIES"},
		{2, "OBX-5.2", "", ""},
		{3, "MFE-4[1].4.2", "Universal ID", "ST"},
		{3, "MFE-4[2]", "Primary Key Value - MFE", "NM"},
		{3, "MFE-4[2].2", "", ""},
		{3, "MFE-99", "", ""},
		{4, "ZZZ-1", "", ""},
	} {
		path, err := hl7.ParsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		d := v.Definitions(m.Segment(test.segment))
		if got, known := d.At(path); got.Name != test.name || got.Type != test.kind || known != (test.name != "") {
			t.Errorf("%s: %q of type %q, %t", test.path, got.Name, got.Type, known)
		}
	}
}
