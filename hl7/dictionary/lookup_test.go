package dictionary_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

const twoOrders = "PID|1||P1\nORC|RE|O1\nOBR|1||F1\nOBX|1|NM|a||1\nNTE|1||first\nOBX|2|NM|b||2\n" +
	"ORC|RE|O2\nOBR|2||F2\nOBX|1|NM|c||3^x&y~4\nSPM|1|S1\nOBX|1|NM|d||5\nPID|2||P2\nOBR|1||F3\nOBX|1|NM|e||6\n"

func TestAPathLeadsThroughGroups(t *testing.T) {
	m := message(t, "ORU^R01^ORU_R01", "2.5.1", twoOrders)
	for path, want := range map[string]string{
		"PATIENT_RESULT[1]/OBSERVATION[2]/OBX-5":                      "2",
		"PATIENT_RESULT/OBSERVATION[3]/OBX-5":                         "3",
		"PATIENT_RESULT[1]/OBSERVATION[4]/OBX-5":                      "",
		"PATIENT_RESULT[2]/OBSERVATION/OBX-5":                         "6",
		"PATIENT_RESULT[3]/OBSERVATION/OBX-5":                         "",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBSERVATION[1]/OBX-5": "3",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBX[1]-5[2]":          "4",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBX[1]-5.2.2":         "y",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBX[2]-5":             "5",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/SPECIMEN/OBX-5":       "5",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBX[3]-5":             "",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBSERVATION[2]/OBX-5": "",
		"ORDER_OBSERVATION[3]/OBR-3":                                  "F3",
		"PATIENT[2]/PID-3":                                            "P2",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]/NTE-3": "first",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]/NTE-3": "",
		"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/TIMING_QTY[1]/TQ1-1":  "",
		"OBX[3]-5": "3",
		"PID-3":    "P1",
	} {
		if got, err := dictionary.Of("2.5.1").Text(m, path); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestAPathThroughGroupsThatIsNoneIsAnError(t *testing.T) {
	m := message(t, "ORU^R01^ORU_R01", "2.5.1", twoOrders)
	for path, want := range map[string]struct {
		err  error
		text string
	}{
		"PATIENT_RESULTS/OBX-5":                     {dictionary.ErrNoGroup, "PATIENT_RESULTS in ORU_R01, which has PATIENT_RESULT, PATIENT, VISIT, ORDER_OBSERVATION, TIMING_QTY, OBSERVATION, SPECIMEN"},
		"PATIENT_RESULT/PATIENT/OBSERVATION/OBX-5":  {dictionary.ErrNoGroup, "OBSERVATION in PATIENT, which has VISIT"},
		"PATIENT_RESULT/VISIT/OBSERVATION/OBX-5":    {dictionary.ErrNoGroup, "OBSERVATION in VISIT, which has none"},
		"PATIENT_RESULT[0]/OBX-5":                   {hl7.ErrPath, ""},
		"PATIENT_RESULT[+1]/OBX-5":                  {hl7.ErrPath, ""},
		"PATIENT_RESULT[1/OBX-5":                    {hl7.ErrPath, ""},
		"PATIENT_RESULT[]/OBX-5":                    {hl7.ErrPath, ""},
		"PATIENT_RESULT//OBX-5":                     {hl7.ErrPath, ""},
		"PATIENT_RESULT/":                           {hl7.ErrPath, ""},
		"":                                          {hl7.ErrPath, ""},
		"/":                                         {hl7.ErrPath, ""},
		"PATIENT_RESULT/OBX-5-1":                    {hl7.ErrPath, `"PATIENT_RESULT/OBX-5.1"`},
		"/PATIENT_RESULT(0)/OBSERVATION(1)/OBX-5-1": {hl7.ErrPath, `"PATIENT_RESULT[1]/OBSERVATION[2]/OBX-5.1"`},
		"/PID-3":                                    {hl7.ErrPath, `"PID-3"`},
	} {
		got, err := dictionary.Of("2.5.1").Text(m, path)
		if got != "" || !errors.Is(err, want.err) || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%q: %q, %v, want %v with %s", path, got, err, want.err, want.text)
		}
	}
	if _, err := dictionary.Of("2.5.1").Text(message(t, "ZZZ^Z01", "2.5.1", ""), "PATIENT/PID-3"); !errors.Is(err, dictionary.ErrNoStructure) {
		t.Errorf("without a structure: %v", err)
	}
}

