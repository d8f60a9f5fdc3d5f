package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sampleFolder = "samples/messages"

func TestParseShowsALineAValue(t *testing.T) {
	got := call(t, nil, "", "parse", filepath.Join(sampleFolder, "oru-r01-lf.hl7"))
	if got.Status != statusDone || got.Err != "" {
		t.Errorf("%d, %s", got.Status, got.Err)
	}
	golden(t, "parse-pretty.txt", []byte(got.Out))
}

func TestEachPathThatIsShownIsOneToAskFor(t *testing.T) {
	file := filepath.Join(sampleFolder, "adt-a01.hl7")
	shown := call(t, nil, "", "parse", "--pretty", file)
	lines := strings.Split(strings.TrimSpace(shown.Out), "\n")[1:]
	for _, line := range lines[:30] {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, _, _ := strings.Cut(strings.TrimSpace(rest), "  ") // its name comes after it
		got := call(t, nil, "", "parse", "--path", path, file)
		if diff := cmp.Diff(result{Out: value + "\n"}, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestParseWritesALineOfJSONForWhatItReadsAndWhatItCannot(t *testing.T) {
	input := "MSH|^~\\&|A||||2026||ACK|1|P|2.5\rMSA|AA\r\nMSH|\r\n"
	got := call(t, nil, input, "parse", "--json", "-")
	want := result{
		Status: statusRefused,
		Out: `{"file":"-","number":1,"type":"ACK","version":"2.5","charset":"utf-8","segments":[{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"A"}],"7":[{"1":"2026"}],"9":[{"1":"ACK"}],"10":[{"1":"1"}],"11":[{"1":"P"}],"12":[{"1":"2.5"}]}},{"seq":2,"id":"MSA","fields":{"1":[{"1":"AA"}]}}]}
{"file":"-","number":2,"error":{"code":"truncated-header","line":3,"segment":1,"path":"MSH-2","offset":44}}
`,
		Err: "-#2: line 3, segment 1, MSH-2, offset 44: truncated-header: the MSH segment ends before its third field\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(got.Out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestValuesAndMessagesGoTogether(t *testing.T) {
	input := "MSH|^~\\&|A\rPID|||1\rMSH|^~\\&|A\rEVN|\rMSH|^~\\&|A\rPID|||3\\.br\\b\x1b[2J\r"
	got := call(t, nil, input, "parse", "--path", "PID-3", "-")
	if diff := cmp.Diff(result{Out: "1\n\n" + `3\nb\x1b[2J` + "\n"}, got); diff != "" {
		t.Error(diff)
	}
	got = call(t, nil, input, "parse", "--path", "PID-3", "--json", "-")
	want := `{"file":"-","number":1,"type":"unknown","charset":"utf-8","path":"PID-3","value":"1"}`
	if first, _, _ := strings.Cut(got.Out, "\n"); first != want || got.Status != statusDone {
		t.Errorf("%d: %s", got.Status, first)
	}
}

func TestValuesOfSeveralFilesAreNamed(t *testing.T) {
	dir := folder(t, map[string]string{"a.hl7": "MSH|^~\\&|A\rPID|||1\r", "b.hl7": "MSH|^~\\&|A\rPID|||2\rMSH|^~\\&|A\rPID|||3\r"})
	got := call(t, nil, "", "parse", "--path", "PID-3", dir)
	got.Out = strings.ReplaceAll(got.Out, dir, "DIR")
	if diff := cmp.Diff(result{Out: "DIR/a.hl7: 1\nDIR/b.hl7: 2\nDIR/b.hl7#2: 3\n"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheSamplesKeepTheStandard(t *testing.T) {
	got := call(t, nil, "", "parse", "--validate", sampleFolder)
	if got.Out != "0 of 14 messages depart from the standard\n" {
		t.Error(got.Out)
	}
}

func TestDeparturesAreListedWithTheirPlaces(t *testing.T) {
	const input = "MSH|^~\\&|A||||20260301||ADT^A01^ADT_A01|1|P|2.5.1\rEVN||20260301||||||||||more\rPID|1||4711||Testperson||1.4.71\r"
	got := call(t, nil, input, "parse", "--validate", "-")
	want := result{Status: statusRefused, Out: "-: PID[1]-7[1].1.1: bad-type: not of type DTM\n-: PV1: missing-segment\n1 of 1 messages depart from the standard\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = call(t, nil, input, "parse", "--validate", "--json", "-")
	var line struct{ Findings []finding }
	if err := json.Unmarshal([]byte(got.Out), &line); err != nil || len(line.Findings) != 2 || line.Findings[1].Rule != "missing-segment" {
		t.Errorf("%v: %s", err, got.Out)
	}
	if strict := call(t, nil, input, "parse", "--validate", "--strict", "-"); len(strict.Out) <= len(want.Out) {
		t.Errorf("--strict finds no more: %s", strict.Out)
	}
}

func TestEnrichedJSONHasNamesDatesAndGroups(t *testing.T) {
	got := call(t, nil, "", "parse", "--json", "--enrich", filepath.Join(sampleFolder, "oru-r01-lf.hl7"))
	for _, part := range []string{`"5.1":"Family Name"`, `"7":[{"1":"2026-03-02T11:30:00"}]`, `"group":"PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[2]"`} {
		if !strings.Contains(got.Out, part) {
			t.Errorf("no %s in %s", part, got.Out)
		}
	}
}

// times are what differs from run to run.
var times = regexp.MustCompile(`(?m)^(.*) in .*: .* messages/s, .*/s, `)

func TestStatsCountWhatWasParsedAndWhatWentWrong(t *testing.T) {
	batch := folder(t, map[string]string{"batch.hl7": "BHS|^~\\&\rMSH|^~\\&|A\rMSH|^~\\&|B\rBTS|3\r", "text.txt": "This is not HL7\n"})
	got := call(t, nil, "", "parse", "--stats", sampleFolder, batch)
	if got.Status != statusRefused || got.Err != "" {
		t.Errorf("%d, %s", got.Status, got.Err)
	}
	out := strings.ReplaceAll(got.Out, batch, "DIR")
	golden(t, "parse-stats.txt", []byte(times.ReplaceAllString(out, "$1 in TIME: ")))
}

func TestStatsForMachinesHaveTheSameFigures(t *testing.T) {
	got := call(t, nil, "", "parse", "--stats", "--json", sampleFolder)
	var figures struct {
		Parsed, Messages int
		Problems         map[string]struct{ Count int }
	}
	if err := json.Unmarshal([]byte(got.Out), &figures); err != nil {
		t.Fatal(err)
	}
	if figures.Parsed != 14 || figures.Messages != 15 || figures.Problems["truncated-header"].Count != 1 {
		t.Errorf("%+v", figures)
	}
}

func TestWhatASenderPutWhereAVersionBelongsStaysOutOfTheFigures(t *testing.T) {
	got := call(t, nil, "MSH|^~\\&|A||||2026||ADT^A01|1|P|Testperson\rTestperson\r", "parse", "--stats", "-")
	if strings.Contains(got.Out, "Testperson") || !strings.HasSuffix(got.Out, "parsed 1 of 1 messages\n") {
		t.Error(got.Out)
	}
}

// TestParseReadsTheCorpus tries the command on public messages. Their README is not a
// message, and one message is malformed on purpose.
func TestParseReadsTheCorpus(t *testing.T) {
	corpus := filepath.FromSlash("../../../shared/corpus")
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the corpus is not there")
	}
	got := call(t, nil, "", "parse", "--stats", corpus)
	if !strings.Contains(got.Out, "parsed 231 of 233 messages") {
		t.Error(got.Out)
	}
}
