package view

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/hl7"
)

const header = "MSH|^~\\&|LAB|HERE|||2026||ORU^R01^ORU_R01|7|T|2.5.1\r"

// of returns a page of a message, without the parts that other tests are about.
func of(t *testing.T, text string, from int) View {
	t.Helper()
	m, err := hl7.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Of([]byte(text), m, from)
}

// nodes writes elements on a line each: path, name, type, table and meaning, raw, text.
func nodes(fields []Field) (lines []string) {
	var walk func(n Node)
	walk = func(n Node) {
		lines = append(lines, strings.TrimRight(strings.Join([]string{n.Path, n.Name, n.Type, n.Table, n.Meaning, n.Raw, n.Text}, "|"), "|"))
		for _, part := range n.Parts {
			walk(part)
		}
	}
	for _, f := range fields {
		lines = append(lines, strings.TrimRight(strings.Join([]string{f.Path, f.Name, f.Type, f.Table, f.Usage}, "|"), "|"))
		for _, n := range f.Repetitions {
			walk(n)
		}
	}
	return lines
}

func TestAMessageIsShownWithWhatItsVersionKnowsOfIt(t *testing.T) {
	v := of(t, header+"PID|1||7^^^A&1.2&ISO~8\rOBR|1|||x\rOBX|1|CE|8||a^H\\T\\E\rZZZ|1", 0)
	if v.Type != "ORU^R01" || v.Structure != "ORU_R01" || v.Event != "Unsolicited transmission of an observation message" ||
		v.Version != "2.5.1" || !v.VersionKnown || v.Charset != "utf-8" || v.Total != 5 || v.Next != 0 {
		t.Errorf("%+v", v)
	}
	if diff := cmp.Diff(&Delimiters{"|", "^", "~", "\\", "&"}, v.Delimiters); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		segment int
		title   string
		groups  string
		want    []string
	}{
		{1, "Patient Identification", "PATIENT_RESULT[1]/PATIENT[1]", []string{
			"PID-1|Set ID - PID|SI||O", "PID-1[1]|||||1", "PID-2|Patient ID|CX||O", "PID-3|Patient Identifier List|CX||R",
			"PID-3[1]", "PID-3[1].1|ID Number|ST|||7", "PID-3[1].2|Check Digit|ST", "PID-3[1].3|Check Digit Scheme|ID", "PID-3[1].4|Assigning Authority|HD",
			"PID-3[1].4.1|Namespace ID|IS|0300||A", "PID-3[1].4.2|Universal ID|ST|||1.2", "PID-3[1].4.3|Universal ID Type|ID|0301|An International Standards Organization Object Identifier|ISO",
			"PID-3[2]|||||8",
		}},
		{3, "Observation/Result", "PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]", []string{
			"OBX-1|Set ID - OBX|SI||O", "OBX-1[1]|||||1", "OBX-2|Value Type|ID|0125|C", "OBX-2[1]|||0125||CE",
			"OBX-3|Observation Identifier|CE||R", "OBX-3[1]|||||8", "OBX-4|Observation Sub-ID|ST||O", "OBX-5|Observation Value|CE||O",
			"OBX-5[1]", "OBX-5[1].1|Identifier|ST|||a", "OBX-5[1].2|Text|ST|||H\\T\\E|H&E",
		}},
		{4, "", "PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]", []string{"ZZZ-1", "ZZZ-1[1]|||||1"}},
	} {
		s := v.Segments[test.segment]
		if s.Index != test.segment || s.Title != test.title || strings.Join(s.Groups, "/") != test.groups {
			t.Errorf("%+v", s)
		}
		if diff := cmp.Diff(test.want, nodes(s.Fields)); diff != "" {
			t.Errorf("%s: %s", s.Name, diff)
		}
	}
}

