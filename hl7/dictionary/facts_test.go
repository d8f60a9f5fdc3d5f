package dictionary_test

// This file is about facts of the standard that the dictionary must have.

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"hl7lake/hl7/dictionary"
)

// field returns a version's definition of a field.
func field(t *testing.T, version, segment string, n int) dictionary.Field {
	t.Helper()
	f := dictionary.Of(version).Field(segment, n)
	if f == nil {
		t.Fatalf("v%s has no %s-%d", version, segment, n)
	}
	return *f
}

func TestWhatAnotherFieldTypesVariesInEveryVersion(t *testing.T) {
	for v := range dictionary.Versions() {
		if f := v.Field("OBX", 5); f.Type != "VARIES" {
			t.Errorf("OBX-5 of v%s is of type %q", v.Name, f.Type)
		}
		for _, segment := range []string{"MFE", "MFA"} {
			n := map[string]int{"MFE": 4, "MFA": 5}[segment]
			if f := v.Field(segment, n); v.Name >= "2.7" && f.Type != "VARIES" {
				t.Errorf("%s-%d of v%s is of type %q", segment, n, v.Name, f.Type)
			}
		}
	}
}

func TestAFieldIsRequiredOnlyWhereTheStandardHasIt(t *testing.T) {
	if f := field(t, "2.3.1", "OBX", 2); f.Usage != dictionary.Conditional {
		t.Errorf("OBX-2 of v2.3.1, which may be empty if the result is missing, is of usage %c", f.Usage)
	}
	for v := range dictionary.Versions() {
		for _, place := range []struct {
			segment string
			field   int
		}{{"ORC", 7}, {"OBR", 27}, {"OBX", 4}} {
			if f := v.Field(place.segment, place.field); f != nil && f.Usage == dictionary.Required {
				t.Errorf("%s-%d of v%s is required", place.segment, place.field, v.Name)
			}
		}
		for _, place := range []struct {
			segment string
			field   int
		}{{"MSH", 9}, {"MSH", 10}, {"PID", 5}, {"OBX", 3}, {"OBX", 11}, {"ORC", 1}, {"MSA", 1}} {
			if f := v.Field(place.segment, place.field); f.Usage != dictionary.Required && v.Name > "2.2" {
				t.Errorf("%s-%d of v%s is not required", place.segment, place.field, v.Name)
			}
		}
	}
}

func TestAFieldRepeatsWhereTheStandardLetsIt(t *testing.T) {
	for _, n := range []int{3, 4, 5, 6, 7} {
		if f := field(t, "2.3", "IN1", n); f.Repetitions != 0 {
			t.Errorf("IN1-%d of v2.3 repeats at most %d times", n, f.Repetitions)
		}
	}
	for version, want := range map[string]int{"2.3": 2, "2.3.1": 2, "2.4": 2} {
		if f := field(t, version, "ORC", 14); f.Repetitions != want {
			t.Errorf("ORC-14 of v%s repeats at most %d times, want %d", version, f.Repetitions, want)
		}
	}
	for place, want := range map[string]int{
		"2.5 ORC-14": 2, "2.5.1 ORC-14": 2, "2.5.1 OBR-17": 2, "2.5.1 ERR-6": 10, "2.5.1 OBX-8": 0, "2.8 DON-1": 1, "2.8.2 BUI-2": 1, "2.8.1 OBX-29": 1, "2.8.2 OBX-30": 1, "2.8 PRT-5": 0,
	} {
		version, path, _ := strings.Cut(place, " ")
		segment, number, _ := strings.Cut(path, "-")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		if f := field(t, version, segment, n); f.Repetitions != want {
			t.Errorf("%s repeats at most %d times, want %d", place, f.Repetitions, want)
		}
	}
	if f := field(t, "2.5.1", "PID", 8); f.Repetitions != 1 {
		t.Errorf("PID-8 repeats at most %d times", f.Repetitions)
	}
}

