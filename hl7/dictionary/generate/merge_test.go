package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7/dictionary/internal/facts"
)

func TestTwoThatAgreeAreRightAgainstOne(t *testing.T) {
	varies := facts.Field{Name: "OBSERVATION_VALUE", Type: "VARIES", Most: 0}
	base := field{"Observation Value", "NM", 'C', 1, 20, 0}
	for name, test := range map[string]struct {
		version string
		a, h    facts.Field
		want    field
	}{
		"both agree":                  {"2.5", varies, varies, field{"Observation Value", "VARIES", 'C', 0, 20, 0}},
		"one alone":                   {"2.5", varies, facts.Field{Missing: true}, base},
		"all differ":                  {"2.5", varies, facts.Field{Name: "OBSERVATION_VALUE", Type: "ST", Most: 3}, base},
		"both require it":             {"2.5", facts.Field{Type: "NM", Required: true, Most: 1}, facts.Field{Type: "NM", Required: true, Most: 1}, field{"Observation Value", "NM", 'R', 1, 20, 0}},
		"one names a table":           {"2.5", facts.Field{Type: "NM", Most: 1, Table: 7}, facts.Field{Type: "NM", Most: 1}, field{"Observation Value", "NM", 'C', 1, 20, 7}},
		"both have it withdrawn":      {"2.5", facts.Field{Most: 1}, facts.Field{Most: 1}, field{"Observation Value", "", 'W', 0, 0, 0}},
		"both call it something else": {"2.5", facts.Field{Name: "RESULT", Type: "NM", Most: 1}, facts.Field{Name: "Result", Type: "NM", Most: 1}, field{"Result", "NM", 'C', 1, 20, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &merger{names: newSpeller(newModel())}
			if test.a.Name == "" {
				test.a.Name, test.h.Name = "OBSERVATION_VALUE", "Observation Value"
			}
			got := m.field(test.version, base, test.a, test.h)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(field{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSTOfV27IsNoWordForWhatVaries(t *testing.T) {
	m := &merger{names: newSpeller(newModel())}
	st := field{"Value", "ST", 'C', 1, 0, 0}
	for name, test := range map[string]struct {
		a, h facts.Field
		want string
	}{
		"hl7apy alone":           {facts.Field{Name: "VALUE", Type: "VARIES", Most: 1}, facts.Field{Missing: true}, "VARIES"},
		"both against, unlike":   {facts.Field{Name: "VALUE", Type: "", Most: 1}, facts.Field{Name: "VALUE", Type: "CWE", Most: 1}, ""},
		"HAPI says ST, too":      {facts.Field{Name: "VALUE", Type: "CWE", Most: 1}, facts.Field{Name: "VALUE", Type: "ST", Most: 1}, "ST"},
		"hl7apy leaves it out":   {facts.Field{Missing: true}, facts.Field{Name: "VALUE", Type: "", Most: 1}, ""},
		"nobody else has a word": {facts.Field{Missing: true}, facts.Field{Missing: true}, "ST"},
	} {
		if got := m.field("2.7", st, test.a, test.h).dataType; got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAFieldOutOfStepHasNoVote(t *testing.T) {
	base := []field{{name: "Patient Name"}, {name: "Mother's Maiden Name"}, {name: "Date of Birth"}}
	for n, name := range []string{"MOTHER_S_MAIDEN_NAME", "DATE_OF_BIRTH"} {
		if !shifted(facts.Field{Name: name}, base, n) {
			t.Errorf("%s at %d", name, n+1)
		}
	}
	for _, name := range []string{"PATIENT_NAME", "NAME"} {
		if shifted(facts.Field{Name: name}, base, 0) {
			t.Errorf("%s at 1", name)
		}
	}
}

func TestWhatWasDecidedHoldsForTheVersionThatOneSourceHas(t *testing.T) {
	was, decided := field{"A", "ST", 'O', 1, 10, 5}, field{"A", "VARIES", 'C', 0, 10, 5}
	now := field{"A", "ST", 'O', 1, 20, 5}
	want := field{"A", "VARIES", 'C', 0, 20, 5}
	if diff := cmp.Diff(want, carryField(now, was, decided), cmp.AllowUnexported(field{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesAreSpelledForPeople(t *testing.T) {
	npm := newModel()
	npm.segments["2.7"]["AAA"] = &definition{fields: []field{{name: "Pre-Admit Cert (PAC)"}, {name: "Patient's DRG Code"}, {name: "Set ID - PID"}}}
	s := newSpeller(npm)
	for in, want := range map[string]string{
		"PRE_ADMIT_CERT_PAC": "Pre-Admit Cert (PAC)", "DRG_DATE": "DRG Date", "MOTHER_S_CODE": "Mother's Code", "SET_ID_BUI": "Set ID - BUI",
		"RANGE_OF_DATES": "Range of Dates", "LOCATOR_46_49": "Locator 46-49",
	} {
		if got := s.spell(in); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
	for _, test := range [][4]string{
		{"Pre-Admit Cert", "PRE_ADMIT_CERT_PAC", "Pre-Admit Cert (PAC)", "Pre-Admit Cert (PAC)"},
		{"Covered Days -", "COVERED_DAYS_23", "Covered Days (23)", "Covered Days (23)"},
		{"Outside Site", "OUTSIDE_SITE_S", "Outside Site(s)", "Outside Site(s)"},
		{"Unused", "UNUSED_NUMBER_3", "UNUSED Number 3", "Unused"},
		{"NK Name", "NAME_2", "Name", "NK Name"},
	} {
		if got := s.agreed(test[0], test[1], test[2]); got != test[3] {
			t.Errorf("%q, which others call %q, is %q, want %q", test[0], test[1], got, test[3])
		}
	}
	if got := s.whole("ID Number", "ID_NUMBER_ST"); got != "ID Number" {
		t.Errorf("with its data type: %q", got)
	}
}

func TestANameThatIsCutBeforeAParenthesisIsMadeWhole(t *testing.T) {
	s := newSpeller(newModel())
	for _, test := range []struct{ base, hl7apy, hapi, want string }{
		{"Blood furn.-pints of", "BLOOD_FURNISHED_PINTS_OF_40", "BLOOD FURN.-PINTS OF (40)", "Blood furn.-pints of (40)"},
		{"Blood not rplcd-pints", "BLOOD_NOT_REPLACED_PINTS_42", "BLOOD NOT RPLCD-PINTS(42)", "Blood not rplcd-pints(42)"},
		{"Covered days (23)", "COVERED_DAYS_23", "COVERED DAYS - (23)", "Covered days (23)"},
		{"Blood", "BLOOD_GROUP", "Blood Type (ABO)", "Blood"},
	} {
		if got := s.agreed(test.base, test.hl7apy, test.hapi); got != test.want {
			t.Errorf("%s is %q, want %q", test.base, got, test.want)
		}
	}
}

func TestNamesGetBackWhatTheyLostOnTheirWay(t *testing.T) {
	for name, want := range map[string]string{
		"Mother s Maiden Name": "Mother's Maiden Name", "Insured_s Birth Place": "Insured's Birth Place", "Priority _ OBR": "Priority - OBR",
		"Set ID вЂ“ PCE": "Set ID - PCE", "Set ID вЂ“REL": "Set ID - REL", "Filler Field 1 +": "Filler Field 1", "Collection Volume *": "Collection Volume",
		"Total + Technical Part": "Total + Technical Part", "Address": "Address", "Guarantor's Race": "Guarantor's Race",
	} {
		if got := mend(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func TestAPatchThatChangesNothingIsAnError(t *testing.T) {
	for name, test := range map[string]struct {
		change change
		want   string
	}{
		"it does":              {change{first: "2.5", last: "2.5", what: "usage", element: "PID-1", value: "R"}, ""},
		"it is so already":     {change{first: "2.5", last: "2.5", what: "usage", element: "PID-1", value: "O"}, "is so without it"},
		"no such field":        {change{first: "2.5", last: "2.5", what: "usage", element: "PID-2", value: "R"}, "no field PID-2"},
		"no such thing to say": {change{first: "2.5", last: "2.5", what: "colour", element: "PID-1", value: "R"}, "cannot change"},
	} {
		m := &merger{into: newModel(), patch: []change{test.change}}
		m.into.segments["2.5"]["PID"] = &definition{fields: []field{{"Set ID", "SI", 'O', 1, 4, 0}}}
		err := m.applyPatch()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestTheCommittedTablesAreWhatThisWrites(t *testing.T) {
	npm, others := "../../../node_modules/hl7-dictionary", "../../../../shared/facts"
	for _, folder := range []string{npm, others} {
		if _, err := os.Stat(folder); err != nil {
			t.Skip("a source is not there: npm install --no-save hl7-dictionary@1.0.1, and the facts beside the module")
		}
	}
	to := t.TempDir()
	if err := run(npm, others, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tables.txt.gz", "codes.txt.gz"} {
		want, err1 := os.ReadFile(filepath.Join("..", name))
		got, err2 := os.ReadFile(filepath.Join(to, name))
		if err1 != nil || err2 != nil || !bytes.Equal(want, got) {
			t.Errorf("%s is not what go generate writes: %v, %v", name, err1, err2)
		}
	}
}
