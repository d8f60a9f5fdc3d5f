package dictionary_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

func TestJSONCarriesNamesValuesAndGroups(t *testing.T) {
	m := message(t, "ORU^R01", "2.5.1", "PID|1||7||Doe&van^Jo||197108||||a~12 \"B\" Street\nOBR|1|||x\nOBX|1|NM|8||+07.50~.5~-3||||||F|||20260314091542+0100\nOBX|2|TM|8||0915\nZZZ|1\n")
	all := dictionary.Enrichment{Names: true, Values: true, Groups: true}
	line := string(m.AppendJSON(nil, dictionary.Enrich(m, all)))
	got := strings.Split(strings.ReplaceAll(line, `},{"seq"`, "},\n{\"seq\""), "\n")[1:]
	want := []string{
		`{"seq":2,"id":"PID","fields":{"1":[{"1":"1"}],"3":[{"1":"7"}],"5":[{"1":"Doe","1.2":"van","2":"Jo"}],"7":[{"1":"197108"}],"11":[{"1":"a"},{"1":"12 \"B\" Street"}]}` +
			`,"group":"PATIENT_RESULT[1]/PATIENT[1]","name":"Patient Identification","names":{"1":"Set ID - PID","11":"Patient Address","11.1":"Street Address","3":"Patient Identifier List","3.1":"ID Number",` +
			`"5":"Patient Name","5.1":"Family Name","5.1.2":"Own Surname Prefix","5.2":"Given Name","7":"Date/Time of Birth","7.1":"Time"},"values":{"1":[{"1":1}],"7":[{"1":"1971-08"}]}},`,
		`{"seq":3,"id":"OBR","fields":{"1":[{"1":"1"}],"4":[{"1":"x"}]},"group":"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]","name":"Observation Request",` +
			`"names":{"1":"Set ID - OBR","4":"Universal Service Identifier","4.1":"Identifier"},"values":{"1":[{"1":1}]}},`,
		`{"seq":4,"id":"OBX","fields":{"1":[{"1":"1"}],"2":[{"1":"NM"}],"3":[{"1":"8"}],"5":[{"1":"+07.50"},{"1":".5"},{"1":"-3"}],"11":[{"1":"F"}],"14":[{"1":"20260314091542+0100"}]}` +
			`,"group":"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]","name":"Observation/Result","names":{"1":"Set ID - OBX","11":"Observation Result Status","14":"Date/Time of the Observation","14.1":"Time","2":"Value Type",` +
			`"3":"Observation Identifier","3.1":"Identifier","5":"Observation Value"},"values":{"1":[{"1":1}],"14":[{"1":"2026-03-14T09:15:42+01:00"}],"5":[{"1":7.50},{"1":0.5},{"1":-3}]}},`,
		`{"seq":5,"id":"OBX","fields":{"1":[{"1":"2"}],"2":[{"1":"TM"}],"3":[{"1":"8"}],"5":[{"1":"0915"}]},"group":"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]","name":"Observation/Result",` +
			`"names":{"1":"Set ID - OBX","2":"Value Type","3":"Observation Identifier","3.1":"Identifier","5":"Observation Value"},"values":{"1":[{"1":2}],"5":[{"1":"09:15"}]}},`,
		`{"seq":6,"id":"ZZZ","fields":{"1":[{"1":"1"}]},"group":"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]"}]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if plain := string(m.AppendJSON(nil, dictionary.Enrich(m, dictionary.Enrichment{}))); plain != string(m.AppendJSON(nil, hl7.JSON{})) {
		t.Error("enriched by nothing, the JSON is another")
	}
}

func TestTheCorpusCanBeEnrichedAndValidated(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/corpus/*/*")
	if len(files) == 0 {
		t.Skip("the corpus of public messages is not beside the module (../shared/corpus)")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			if err != nil {
				continue // the tests of hl7 say which
			}
			all := dictionary.Enrichment{Names: true, Values: true, Groups: true}
			line := m.AppendJSON(nil, dictionary.Enrich(m, all))
			if !json.Valid(line) {
				t.Errorf("%s: invalid JSON", file)
			}
			back, err := hl7.FromJSON(line)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if !bytes.Equal(back.AppendJSON(nil, hl7.JSON{}), m.AppendJSON(nil, hl7.JSON{})) {
				t.Errorf("%s: what was added does not come off again", file)
			}
			for _, level := range []dictionary.Level{dictionary.Lenient, dictionary.Strict} {
				for _, f := range dictionary.Of(m.Version()).Validate(m, level) {
					if f.Segment > m.Len() {
						t.Errorf("%s: a finding in segment %d of %d", file, f.Segment, m.Len())
					}
				}
			}
		}
	}
}

func ExampleDescribe() {
	fmt.Println(dictionary.Describe("PID-5.1"))
	// Output: Patient Name / Family Name
}

func ExampleVersion_Validate() {
	m, err := hl7.Parse([]byte("MSH|^~\\&|A|B|C|D|20260314||ADT^A01^ADT_A01|1|P|2.5.1\rEVN||yesterday\rPID|||7||Testperson\r"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range dictionary.Of(m.Version()).Validate(m, dictionary.Lenient) {
		fmt.Println(finding)
	}
	// Output:
	// EVN[1]-2[1].1.1: bad-type: not of type DTM
	// PV1: missing-segment
}
