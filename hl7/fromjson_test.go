package hl7_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

func TestFromJSONWritesTheCanonicalForm(t *testing.T) {
	for name, test := range map[string]struct{ before, want string }{
		"nothing to change":                    {"MSH|^~\\&|A|B\rPID|1||x^y&z~w\r", "MSH|^~\\&|A|B\rPID|1||x^y&z~w\r"},
		"line ends":                            {"MSH|^~\\&|A\r\n\r\nPID|1", "MSH|^~\\&|A\rPID|1\r"},
		"delimiters after the last value":      {"MSH|^~\\&|A||\rPID|1^&|x~|\r", "MSH|^~\\&|A\rPID|1|x\r"},
		"a header of delimiters alone":         {"MSH|^~\\&|\r", "MSH|^~\\&|\r"},
		"a segment without fields":             {"MSH|^~\\&|A\rZZZ||\r", "MSH|^~\\&|A\rZZZ\r"},
		"a segment without a name":             {"MSH|^~\\&|A\r||x\r", "MSH|^~\\&|A\r||x\r"},
		"nothing but a separator":              {"MSH|^~\\&|A\r|\r", "MSH|^~\\&|A\r|\r"},
		"delimiters in a name":                 {"MSH|^~\\&|A\ra^b|x\r", "MSH|^~\\&|A\ra\\S\\b|x\r"},
		"delimiters in a name, no escapes":     {"MSH|^|A\ra^b|x\r", "MSH|^|A\ra^b|x\r"},
		"a name that begins with a space":      {"MSH|^~\\&|A\r\\X20\\a|x\r", "MSH|^~\\&|A\r\\X20\\a|x\r"},
		"a name that begins with a line end":   {"MSH|^~\\&|A\r\\X0D\\a|x\r", "MSH|^~\\&|A\r\\X0D\\a|x\r"},
		"components that begin with the third": {"MSH|^~\\&|A\rPID|1|^^x^^&y\r", "MSH|^~\\&|A\rPID|1|^^x^^&y\r"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := hl7.FromJSON(parse(t, test.before).AppendJSON(nil, hl7.JSON{}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(m.Encode())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAMessageOfMegabytesComesBackFromItsJSON(t *testing.T) {
	want := "MSH|^~\\&|A\r" + strings.Repeat("OBX|1|TX|||"+strings.Repeat("text ", 20_000)+"||F\r", 12)
	m, err := hl7.FromJSON(parse(t, want).AppendJSON(nil, hl7.JSON{}))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.Encode()); got != want {
		t.Errorf("%d bytes came back as %d", len(want), len(got))
	}
}

func TestJSONThatIsNoMessageIsRefused(t *testing.T) {
	const msh = `{"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"A"}]}}`
	for name, test := range map[string]struct {
		json string
		want error
	}{
		"not JSON":                   {`[{`, hl7.ErrJSON},
		"another shape":              {`{"segments":[]}`, hl7.ErrJSON},
		"nothing":                    {`[]`, hl7.ErrNoHeader},
		"no header":                  {`[{"id":"PID","fields":{}}]`, hl7.ErrNoHeader},
		"a header without MSH-2":     {`[{"id":"MSH","fields":{"1":[{"1":"|"}]}}]`, hl7.ErrNoHeader},
		"unusable delimiters":        {`[{"id":"MSH","fields":{"1":[{"1":"x"}],"2":[{"1":"^~"}]}}]`, hl7.ErrNoHeader},
		"a second header":            {`[` + msh + `,` + msh + `]`, hl7.ErrSeveralMessages},
		"a name for a number":        {`[` + msh + `,{"id":"PID","fields":{"name":[{"1":"x"}]}}]`, hl7.ErrJSON},
		"number zero":                {`[` + msh + `,{"id":"PID","fields":{"0":[{"1":"x"}]}}]`, hl7.ErrJSON},
		"a component for a field":    {`[` + msh + `,{"id":"PID","fields":{"3.2":[{"1":"x"}]}}]`, hl7.ErrJSON},
		"the same place twice":       {`[` + msh + `,{"id":"PID","fields":{"3":[{"1":"x","1.1":"y"}]}}]`, hl7.ErrJSON},
		"nothing but delimiters":     {`[` + msh + `,{"id":"PID","fields":{"3":[{"2000000000":"x"}]}}]`, hl7.ErrJSON},
		"the same in two segments":   {`[` + msh + `,{"id":"PID","fields":{"600000":[{"1":"x"}]}},{"id":"PV1","fields":{"600000":[{"1":"x"}]}}]`, hl7.ErrJSON},
		"components, none to divide": {`[{"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^"}],"3":[{"1":"A","1.2":"B"}]}}]`, hl7.ErrNotEncodable},
	} {
		if _, err := hl7.FromJSON([]byte(test.json)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestTheErrorOfJSONNamesTheSegment(t *testing.T) {
	_, err := hl7.FromJSON([]byte(`[{"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^"}]}},{"id":"PID","fields":{"1":[{"1":"x"},{"1":"y"}]}}]`))
	if err == nil || !strings.HasPrefix(err.Error(), "hl7: segment 2: ") {
		t.Errorf("two repetitions without a delimiter: %v", err)
	}
}