func TestAWithdrawnFieldHasNoType(t *testing.T) {
	for _, version := range []string{"2.7", "2.7.1", "2.8", "2.8.2"} {
		if f := field(t, version, "ORC", 7); f.Usage != dictionary.Withdrawn || f.Type != "" || f.Repetitions != 0 || f.Name != "Quantity/Timing" {
			t.Errorf("ORC-7 of v%s is %+v", version, f)
		}
	}
}

func TestNamesAreWhole(t *testing.T) {
	for place, want := range map[string]string{
		"2.5.1 IN1-28": "Pre-Admit Cert (PAC)", "2.5.1 UB2-16": "UB92 Locator 78 (State)", "2.5.1 OM1-28": "Address of Outside Site(s)",
		"2.6 RXA-12": "Administered Per (Time Unit)", "2.5.1 XPN.4": "", "2.8 PID-5": "Patient Name", "2.8.2 PRT-16": "Participant Device Identifier",
		"2.8.2 DON-1": "Donation Identification Number - DIN", "2.8 BUI-1": "Set ID - BUI",
		"2.1 UB1-3": "Blood furn.-pints of (40)", "2.1 UB1-13": "Psro/ur approval ind. (87)", "2.1 RX1-30": "Instructions (SIG)",
		"2.3 ROL-8": "Role Action (Assumption) Reason", "2.5.1 TXA-23": "Distributed Copies (Code and Name of Recipients)",
		"2.8 DON-3": "Phlebotomy Start Date/Time", "2.8.2 UB2-10": "Uniform Billing Locator 11 (State)",
	} {
		version, path, _ := strings.Cut(place, " ")
		if got := dictionary.Of(version).Describe(path); got != want {
			t.Errorf("%s is %q, want %q", place, got, want)
		}
	}
}

// find returns the first group or segment of that name in a structure.
func find(n *dictionary.Node, name string) *dictionary.Node {
	for _, child := range n.Children {
		if child.Name == name {
			return child
		}
		if found := find(child, name); found != nil {
			return found
		}
	}
	return nil
}

func TestGroupsThatMayBeMissingOrRepeatDo(t *testing.T) {
	for _, test := range []struct{ version, structure, group string }{
		{"2.5", "OUL_R22", "CONTAINER"}, {"2.5.1", "OUL_R22", "CONTAINER"}, {"2.6", "OUL_R22", "CONTAINER"}, {"2.7.1", "OUL_R22", "CONTAINER"},
		{"2.6", "OML_O21", "TIMING"}, {"2.6", "OML_O21", "PRIOR_RESULT"}, {"2.6", "OML_O21", "SPECIMEN"}, {"2.6", "ORU_R01", "TIMING_QTY"},
		{"2.6", "ORU_R01", "SPECIMEN"}, {"2.6", "OMG_O19", "TIMING"}, {"2.6", "ORI_O24", "TIMING"},
	} {
		s := dictionary.Of(test.version).Structure(test.structure)
		if s == nil {
			t.Errorf("v%s has no %s", test.version, test.structure)
			continue
		}
		if g := find(s.Root, test.group); g == nil || g.Required || !g.Repeats {
			t.Errorf("%s of %s in v%s is %+v", test.group, test.structure, test.version, g)
		}
	}
}

func TestAStructureIsWhatItsChapterPrints(t *testing.T) {
	for name, want := range map[string]string{
		"2.2 DSR_Q03": "MSH MSA? QRD QRF? DSP+ DSC?", "2.3 DSR_Q03": "MSH MSA? ERR? QAK? QRD QRF? DSP+ DSC?", "2.3 MFK_M01": "MSH MSA ERR? MFI MFA*",
		"2.3.1 MFN_M03": "MSH MFI MF_TEST(MFE OM1 Hxx?)+", "2.6 QBP_Q15": "MSH SFT* UAC? QPD RCP DSC?",
	} {
		version, structure, _ := strings.Cut(name, " ")
		if s := dictionary.Of(version).Structure(structure); s == nil || grammar(s.Root) != want {
			t.Errorf("%s is %+v, want %s", name, s, want)
		}
	}
	if g := find(dictionary.Of("2.3").Structure("RGV_O01").Root, "PATIENT"); find(g, "ORC") != nil {
		t.Error("an RGV_O01 of v2.3 has its orders within the patient")
	}
}

