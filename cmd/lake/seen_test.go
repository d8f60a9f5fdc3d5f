package main

// This file is about what a person sees of all commands: values, help, width, and nothing
// that commands a terminal.

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
	"hl7lake/operate/acceptance"
	"hl7lake/operate/doctor"
)

func TestAPathGivesTheWholeFieldAndEachRepetition(t *testing.T) {
	const message = "MSH|^~\\&|A||||2026||ADT^A01^ADT_A01|1|P|2.5\rPID|1||1^^^A&1.2&ISO~2^^^B||Test\\T\\person\r"
	for path, want := range map[string]string{
		"MSH-9": "ADT^A01^ADT_A01\n", "MSH-9.1": "ADT\n", "MSH-2": "^~\\&\n", "PID-3": "1^^^A&1.2&ISO~2^^^B\n", "PID-3[2]": "2^^^B\n",
		"PID-3[*].1": "1\n2\n", "PID-3[*]": "1^^^A&1.2&ISO\n2^^^B\n", "PID-3.4": "A\n", "PID-3.4.2": "1.2\n", "PID-5": "Test&person\n",
		"PID-9": "\n", "PID-9[*]": "\n", "ZZZ-1": "\n",
	} {
		if diff := cmp.Diff(result{Out: want}, call(t, nil, message, "parse", "--path", path, "-")); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	got := call(t, nil, message, "parse", "--json", "--path", "PID-3[*].1", "-")
	if !strings.Contains(got.Out, `"values":["1","2"]`) {
		t.Error(got.Out)
	}
	for path, want := range map[string]string{"pid-3": `which is "PID-3" here`, "PID": "names no field", "PID-3[*][2]": "--path", "PID-[*]": "--path"} {
		if got := call(t, nil, message, "parse", "--path", path, "-"); got.Status != statusUnusable || !strings.Contains(got.Err, want) || !strings.Contains(got.Err, "not a path") {
			t.Errorf("%s: %d: %s", path, got.Status, got.Err)
		}
	}
}

func TestValuesOfDeparturesAreShownWhenAskedFor(t *testing.T) {
	const input = "MSH|^~\\&|A||||20260301||ADT^A01^ADT_A01|1|P|2.5.1\rEVN||20260301\rPID|1||4711||Testperson||1.4.\x1b71\rPV1||I\r"
	got := call(t, nil, input, "parse", "--validate", "-")
	if strings.Contains(got.Out, "1.4.") {
		t.Error(got.Out)
	}
	got = call(t, nil, input, "parse", "--validate", "--values", "-")
	if !strings.Contains(got.Out, `not of type DTM: "1.4.\x1b71"`) {
		t.Error(got.Out)
	}
	if got = call(t, nil, input, "parse", "--validate", "--values", "--json", "-"); !strings.Contains(got.Out, `"value":"1.4.`) {
		t.Error(got.Out)
	}
}

func TestTheVersionIsTold(t *testing.T) {
	for _, command := range []string{"--version", "version"} {
		if got := call(t, nil, "", command); got.Status != statusDone || !strings.HasPrefix(got.Out, "lake ") || !strings.Contains(got.Out, "go1.") {
			t.Errorf("%s: %+v", command, got)
		}
	}
	if got := call(t, nil, "", "version", "--json"); got.Status != statusDone || !strings.Contains(got.Out, `"go":"go1.`) {
		t.Errorf("%+v", got)
	}
}

func TestWhatAMessageHoldsNeverCommandsATerminal(t *testing.T) {
	const evil = "\x1b]0;x\a\x1b[2J\u009b"
	dir := folder(t, map[string]string{"a\x1b[31m.hl7": "MSH|^~\\&|A||||2026||" + evil + "|1|P|" + evil + "\rPID|1||" + evil + "\r" + evil + "|1\r", "b\x1b.txt": "x",
		"c\n201  forged.hl7": one + evil, "d\n201  forged": "x", "e\n201  forged.gz": "\x1f\x8b\x08", "f\n201  forged.batch": one + "junk\r" + two})
	url, _ := keepingLake(t)
	for _, arguments := range [][]string{
		{"parse", "--pretty"}, {"parse", "--json"}, {"parse", "--stats"}, {"parse", "--validate", "--strict", "--values"},
		{"parse", "--path", "PID-3"}, {"parse", "--path", "PID-3", "--json"}, {"send", "--token", "x", "--url", url},
		{"send", "--split", "--token", "x", "--url", url}, {"send", "--split", "--json", "--token", "x", "--url", url}, {"trace", "\x1b[2J", "--token", "x", "--url", url}, {"get", "x", "--url", "http://\x1b"},
	} {
		got := call(t, nil, "", append(arguments, dir)...)
		if arguments[0] == "trace" || arguments[0] == "get" {
			got = call(t, nil, "", arguments...)
		}
		if strings.ContainsAny(got.Out+got.Err, "\x1b\a\r\u009b") {
			t.Errorf("%q: %q", arguments, got.Out+got.Err)
		}
		if strings.Contains(got.Out+got.Err, "\n201  forged") {
			t.Errorf("%q: a file's name stands in a line of its own:\n%s", arguments, got.Out+got.Err)
		}
	}
}

func TestEveryHelpFits80Columns(t *testing.T) {
	for _, arguments := range commandLines((&program{name: "lake"}).command()) {
		for line := range strings.Lines(call(t, nil, "", append(arguments, "--help")...).Out) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns && !strings.HasPrefix(line, "\t") {
				t.Errorf("%s --help: %d columns: %s", arguments, n, line)
			}
		}
	}
}

