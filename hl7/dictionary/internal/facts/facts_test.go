package facts_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7/dictionary/internal/facts"
)

func TestAStructureComesBackAsItWasWritten(t *testing.T) {
	for _, text := range []string{
		"MSH EVN PID", "MSH SFT* PATIENT(PID PD1? VISIT(PV1 PV2?)?)? ORDER(ORC? <OBR RXO>+ NTE*)+ DSC?", "MSH <OBR Hxx> Hxx?", "",
	} {
		n, err := facts.ParseStructure(text)
		if err != nil || n.String() != text {
			t.Errorf("%q comes back as %q, %v", text, n, err)
		}
	}
}

func TestWhatIsNoStructureIsRefused(t *testing.T) {
	for _, text := range []string{"MSH)", "MSH GROUP(PID", "*", "MSH <OBR"} {
		if n, err := facts.ParseStructure(text); err == nil {
			t.Errorf("%q is %q", text, n)
		}
	}
}

func TestStructuresOfOneShapeAreTheSameToCompare(t *testing.T) {
	for _, pair := range [][2]string{
		{"MSH PATIENT(PID PV1?)*", "MSH PIDPV1(PID PV1?)*"},            // names that HAPI made up
		{"MSH <OBR RXO> NTE*", "MSH OBR RXO NTE*"},                     // choices, which HAPI does not have
		{"MSH INVOICE(IVC PYE?) DSC?", "MSH IVC PYE? DSC?"},            // a group that comes once
		{"MSH ORDER(ORC <OBR Hxx> NTE*)+", "MSH ORDER(ORC OBR NTE*)+"}, // any segment
		{"MSH QPD QBP(Hxx?)? RCP", "MSH QPD RCP"},
	} {
		a, err1 := facts.ParseStructure(pair[0])
		b, err2 := facts.ParseStructure(pair[1])
		if err1 != nil || err2 != nil || a.Shape() != b.Shape() {
			t.Errorf("%q has shape %q, %q has %q", pair[0], a.Shape(), pair[1], b.Shape())
		}
	}
	a, _ := facts.ParseStructure("MSH G(PID PV1?)*")
	b, _ := facts.ParseStructure("MSH G(PID PV1?)+")
	if a.Shape() == b.Shape() {
		t.Errorf("both have shape %q", a.Shape())
	}
}

func TestNamesThatAProgramMadeUpAreTold(t *testing.T) {
	for text, want := range map[string]bool{
		"MSH PATIENT(PID PV1?)*": false, "MSH PIDPV1(PID PV1?)*": true, "MSH XX(PID)?": true, "MSH PATIENT(PID PV1PV2(PV1 PV2?)?)?": true,
		"MSH PIDNTE_SUPPGRP(PID NTE)?": true, "MSH AUTHORIZATION2(AUT)?": true, "MSH": false,
	} {
		n, err := facts.ParseStructure(text)
		if err != nil || n.NamesMadeUp() != want {
			t.Errorf("%q: %v, %v", text, n.NamesMadeUp(), err)
		}
	}
}

func TestCodesAreReadFromWhatIsPrinted(t *testing.T) {
	for printed, want := range map[string][]string{
		"A": {"A"}, " WWA": {"WWA"}, "\u00a0UPP": {"UPP"}, "W1 ... W4": {"W1", "W2", "W3", "W4"}, "E1... E3": {"E1", "E2", "E3"},
		"10 ...12": {"10", "11", "12"}, "31 _ 33": {"31", "32", "33"}, "07 ... 10": {"07", "08", "09", "10"}, "L, M, N": {"L", "M", "N"},
		"Octet - stream": {"Octet-stream"}, "x - hl7 - cda - level - one": {"x-hl7-cda-level-one"}, "* (star)": {"*"}, "CE (obsolete)": {"CE"},
		"ISO IR14": {"ISO IR14"}, "KS X 1001": {"KS X 1001"}, "<null>": nil, "not present": nil, "": nil, "For micriobo": nil,
		"An Identifier for a provi": nil, "...": nil, "…": nil, "Q<integer>D": nil, "ISOnnnn (deprecated)": nil, "2 ...": nil,
	} {
		got, open := facts.CleanCodes(map[string]string{printed: ""})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", printed, diff)
		}
		if more := slices.Contains([]string{"...", "…", "Q<integer>D", "ISOnnnn (deprecated)", "2 ..."}, printed); open != more {
			t.Errorf("%q leaves the table open: %v", printed, open)
		}
	}
}