func TestNoTimingGroupIsRequiredAndSingle(t *testing.T) {
	var look func(v *dictionary.Version, s *dictionary.Structure, n *dictionary.Node)
	look = func(v *dictionary.Version, s *dictionary.Structure, n *dictionary.Node) {
		for _, child := range n.Children {
			if len(child.Children) == 2 && child.Children[0].Name == "TQ1" && child.Children[1].Name == "TQ2" && child.Required && !child.Repeats {
				t.Errorf("%s of %s in v%s", child.Name, s.Name, v.Name)
			}
			look(v, s, child)
		}
	}
	for v := range dictionary.Versions() {
		for s := range v.Structures() {
			look(v, s, s.Root)
		}
	}
}

func TestEventsShareStructuresAsTheVersionHasIt(t *testing.T) {
	for test, want := range map[string]string{
		"2.5.1 ADT A04": "ADT_A01", "2.5.1 ADT A08": "ADT_A01", "2.5.1 ADT A13": "ADT_A01", "2.4 ADT A05": "ADT_A05", "2.5.1 ADT A28": "ADT_A05",
		"2.5.1 ADT A31": "ADT_A05", "2.5.1 ADT A40": "ADT_A39", "2.5.1 ADT A11": "ADT_A09", "2.4 ADT A12": "ADT_A09", "2.5 ADT A12": "ADT_A12",
		"2.5.1 ADT A55": "ADT_A52", "2.6 ADT A55": "ADT_A54", "2.5.1 ADT A44": "ADT_A43", "2.7 ADT A44": "ADT_A44", "2.8.2 ADT A47": "ADT_A44",
		"2.5.1 SIU S14": "SIU_S12", "2.8.2 SIU S27": "SIU_S12", "2.3 SIU S14": "SIU_S14", "2.5.1 MDM T08": "MDM_T02", "2.5.1 MDM T11": "MDM_T01",
		"2.5.1 ORU R31": "ORU_R30", "2.8 ORU R40": "ORU_R01", "2.5.1 SRM S05": "SRM_S01", "2.5.1 CRM C06": "CRM_C01", "2.6 MFK M16": "MFK_M01",
		"2.5.1 MFN M14": "MFN_Znn", "2.5.1 QBP Q22": "QBP_Q21", "2.5.1 RDE O25": "RDE_O11", "2.5.1 PPR PC2": "PPR_PC1", "2.5.1 PEX P08": "PEX_P07",
		"2.7 SLN S34": "SLR_S28", "2.3.1 MFN M03": "MFN_M03", "2.8 OMQ O57": "OMQ_O42", "2.8.2 OSU O51": "OSU_O41", "2.5.1 ADT ZZZ": "", "2.5.1 ZZZ A01": "", "2.1 ADT A04": "ADT_A04", "2.2 ADT A31": "ADT_A31",
	} {
		words, got := strings.Fields(test), ""
		if s := dictionary.Of(words[0]).StructureFor(words[1], words[2]); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("%s has structure %q, want %q", test, got, want)
		}
	}
}

