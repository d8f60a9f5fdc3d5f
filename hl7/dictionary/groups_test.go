package dictionary_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// message returns a message of the given type with the segments that follow.
func message(t *testing.T, msh9, version, segments string) *hl7.Message {
	t.Helper()
	text := "MSH|^~\\&|A|B|C|D|20260314||" + msh9 + "|1|P|" + version + "\n" + segments
	m, err := hl7.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEachSegmentHasItsGroup(t *testing.T) {
	for name, test := range map[string]struct{ msh9, version, segments, want string }{
		"two orders with results": {"ORU^R01", "2.5.1", "PID|\nPV1|\nORC|\nOBR|\nOBX|\nNTE|\nOBX|\nOBR|\nNTE|\nOBX|\nSPM|\nOBX|\nDSC|\n", `
			MSH
			PID PATIENT_RESULT[1]/PATIENT[1]
			PV1 PATIENT_RESULT[1]/PATIENT[1]/VISIT[1]
			ORC PATIENT_RESULT[1]/ORDER_OBSERVATION[1]
			OBR PATIENT_RESULT[1]/ORDER_OBSERVATION[1]
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]
			NTE PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]
			OBR PATIENT_RESULT[1]/ORDER_OBSERVATION[2]
			NTE PATIENT_RESULT[1]/ORDER_OBSERVATION[2]
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBSERVATION[1]
			SPM PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/SPECIMEN[1]
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/SPECIMEN[1]
			DSC`},
		"two patients": {"ORU^R01", "2.5.1", "PID|\nOBR|\nOBX|\nPID|\nOBR|\nOBX|\n", `
			MSH
			PID PATIENT_RESULT[1]/PATIENT[1]
			OBR PATIENT_RESULT[1]/ORDER_OBSERVATION[1]
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]
			PID PATIENT_RESULT[2]/PATIENT[1]
			OBR PATIENT_RESULT[2]/ORDER_OBSERVATION[1]
			OBX PATIENT_RESULT[2]/ORDER_OBSERVATION[1]/OBSERVATION[1]`},
		"no order, a Z segment, one out of place, a line of text": {"ORU^R01", "2.5.1", "PID|\nZPI|\nOBX|\nEVN|\nsee overleaf\nOBX|\n", `
			MSH
			PID PATIENT_RESULT[1]/PATIENT[1]
			ZPI PATIENT_RESULT[1]/PATIENT[1] ?
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]
			EVN PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1] ?
			see overleaf PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1] ?
			OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]`},
		"an admission": {"ADT^A01^ADT_A01", "2.5.1", "EVN|\nPID|\nNK1|\nNK1|\nPV1|\nAL1|\nPR1|\nROL|\nPR1|\nIN1|\nIN2|\nIN1|\n", `
			MSH
			EVN
			PID
			NK1
			NK1
			PV1
			AL1
			PR1 PROCEDURE[1]
			ROL PROCEDURE[1]
			PR1 PROCEDURE[2]
			IN1 INSURANCE[1]
			IN2 INSURANCE[1]
			IN1 INSURANCE[2]`},
		"an order of a version that has withdrawn it": {"ORM^O01^ORM_O01", "2.8", "PID|\nPRT|\nPV1|\nORC|\nOBR|\nOBX|\nORC|\nOBR|\n", `
			MSH
			PID PATIENT[1]
			PRT PATIENT[1] ?
			PV1 PATIENT[1]/PATIENT_VISIT[1]
			ORC ORDER[1]
			OBR ORDER[1]/ORDER_DETAIL[1]
			OBX ORDER[1]/ORDER_DETAIL[1]/OBSERVATION[1]
			ORC ORDER[2]
			OBR ORDER[2]/ORDER_DETAIL[1]`},
		"notes between an order and its request": {"ORM^O01", "2.3", "PID|\nORC|\nNTE|\nOBR|\nORC|\nNTE|\nOBR|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			NTE ORDER[1] ?
			OBR ORDER[1]/ORDER_DETAIL[1]
			ORC ORDER[2]
			NTE ORDER[2] ?
			OBR ORDER[2]/ORDER_DETAIL[1]`},
		"a route before what is encoded": {"RDE^O11", "2.5.1", "PID|\nORC|\nRXR|\nRXE|\nTQ1|\nRXR|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			RXR ORDER[1] ?
			RXE ORDER[1]
			TQ1 ORDER[1]/TIMING_ENCODED[1]
			RXR ORDER[1]`},
		"requests that share an order": {"OML^O21", "2.5.1", "PID|\nORC|\nOBR|\nOBX|\nOBR|\nSPM|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			OBR ORDER[1]/OBSERVATION_REQUEST[1]
			OBX ORDER[1]/OBSERVATION_REQUEST[1]/OBSERVATION[1]
			OBR ORDER[2]/OBSERVATION_REQUEST[1]
			SPM ORDER[2]/OBSERVATION_REQUEST[1]/SPECIMEN[1]`},
		"a prior result with its patient": {"OML^O21", "2.5.1", "PID|\nORC|\nOBR|\nPID|\nORC|\nOBR|\nOBX|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			OBR ORDER[1]/OBSERVATION_REQUEST[1]
			PID ORDER[1]/OBSERVATION_REQUEST[1]/PRIOR_RESULT[1]/PATIENT_PRIOR[1]
			ORC ORDER[1]/OBSERVATION_REQUEST[1]/PRIOR_RESULT[1]/ORDER_PRIOR[1]
			OBR ORDER[1]/OBSERVATION_REQUEST[1]/PRIOR_RESULT[1]/ORDER_PRIOR[1]
			OBX ORDER[1]/OBSERVATION_REQUEST[1]/PRIOR_RESULT[1]/ORDER_PRIOR[1]/OBSERVATION_PRIOR[1]`},
		"trays among diets": {"OMD^O03", "2.5.1", "PID|\nORC|\nODS|\nORC|\nODT|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER_DIET[1]
			ODS ORDER_DIET[1]/DIET[1]
			ORC ORDER_TRAY[1]
			ODT ORDER_TRAY[1]`},
		"master files with segments of whatever name": {"MFN^M01^MFN_M01", "2.5.1", "MFI|\nMFE|\nOM1|\nOM2|\nMFE|\nZL7|\n", `
			MSH
			MFI
			MFE MF[1]
			OM1 MF[1]
			OM2 MF[1]
			MFE MF[2]
			ZL7 MF[2]`},
		"an order of a problem": {"PPR^PC1", "2.5", "PID|\nPRB|\nORC|\nRXO|\nOBX|\nXYZ|\n", `
			MSH
			PID
			PRB PROBLEM[1]
			ORC PROBLEM[1]/ORDER[1]
			RXO PROBLEM[1]/ORDER[1]/ORDER_DETAIL[1]
			OBX PROBLEM[1]/ORDER[1]/ORDER_DETAIL[1]/ORDER_OBSERVATION[1]
			XYZ PROBLEM[1]/ORDER[1]/ORDER_DETAIL[1]/ORDER_OBSERVATION[1] ?`},
		"a choice": {"ORM^O01", "2.5.1", "PID|\nORC|\nRXO|\nRXR|\nORC|\nOBR|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			RXO ORDER[1]/ORDER_DETAIL[1]
			RXR ORDER[1]/ORDER_DETAIL[1]
			ORC ORDER[2]
			OBR ORDER[2]/ORDER_DETAIL[1]`},
		"requests that share the order of an early sender": {"ORM^O01", "2.3", "PID|\nORC|\nOBR|\nNTE|\nOBR|\nOBR|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			OBR ORDER[1]/ORDER_DETAIL[1]
			NTE ORDER[1]/ORDER_DETAIL[1]
			OBR ORDER[2]/ORDER_DETAIL[1]
			OBR ORDER[3]/ORDER_DETAIL[1]`},
		"a requisition and a pharmacy order": {"ORM^O01", "2.3", "PID|\nORC|\nRQD|\nRQ1|\nNTE|\nORC|\nRXO|\nNTE|\nRXR|\nRXC|\nNTE|\nRXC|\nOBX|\n", `
			MSH
			PID PATIENT[1]
			ORC ORDER[1]
			RQD ORDER[1]/ORDER_DETAIL[1]
			RQ1 ORDER[1]/ORDER_DETAIL[1]
			NTE ORDER[1]/ORDER_DETAIL[1]
			ORC ORDER[2]
			RXO ORDER[2]/ORDER_DETAIL[1]
			NTE ORDER[2]/ORDER_DETAIL[1]
			RXR ORDER[2]/ORDER_DETAIL[1]
			RXC ORDER[2]/ORDER_DETAIL[1]/COMPONENT[1]
			NTE ORDER[2]/ORDER_DETAIL[1]/COMPONENT[1]
			RXC ORDER[2]/ORDER_DETAIL[1]/COMPONENT[2]
			OBX ORDER[2]/ORDER_DETAIL[1]/OBSERVATION[1]`},
		"what decides comes later": {"OUL^R24", "2.5.1", "OBR|\nSPM|\nOBX|\nTCD|\nOBR|\nSPM|\nOBX|\nSAC|\n", `
			MSH
			OBR ORDER[1]
			SPM ORDER[1]/SPECIMEN[1]
			OBX ORDER[1]/RESULT[1]
			TCD ORDER[1]/RESULT[1]
			OBR ORDER[2]
			SPM ORDER[2]/SPECIMEN[1]
			OBX ORDER[2]/SPECIMEN[1]
			SAC ORDER[2]/SPECIMEN[1]/CONTAINER[1]`},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, test.msh9, test.version, test.segments)
			var got strings.Builder
			for i, l := range dictionary.Of(m.Version()).StructureOf(m).Locate(m) {
				line := m.Segment(i).Name() + " " + l.Group
				if !l.Expected {
					line += " ?"
				}
				got.WriteString("\n" + strings.TrimSpace(line))
			}
			want := strings.ReplaceAll(test.want, "\t", "")
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Each message departs from its structure: a question mark is after what has no place
// where it stands.
func TestASegmentWithoutItsPlaceGoesToTheNextBest(t *testing.T) {
	for _, test := range []struct{ why, version, structure, segments, want string }{
		{"an optional group is not entered in its middle", "2.3", "RQA_I10", "PRD PID CTD", "PRD PROVIDER[1], PID, CTD ?"},
		{"what must come before and still comes is not missing", "2.3", "PIN_I07", "PID PRD", "PID ?, PRD PROVIDER[1]"},
		{"any segment has the place for any, though another is missing", "2.8", "QVR_Q17", "QPD XYZ", "QPD, XYZ QBP[1]"},
		{"of two groups, the one whose next segment comes", "2.3", "OMD_O01", "PID ORC ODT", "PID PATIENT[1], ORC ORDER_TRAY[1], ODT ORDER_TRAY[1]"},
		{"of two groups, the first if nothing comes", "2.3", "OMD_O01", "ODS ORC", "ODS ?, ORC ORDER_DIET[1]"},
		{"a group is not repeated for a segment that it did not have", "2.5.1", "OML_O21", "ORC BLG OBR", "ORC ORDER[1], BLG ORDER[1], OBR ORDER[1] ?"},
	} {
		v := dictionary.Of(test.version)
		m := of(v, test.structure, append([]string{"MSH"}, strings.Fields(test.segments)...))
		var got []string
		for i, l := range v.Structure(test.structure).Locate(m) {
			place := strings.TrimSpace(m.Segment(i).Name() + " " + l.Group)
			if !l.Expected {
				place += " ?"
			}
			got = append(got, place)
		}
		if diff := cmp.Diff(test.want, strings.Join(got[1:], ", ")); diff != "" {
			t.Errorf("%s: %s of %s (-want +got):\n%s", test.why, test.segments, test.structure, diff)
		}
	}
}

func TestTheStructureIsTheOneThatTheHeaderNames(t *testing.T) {
	for msh9, want := range map[string]string{
		"ADT^A04^ADT_A01": "ADT_A01", "ADT^A04": "ADT_A01", "ADT^A04^NONE": "ADT_A01", "ADT^A04^ADT_A04": "ADT_A01", "ADT^A01^ADT_A04": "ADT_A01", "ACK": "ACK", "ACK^A01": "ACK", "ZZZ^Z01": "", "": "",
	} {
		got := ""
		if s := dictionary.Of("2.5.1").StructureOf(message(t, msh9, "2.5.1", "")); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("%q has structure %q, want %q", msh9, got, want)
		}
	}
}

func TestTheEventOfEarlySendersIsThatOfTheEventSegment(t *testing.T) {
	for segments, want := range map[string]string{"EVN|A04|1991\n": "ADT_A04", "EVN|Z99|1991\n": "", "PID|1\n": ""} {
		got := ""
		if s := dictionary.Of("2.2").StructureOf(message(t, "ADT", "2.2", segments)); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("ADT with %q has structure %q, want %q", segments, got, want)
		}
	}
}

func TestEveryEventOfTheStandardHasItsStructureWithoutOneInTheHeader(t *testing.T) {
	for v := range dictionary.Versions() {
		for event, want := range v.Events() {
			code, trigger, found := strings.Cut(event, "_")
			if !found {
				continue
			}
			if s := v.StructureOf(message(t, code+"^"+trigger, v.Name, "")); s != want {
				t.Errorf("%s of v%s has structure %v, want %s", event, v.Name, s, want.Name)
			}
		}
	}
}