func TestACodeOfAFieldsTableIsShownInWordsWhereverItStands(t *testing.T) {
	v := of(t, strings.Replace(header, "ORU^R01^ORU_R01", "ADT^A01^ADT_A01", 1)+"PID||||||||F||2106-3^White~2054-5\rPV1||I", 0)
	got := map[string]string{}
	var walk func(nodes []Node)
	walk = func(nodes []Node) {
		for _, n := range nodes {
			if n.Meaning != "" {
				got[n.Path] = n.Table + " " + n.Meaning
			}
			walk(n.Parts)
		}
	}
	for _, s := range v.Segments {
		for _, f := range s.Fields {
			walk(f.Repetitions)
		}
	}
	want := map[string]string{
		"MSH-9[1].1": "0076 ADT message", "MSH-9[1].2": "0003 ADT/ACK - Admit/visit notification", "MSH-9[1].3": "0354 A01, A04, A08, A13",
		"MSH-11[1]": "0103 Training", "MSH-12[1]": "0104 Release 1.5.1",
		"PID-8[1]": "0001 Female", "PID-10[1].1": "0005 White", "PID-10[2]": "0005 Black or African American", "PV1-2[1]": "0004 Inpatient",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestTheSegmentsOfAViewAreTheMessage puts the messages of the samples and the corpus
// together again from the leaves.
func TestTheSegmentsOfAViewAreTheMessage(t *testing.T) {
	files, _ := filepath.Glob("../../../../cmd/lake/samples/messages/*")
	corpus, _ := filepath.Glob("../../../../../shared/corpus/*/*")
	for _, file := range append(files, corpus...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for m, err := range hl7.NewReader(bytes.NewReader(data)).Messages() {
			if err != nil {
				continue // the tests of hl7 say which
			}
			at := 0
			for v := Of(data, m, 0); ; v = Of(data, m, v.Next) {
				for _, s := range v.Segments {
					if got, folded := joined(s, m.Delimiters()); !folded && got != string(m.Segment(at).Raw()) {
						t.Errorf("%s, segment %d: %q", file, at, got)
					}
					at++
				}
				if v.Next == 0 {
					break
				}
			}
			if at != m.Len() {
				t.Errorf("%s: %d of %d segments", file, at, m.Len())
			}
		}
	}
}

// joined returns a segment as it was sent, unless some of it is folded.
func joined(s Segment, d hl7.Delimiters) (text string, folded bool) {
	folded = s.Folded > 0
	if s.Name == "" {
		return s.Text, folded
	}
	var join func(nodes []Node, delimiters ...byte) string
	join = func(nodes []Node, delimiters ...byte) string {
		var parts []string
		for _, n := range nodes {
			folded = folded || n.Folded > 0
			part := n.Raw
			if n.Parts != nil {
				part = join(n.Parts, delimiters[1:]...)
			}
			parts = append(parts, part)
		}
		return strings.Join(parts, string(rune(delimiters[0])))
	}
	fields := []string{s.Name}
	for i, f := range s.Fields {
		folded = folded || f.Folded > 0
		if s.Index > 0 || i > 0 {
			fields = append(fields, join(f.Repetitions, d.Repetition, d.Component, d.Subcomponent))
		}
	}
	return strings.Join(fields, string(rune(d.Field))), folded
}

func TestFindingsStandAtTheirPlace(t *testing.T) {
	v := of(t, header+"PID|1||7|||||Q^^\rOBR|x|||y\rOBX|1|NM|8||1~a\\q\\", 0)
	at := make([]string, len(v.Findings)) // the places that name each finding
	name := func(place string, findings []int) {
		for _, n := range findings {
			at[n] = strings.TrimSpace(at[n] + " " + place)
		}
	}
	for _, s := range v.Segments {
		name(s.Name, s.Findings)
		for _, f := range s.Fields {
			name(f.Path, f.Findings)
			for _, n := range f.Repetitions {
				name(n.Path, n.Findings)
			}
		}
	}
	got := []string{}
	for n, f := range v.Findings {
		got = append(got, strings.Join([]string{f.Path, f.Rule, f.Level, at[n]}, ", "))
	}
	want := []string{
		"PID-5, missing-field, lenient, PID PID-5",
		"PID-8[1], too-long, strict, PID PID-8 PID-8[1]",
		"OBR-1[1].1.1, bad-type, lenient, OBR OBR-1 OBR-1[1]",
		"OBX-5[2], unknown-escape, lenient, OBX OBX-5 OBX-5[2]",
		"OBX-11, missing-field, lenient, OBX",
		"OBX-5[2].1.1, bad-type, lenient, OBX OBX-5 OBX-5[2]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFindingAboutTheWholeMessageIsOnItsFirstPageAlone(t *testing.T) {
	text := header + "PID|1||7||Doe" + strings.Repeat("\rZZZ|1", maxSegments)
	first, second := of(t, text, 0), of(t, text, maxSegments)
	want := []Finding{{Path: "OBR", Rule: "missing-segment", Level: "lenient", Text: "in PATIENT_RESULT[1]"}}
	if diff := cmp.Diff(want, first.Findings); diff != "" {
		t.Error(diff)
	}
	if first.Next != maxSegments || first.FindingsTotal != 1 || len(second.Findings) > 0 || second.FindingsTotal != 1 {
		t.Errorf("%d findings on the second page of %d", len(second.Findings), second.FindingsTotal)
	}
}

func TestTheAcknowledgmentIsTheOneThatTheLakeGives(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"original mode":                     {header + "PID", "MSA|AA|7"},
		"enhanced mode":                     {strings.Replace(header, "|2.5.1", "|2.5.1|||AL|NE", 1), "MSA|CA|7"},
		"application acknowledgment wanted": {strings.Replace(header, "|2.5.1", "|2.5.1|||AL|AL", 1), "MSA|AA|7"},
	} {
		_, got, _ := strings.Cut(of(t, test.text, 0).Ack, "\n")
		if got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestBytesThatAreNoMessageAreShownAsLinesWithTheReason(t *testing.T) {
	data := []byte("MSH|^~\\&|A\rMSH|^~\\&|B\r\n\nx\xff" + strings.Repeat("y", 2*maxLeaf) + "\n")
	_, err := hl7.Parse(data)
	v := OfText(data, err, 0)
	want := []Line{{0, "MSH|^~\\&|A", 0}, {1, "MSH|^~\\&|B", 0}, {2, "", 0}, {3, "x\ufffd" + strings.Repeat("y", maxLeaf-2), maxLeaf + 2}}
	if diff := cmp.Diff(want, v.Lines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&Fault{"batch", 1, 2, "MSH", 11, hl7.ErrSeveralMessages.Error()}, v.Fault); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(v.Ack, "\nMSA|AE") || v.Total != 4 || v.Next != 0 {
		t.Errorf("%+v", v)
	}
	if v := OfText(nil, hl7.ErrCharset, 0); v.Fault.Code != "charset" || v.Lines != nil {
		t.Errorf("%+v", v)
	}
}

func TestAValueIsFoundAtItsPlaceWhole(t *testing.T) {
	long := strings.Repeat("\\T\\ä", maxLeaf)
	m, err := hl7.Parse([]byte(header + "OBX|1|TX|8||a~" + long + "^b"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"OBX-5[2].1": long, "OBX-5": "a~" + long + "^b", "OBX-5[2].2": "b", "OBX-4": "", "MSH-2": "",
		"OBX-6": "", "PID-1": "", "OBX": "", "": "OBX|1|TX|8||a~" + long + "^b",
	} {
		var p hl7.Path
		if path != "" {
			if p, err = hl7.ParsePath(path); err != nil {
				t.Fatal(err)
			}
		}
		got, ok := Value(m, 1, p)
		if string(got) != want || ok != (want != "" || path == "OBX-4") {
			t.Errorf("%s: %q, %t", path, got, ok)
		}
	}
	if _, ok := Value(m, 2, hl7.Path{}); ok {
		t.Error("there is a segment behind the last one")
	}
}

func TestAViewIsJSON(t *testing.T) {
	text := header + "OBX|1|TX|8||" + strings.Repeat("<&>\x01\u2028\"", 500)
	v := of(t, text, 0)
	line, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back View
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Error(diff)
	}
}