func TestTheGroupsOfAMessageHoldEachSegmentOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := oru(t)
		v := dictionary.Of("2.5.1")
		s := v.StructureOf(m)
		held := map[int]string{}
		for group := range s.Groups(m) {
			segments, err := v.SegmentsIn(m, group)
			if err != nil {
				t.Fatal(err)
			}
			for i, segment := range segments {
				if segment.Name() != m.Segment(i).Name() || !strings.HasPrefix(group, held[i]) {
					t.Errorf("%s holds segment %d, %s, of %s", group, i, segment.Name(), held[i])
				}
				held[i] = group // the inner groups come after it
			}
		}
		for i, l := range s.Locate(m) {
			if held[i] != l.Group {
				t.Errorf("segment %d, %s, is in %q and in %q", i, m.Segment(i).Name(), l.Group, held[i])
			}
		}
	})
}

func TestWhateverPathIsGivenIsReadOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := oru(t)
		v := dictionary.Of("2.5.1")
		path := rapid.OneOf(rapid.String(), rapid.StringMatching(`/?(PATIENT_RESULT|PATIENT|OBSERVATION|NONE)?(\[[0-9+]{0,3}\]|\([0-9]\))?(/|//)?(OBX|PID)?(\[[0-9]\])?[-.][0-9]{0,2}([-.][0-9])?`)).Draw(t, "path")
		if _, err := v.Text(m, path); err != nil && !errors.Is(err, hl7.ErrPath) && !errors.Is(err, dictionary.ErrNoGroup) {
			t.Errorf("%q: %v", path, err)
		}
	})
}

// oru returns a result message with its segments in any order.
func oru(t *rapid.T) *hl7.Message {
	names := rapid.SliceOf(rapid.SampledFrom([]string{"PID", "PV1", "ORC", "OBR", "OBX", "NTE", "SPM", "TQ1", "ZZZ", "EVN", "ADD", "DSC"})).Draw(t, "names")
	m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ORU^R01^ORU_R01|1|P|2.5.1\r" + strings.Join(names, "|\r") + "|\r"))
	if err != nil {
		t.Skip("a header alone")
	}
	return m
}

func ExampleVersion_Text() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ORU^R01^ORU_R01|1|P|2.5.1\rPID|1||7\rOBR|1\rOBX|1|NM|a||4.1\rOBR|2\rOBX|1|NM|b||5.2\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	v := dictionary.Of(m.Version())
	fmt.Println(v.Text(m, "PATIENT_RESULT[1]/OBSERVATION[2]/OBX-5"))
	_, err = v.Text(m, "PATIENT_RESULT/VISITS/PV1-2")
	fmt.Println(err)
	// Output:
	// 5.2 <nil>
	// hl7/dictionary: no such group: VISITS in PATIENT_RESULT, which has PATIENT, VISIT, ORDER_OBSERVATION, TIMING_QTY, OBSERVATION, SPECIMEN
}

func ExampleVersion_SegmentsIn() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ORU^R01^ORU_R01|1|P|2.5.1\rPID|1||7\rOBR|1\rOBX|1|NM|a||4.1\rNTE|1||fasting\rOBR|2\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	segments, err := dictionary.Of(m.Version()).SegmentsIn(m, "PATIENT_RESULT/ORDER_OBSERVATION[1]")
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, s := range segments {
		fmt.Println(i+1, s.Name())
	}
	// Output:
	// 3 OBR
	// 4 OBX
	// 5 NTE
}

func ExampleStructure_Groups() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|||||||ORM^O01|1|P|2.5.1\rPID|1||7\rORC|NW\rOBR|1\rORC|NW\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for group := range dictionary.Of(m.Version()).StructureOf(m).Groups(m) {
		fmt.Println(group)
	}
	// Output:
	// PATIENT[1]
	// ORDER[1]
	// ORDER[1]/ORDER_DETAIL[1]
	// ORDER[2]
}
