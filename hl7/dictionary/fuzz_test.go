package dictionary_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

func FuzzWhateverParsesCanBeValidatedAndEnriched(f *testing.F) {
	f.Add([]byte("MSH|^~\\&|A|B|C|D|20260314||ORU^R01|1|P|2.5.1\rPID|1||7||T||1971\rOBR|1\rOBX|1|NM|8||7.5||||||F\rZZZ\rSPM|1\r"))
	f.Add([]byte("MSH|^~\\&|A|B|C|D|||ADT^A01^ADT_A01|1|P|2.1\rEVN|A01\rPID|~~||^^\rIN1|1\rIN1|2\r"))
	f.Add([]byte("MSH|^~\\&|A|B|C|D|||CCM^I21|1|P|2.8\rAIS|1\rROL|\r"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := hl7.Parse(data)
		if err != nil {
			return
		}
		all := dictionary.Enrichment{Names: true, Values: true, Groups: true}
		if line := m.AppendJSON(nil, dictionary.Enrich(m, all)); !json.Valid(line) {
			t.Errorf("invalid JSON: %s", line)
		}
		for _, finding := range dictionary.Of(m.Version()).Validate(m, dictionary.Strict) {
			if finding.Segment < 0 || finding.Segment > m.Len() || strings.ContainsAny(finding.String(), "\r\n") {
				t.Errorf("finding %+v", finding)
			}
		}
	})
}
