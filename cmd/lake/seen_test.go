package main

// This file is about what a person sees of all commands: values, help, width, and nothing
// that commands a terminal.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
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
	dir := folder(t, map[string]string{"a\x1b[31m.hl7": "MSH|^~\\&|A||||2026||" + evil + "|1|P|" + evil + "\rPID|1||" + evil + "\r" + evil + "|1\r", "b\x1b.txt": "x"})
	url, _ := keepingLake(t)
	for _, arguments := range [][]string{
		{"parse", "--pretty"}, {"parse", "--json"}, {"parse", "--stats"}, {"parse", "--validate", "--strict", "--values"},
		{"parse", "--path", "PID-3"}, {"parse", "--path", "PID-3", "--json"}, {"send", "--token", "x", "--url", url},
		{"send", "--split", "--json", "--token", "x", "--url", url}, {"trace", "\x1b[2J", "--token", "x", "--url", url}, {"get", "x", "--url", "http://\x1b"},
	} {
		got := call(t, nil, "", append(arguments, dir)...)
		if arguments[0] == "trace" || arguments[0] == "get" {
			got = call(t, nil, "", arguments...)
		}
		if strings.ContainsAny(got.Out+got.Err, "\x1b\a\r\u009b") {
			t.Errorf("%q: %q", arguments, got.Out+got.Err)
		}
	}
}

// columns is how wide a screen is at least.
const columns = 80

func TestEveryHelpAndOutputFits80Columns(t *testing.T) {
	root := (&program{name: "lake"}).command()
	outputs := map[string]string{}
	for _, cmd := range root.Commands() {
		outputs[cmd.Name()] = call(t, nil, "", cmd.Name(), "--help").Out
		for _, below := range cmd.Commands() {
			outputs[cmd.Name()+" "+below.Name()] = call(t, nil, "", cmd.Name(), below.Name(), "--help").Out
		}
	}
	outputs["lake"] = call(t, nil, "").Out
	for _, arguments := range [][]string{
		{"parse", "--stats", sampleFolder}, {"send", "x", "--parallel", "0"}, {"get"}, {"parse", "--path", "pid-3", "-"},
	} {
		got := call(t, nil, "", arguments...)
		outputs[strings.Join(arguments, " ")] = got.Out + got.Err
	}
	for _, file := range []string{"timeline-plain.txt", "report-good-plain.txt", "report-bad-plain.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		outputs[file] = string(text)
	}
	for name, output := range outputs {
		for line := range strings.Lines(output) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > columns {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
	}
}
