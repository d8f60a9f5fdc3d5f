package dictionary_test

// This file is about time, which is bounded by the size of the message.

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
	"hl7lake/hl7/growth"
)

// repeated are messages of about n segments or values, each made of one thing only that a
// function might search again and again from its start.
var repeated = map[string]func(n int) string{
	"results":                     segments("ORU^R01^ORU_R01", "PID|1\r", "ORC|RE\rOBR|1\rOBX|1\r"),
	"patients":                    segments("ORU^R01^ORU_R01", "", "PID|1\rPV1|1\rOBR|1\r"),
	"results without order":       segments("ORU^R01^ORU_R01", "PID|1\r", "OBX|1\r"),
	"results before their order":  segments("ORU^R01^ORU_R01", "PID|1\r", "OBX|1\r", "OBR|1\r"),
	"notes before their order":    segments("ORU^R01^ORU_R01", "PID|1\rORC|RE\r", "NTE|1\r", "OBR|1\r"),
	"visits out of place":         segments("ORU^R01^ORU_R01", "PID|1\rOBR|1\r", "PV1|1\r"),
	"one after another misplaced": segments("ORU^R01^ORU_R01", "", "OBX|1\rPID|1\rPV1|1\rTQ1|1\r"),
	"segments of no structure":    segments("ORU^R01^ORU_R01", "PID|1\r", "SCH|1\r"),
	"names of no segment":         segments("ORU^R01^ORU_R01", "PID|1\r", "text\r"),
	"heads of orders":             segments("OML^O21^OML_O21", "PID|1\r", "OBR|1\r"),
	"orders":                      segments("OML^O21^OML_O21", "PID|1\r", "ORC|NW\r"),
	"orders and prior patients":   segments("OML^O21^OML_O21", "PID|1\r", "ORC|NW\rOBR|1\rPID|1\rORC|PR\rOBR|1\r"),
	"orders of diets or trays":    segments("ORD^O04^ORD_O04", "MSA|AA|1\r", "ORC|OK\r"),
	"trays among diets":           segments("OMD^O03^OMD_O03", "PID|1\r", "ORC|NW\rODS|D\rORC|NW\rODT|1\r"),
	"results behind specimens":    segments("OUL^R24^OUL_R24", "OBR|1\r", "SPM|1\rOBX|1\rSAC|1\rOBX|1\rTCD|1\r"),
	"almost an order's end":       segments("OML^O21^OML_O21", "PID|1\r", "ORC|NW\rOBR|1\rORC|NW\rOBR|1\rOBX|1\r", "EVN|A01\r"),
	"segments of whatever name":   segments("MFN^M01^MFN_M01", "MFI|1\rMFE|1\r", "OM1|1\r"),
	"keys and their types":        values("MFN^M01^MFN_M01", "MFI|1\rMFE|1||||", "1~", "\r"),
	"types of keys":               values("MFN^M01^MFN_M01", "MFI|1\rMFE|1|||1|", "NM~", "\r"),
	"unknown escapes":             values("ORU^R01^ORU_R01", "NTE|1||", "\\q", "\r"),
	"terminators as text":         values("ORU^R01^ORU_R01", "NTE|1||", "\\r", "\r"),
	"terminators and separators":  values("ORU^R01^ORU_R01", "NTE|1||", "\\r|", "\r"),
	"almost segments":             values("ORU^R01^ORU_R01", "NTE|1||", "<cr>PIX|", "\r"),
	"almost headers":              values("ORU^R01^ORU_R01", "NTE|1||", "MSH|", "\r"),
	"unknown components":          values("ORU^R01^ORU_R01", "PID|1|||||||", "1^", "\r"),
	"unknown fields":              values("ORU^R01^ORU_R01", "PID|1|", "1|", "\r"),
}

func segments(msh9, before, part string, after ...string) func(int) string {
	return values(msh9, before, part, strings.Join(after, ""))
}

func values(msh9, before, part, after string) func(int) string {
	return func(n int) string {
		return "MSH|^~\\&|A|B|C|D|20260102||" + msh9 + "|1|T|2.5.1\r" + before + strings.Repeat(part, n/len(part)) + after
	}
}

// walks are all functions that go through a message, by name.
var walks = map[string]func(v *dictionary.Version, m *hl7.Message){
	"Locate":            func(v *dictionary.Version, m *hl7.Message) { v.StructureOf(m).Locate(m) },
	"Validate":          func(v *dictionary.Version, m *hl7.Message) { v.Validate(m, dictionary.Lenient) },
	"Validate strictly": func(v *dictionary.Version, m *hl7.Message) { v.Validate(m, dictionary.Strict) },
	"Text": func(v *dictionary.Version, m *hl7.Message) {
		_, _ = v.Text(m, "PATIENT_RESULT/OBSERVATION[9999]/OBX[9999]-5")
	},
	"Groups": func(v *dictionary.Version, m *hl7.Message) {
		for range v.StructureOf(m).Groups(m) {
			continue
		}
	},
	"Enrich": func(_ *dictionary.Version, m *hl7.Message) {
		m.AppendJSON(nil, dictionary.Enrich(m, dictionary.Enrichment{Names: true, Values: true, Groups: true}))
	},
}

func TestTheTimeOfEveryWalkGrowsWithTheMessageOnly(t *testing.T) {
	const size = 4 << 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // small messages cause no collections
	v := dictionary.Of("2.5.1")
	for name, walk := range walks {
		for kind, input := range repeated {
			first, second, linear := growth.Linear(size, func(size int) func() {
				m, err := hl7.Parse([]byte(input(size)))
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				runtime.GC()
				return func() { walk(v, m) }
			})
			if !linear {
				t.Errorf("%s of %s: %v for %d bytes, %v for %d times as many", name, kind, first, size, second, growth.Times)
			}
		}
	}
}