func TestTablesAreThoseOfTheVersion(t *testing.T) {
	for _, test := range []struct {
		version string
		table   int
		code    string
		want    bool
	}{
		{"2.3.1", 301, "URI", false}, {"2.5", 301, "URI", true}, {"2.5", 301, "CLIA", false}, {"2.7", 301, "CLIA", true}, {"2.3.1", 301, "M", true},
		{"2.5.1", 125, "CE", true}, {"2.5.1", 125, "CWE", false}, {"2.7", 125, "CE", false}, {"2.7", 125, "CWE", true}, {"2.8.2", 125, "OG", false},
		{"2.3.1", 291, "x-hl7-cda-level-one", false}, {"2.5", 291, "x-hl7-cda-level-one", true}, {"2.7.1", 136, "Y", true}, {"2.1", 136, "N", true},
	} {
		table := dictionary.Of(test.version).Table(test.table)
		if table == nil {
			t.Errorf("v%s has no table %04d", test.version, test.table)
			continue
		}
		if _, got := table.Values[test.code]; got != test.want {
			t.Errorf("table %04d of v%s has %s: %v, want %v", test.table, test.version, test.code, got, test.want)
		}
	}
	if table := dictionary.Of("2.7").Table(291); !table.Open {
		t.Error("table 0291 of v2.7, which refers to the list of MIME types, is closed")
	}
	if table := dictionary.Of("2.5.1").Table(136); table.Open || table.Values["Y"] != "Yes" || table.Description != "Yes/no indicator" {
		t.Errorf("table 0136: %+v", table)
	}
}

func TestEveryVersionHoldsTogether(t *testing.T) {
	for v := range dictionary.Versions() {
		for s := range v.Segments() {
			for n, f := range v.Fields(s.Name) {
				whole(t, v, s.Name, n, f)
			}
		}
		for dataType := range v.Types() {
			for i := range dataType.Components {
				whole(t, v, dataType.Name, i+1, &dataType.Components[i])
			}
		}
		for s := range v.Structures() {
			known(t, v, s, s.Root)
			if s.Root.Children[0].Name != "MSH" && s.Name != "MFR_M04" {
				t.Errorf("v%s: %s begins with %s", v.Name, s.Name, s.Root.Children[0].Name)
			}
		}
	}
}

// whole checks that a field or component has all that it needs.
func whole(t *testing.T, v *dictionary.Version, of string, n int, f *dictionary.Field) {
	t.Helper()
	withdrawn := f.Usage == dictionary.Withdrawn
	switch {
	case f.Name == "" || strings.Count(f.Name, "(") != strings.Count(f.Name, ")"):
		t.Errorf("v%s: %s-%d is named %q", v.Name, of, n, f.Name)
	case withdrawn != (f.Type == ""):
		t.Errorf("v%s: %s-%d is %+v", v.Name, of, n, *f)
	case !withdrawn && v.Type(f.Type) == nil:
		t.Errorf("v%s: %s-%d is of type %s, which the version has not", v.Name, of, n, f.Type)
	}
}

// known checks that the version has all segments of a structure.
func known(t *testing.T, v *dictionary.Version, s *dictionary.Structure, n *dictionary.Node) {
	t.Helper()
	for _, child := range n.Children {
		if child.Children == nil && child.Name != dictionary.AnySegment && v.Segment(child.Name) == nil {
			t.Errorf("v%s: %s has a segment %s", v.Name, s.Name, child.Name)
		}
		known(t, v, s, child)
	}
}

func TestIteratorsGoInOrderAndStopWhenTold(t *testing.T) {
	v := dictionary.Of("2.5.1")
	var segments, structures []string
	for s := range v.Segments() {
		segments = append(segments, s.Name)
	}
	for s := range v.Structures() {
		structures = append(structures, s.Name)
	}
	var tables []int
	for table := range v.Tables() {
		tables = append(tables, table.Number)
	}
	if !slices.IsSorted(segments) || !slices.IsSorted(structures) || !slices.IsSorted(tables) {
		t.Error("not in order")
	}
	if len(segments) < 130 || len(structures) < 190 || len(tables) < 300 {
		t.Errorf("%d segments, %d structures, %d tables", len(segments), len(structures), len(tables))
	}
	for range v.Segments() {
		break
	}
	for range v.Tables() {
		break
	}
	for range v.Events() {
		break
	}
	for n := range v.Fields("PID") {
		if n > 1 {
			t.Error("it went on")
		}
		break
	}
	for range v.Fields("ZZZ") {
		t.Error("a segment that is not there has a field")
	}
	for event, s := range v.Events() {
		if code, number, ok := strings.Cut(event, "_"); ok && v.StructureFor(code, number) != s {
			t.Errorf("%s has %s", event, s.Name)
		}
	}
}