// commandLines returns how each command is called, of a command and all below it.
func commandLines(cmd *cobra.Command) (all [][]string) {
	all = append(all, strings.Fields(cmd.CommandPath())[1:])
	for _, below := range cmd.Commands() {
		all = append(all, commandLines(below)...)
	}
	return all
}

func TestGoldenOutputsFit80Columns(t *testing.T) {
	for _, file := range []string{"timeline-plain.txt", "report-good-plain.txt", "report-bad-plain.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		fits(t, file, string(text))
	}
}

func TestOutputsWithoutALakeFit80Columns(t *testing.T) {
	t.Parallel() // an address where nobody listens is tried again for some seconds
	long := strings.Repeat("a-long-name/", 8)
	dir := folder(t, map[string]string{
		long + "one.hl7": one, "batch.hl7": one + two, "broken.hl7": "MSH|^~\\&\r", "LICENSE": "text\n",
		"faulty.hl7": "MSH|^~\\&|A||||2026||ADT^A01^ADT_A01|1|P|2.5.1\rPID|1||" + strings.Repeat("some words ", 20) + "||||1.4.71\r",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, arguments := range [][]string{
		{"parse", "--stats", sampleFolder}, {"parse", "--stats", dir}, {"parse", "--validate", "--strict", dir}, {"parse", "--path", "pid-3", "-"}, {"parse", in("none")},
		{"parse", sampleFolder}, {"parse", in("batch.hl7"), in("LICENSE")}, {"send", "x", "--parallel", "0"}, {"send", "-p", "4x"}, {"send", dir},
		{"send", dir, "--url", "http://127.0.0.1:1", "--token", "x"}, {"send", "--mllp", "127.0.0.1:1", dir}, {"get"}, {"get", "x", "--dir", dir}, {"get", "x", "--dir", long},
		{"token", "--url", "http://127.0.0.1:1"}, {"token", "--user", "x", "--outputs", "testdata/other-outputs.json"}, {"users", "list", "--outputs", "testdata/other-outputs.json"},
		{"users", "add", "a@example.org"}, {"users", "add", "a@example.org", "--read", "../x"}, {"replay"}, {"replay", "--owner", "x", "--from", "yesterday"},
		{"forget"}, {"logs", "1", "2"}, {"edge", "--config", in("none")}, {"edge", "--config", in("LICENSE")}, {"edge", "key", in("LICENSE")},
		{"tables", "write", "--out", in("tables"), dir}, {"tables", "show", in("LICENSE")}, {"up", "--port", "70000"},
		{"up", "--dir", in("new"), "--assembly", dir}, {"sned"}, {"version"}, {"doctor", "--outputs", in("none")}, {"check", "--outputs", in("none")},
	} {
		got := callOnScreen(t, nil, arguments...)
		if arguments[0] == "parse" && !slices.ContainsFunc(arguments, func(a string) bool { return strings.HasPrefix(a, "--") }) && got.Out != "" {
			fits(t, strings.Join(arguments, " "), withoutLongValues(got.Out))
			got.Out = ""
		}
		fits(t, strings.Join(arguments, " "), got.Out+got.Err)
	}
}

// withoutLongValues leaves out the lines of values that are wider than their column,
// which are not folded.
func withoutLongValues(pretty string) string {
	var rest []string
	for line := range strings.Lines(pretty) {
		if value := []rune(line); len(value) > nameIndent && string(value[nameIndent-2:nameIndent]) != "  " {
			continue
		}
		rest = append(rest, line)
	}
	return strings.Join(rest, "")
}

func TestWhatAnOperatorSeesFits80Columns(t *testing.T) {
	const id, owner, long = "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "an-institution-with-a-long-name", "a reason that is told in many words, and in some more of them"
	var out bytes.Buffer
	screen := term.Screen{Writer: &out, Width: columns}
	p := &program{name: "lake", out: screen, err: screen}
	if err := errors.Join(
		p.reportLetter(operate.DeadLetter{Queue: "hl7lake-dev-core-WriterFailed1B2C3D4E-0123456789AB", Outcome: operate.Returned, ID: id, Event: "ingested", Type: "ADT^A01", Cause: long}, true),
		p.reportReplayed(operate.Replayed{ID: id, Owner: owner, Type: "ADT^A01", Results: []operate.Result{{Connector: "staging-er7", Version: 2, Failed: true}}}, false),
		p.reportDiscrepancy(operate.Discrepancy{Fault: operate.NoObject, ID: id, Owner: owner, Key: "ingestion/protocol=hl7v2/source=" + owner + "/date=2026-11-25/" + id + ".er7"}),
		p.reportReconciled(operate.Reconciled{Missing: 2, MissingMessages: []operate.MissingMessage{{ID: id, Owner: owner}}}),
		p.showFinding(doctor.Finding{Verdict: doctor.Fail, Probe: "credentials", Text: long, Next: long + " and " + long}),
	); err != nil {
		t.Fatal(err)
	}
	p.showStep(acceptance.Step{Name: "access: " + long, Outcome: acceptance.Failed, Reason: long + " and " + long})
	p.noteReplayed(1, 0, 1, true)
	if err := p.summarize(map[operate.Outcome]int{operate.SetAside: 1, operate.Malformed: 1}, 4, false); !errors.Is(err, errReported) {
		t.Error(err)
	}
	fits(t, "an operator's lines", out.String())
}

func TestNamesOfElementsAreFoldedBesideTheirValues(t *testing.T) {
	const message = "MSH|^~\\&|A||||2026||ADT^A01^ADT_A01|1|P|2.5.1\rPID|1||4711^^^A&1.2&ISO~1|||||||||||||||A value of more columns than it has\r"
	got := callOnScreen(t, strings.NewReader(message), "parse", "-")
	for _, want := range []string{`
  PID-3[1].4.2      1.2                       Patient Identifier List /
                                              Assigning Authority / Universal ID
`, `
  PID-18            A value of more columns than it has  Patient Account Number
`} {
		if !strings.Contains(got.Out, want) {
			t.Errorf("no%sin\n%s", want, got.Out)
		}
	}
}
