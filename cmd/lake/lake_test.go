package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"hl7lake/cmd/lake/internal/term"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; go test ./cmd/lake -update accepts it:\n%s", path, diff)
	}
}

// result is the result of one run of the program.
type result struct {
	Status   int
	Out, Err string
}

// call runs the program without a terminal.
func call(t *testing.T, environment map[string]string, input string, arguments ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	l := &program{
		in:     strings.NewReader(input),
		out:    term.Screen{Writer: &out},
		err:    term.Screen{Writer: &err},
		getenv: func(name string) string { return environment[name] },
		name:   "lake",
	}
	return result{Status: l.run(t.Context(), arguments), Out: out.String(), Err: err.String()}
}

// columns is how wide a terminal is at least.
const columns = 80

// callOnScreen is call with a screen of 80 columns. in is empty if it is nil.
func callOnScreen(t *testing.T, in io.Reader, arguments ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	l := &program{
		in:     in,
		out:    term.Screen{Writer: &out, Width: columns},
		err:    term.Screen{Writer: &err, Width: columns},
		getenv: func(string) string { return "" },
		name:   "lake",
	}
	if in == nil {
		l.in = strings.NewReader("")
	}
	return result{Status: l.run(t.Context(), arguments), Out: out.String(), Err: err.String()}
}

// fits fails for a line that is wider than a terminal and could have been folded. JSON,
// and what is one word, such as a path or an id, is not folded.
func fits(t *testing.T, name, output string) {
	t.Helper()
	for line := range strings.Lines(output) {
		n := utf8.RuneCountInString(strings.TrimRight(line, "\n"))
		if n > columns && len(strings.Fields(line)) > 1 && !isJSON(line) {
			t.Errorf("%s: %d columns: %s", name, n, line)
		}
	}
}

// isJSON reports whether a line is JSON, or a member of an object.
func isJSON(line string) bool { return json.Valid([]byte(line)) || json.Valid([]byte("{"+line+"}")) }

func TestWhatIsWrongComesWithTheNextStep(t *testing.T) {
	empty := t.TempDir()
	none := filepath.Join(empty, "none.hl7")
	tests := []struct {
		name      string
		arguments []string
		want      string // on standard error, in parts separated by |
	}{
		{"no lake here", []string{"get", "1", "--dir", empty}, "there is no lake in|`lake up` starts one"},
		{"nobody listens", []string{"get", "1", "--url", "http://127.0.0.1:1", "--token", "x"}, "no answer from http://127.0.0.1:1|Is the lake running?"},
		{"no user", []string{"get", "1", "--url", "http://127.0.0.1:1"}, "no user is named|--user NAME"},
		{"no id", []string{"get"}, "missing the id of one message|lake get --help"},
		{"two ids", []string{"trace", "1", "2"}, "want the id of one message, got 2|lake trace --help"},
		{"both contents", []string{"get", "1", "--er7", "--json"}, "--json cannot be combined with --er7|lake get --help"},
		{"nothing to send", []string{"send"}, "missing a file to send|lake send --help"},
		{"no requests in flight", []string{"send", "x", "--parallel", "0"}, "--parallel 0: want 1 or more|lake send --help"},
		{"a port that is none", []string{"up", "--port", "70000"}, "--port 70000: want 0 to 65535|lake up --help"},
		{"a number that is none", []string{"send", "-p", "4x", "-"}, "--parallel 4x: want a number|lake send --help"},
		{"a time that is none", []string{"logs", "--since", "yesterday"}, "--since yesterday: want a time, as 30s or 2m|lake logs --help"},
		{"a switch with another value", []string{"parse", "--stats=x", "-"}, "--stats x: want true or false|lake parse --help"},
		{"unknown command", []string{"sned"}, `unknown command "sned"|send`},
		{"unknown flag", []string{"get", "1", "--er8"}, "unknown flag: --er8|lake get --help"},
		{"a user who could do nothing", []string{"users", "add", "a@example.org"}, "give --read, --write or --operate|lake users add --help"},
		{"an institution that is no name", []string{"users", "add", "a@example.org", "--read", "../x"}, `"../x" is not a name|letters`},
		{"outputs of something else", []string{"users", "list", "--outputs", "testdata/other-outputs.json"}, "no stack has the output UserPoolId|cdk deploy"},
		{"no outputs", []string{"users", "list", "--outputs", none}, "none.hl7"},
		{"nothing to parse", []string{"parse"}, "missing a file to parse|lake parse --help"},
		{"a file that is not there", []string{"parse", none}, "none.hl7"},
		{"a path that is none", []string{"parse", "--path", "PID/5", "-"}, "--path PID/5|lake parse --help"},
		{"two kinds of output", []string{"parse", "--path", "PID-5", "--stats", "-"}, "[path stats]"},
		{"strict without validate", []string{"parse", "--strict", "-"}, "--strict goes with --validate|lake parse --help"},
		{"enrich without JSON", []string{"parse", "--enrich", "-"}, "--enrich goes with --json|lake parse --help"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, nil, "", test.arguments...)
			want := statusUnusable
			if test.name == "nobody listens" {
				want = statusUnreachable
			}
			if got.Status != want || got.Out != "" {
				t.Errorf("status %d, output %q", got.Status, got.Out)
			}
			for part := range strings.SplitSeq(test.want, "|") {
				if !strings.Contains(got.Err, part) {
					t.Errorf("%q does not say %q", got.Err, part)
				}
			}
		})
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	root := (&program{name: "lake"}).command()
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Name() == "completion" { // cobra's own
			continue
		}
		if cmd.Short == "" || cmd.Long == "" || !strings.Contains(cmd.Long, "Exit status:") || !strings.Contains(cmd.Example, "lake "+strings.TrimPrefix(cmd.Name(), "lake")) {
			t.Errorf("%s: want a short and a long description with the exit status, and an example", cmd.CommandPath())
		}
	}
}

func TestTheProgramIsNamedAsItWasCalled(t *testing.T) {
	for argument0, want := range map[string]string{
		"/tmp/go-build123/b001/exe/lake":         "go run ./cmd/lake",
		"/home/a/.cache/go-build/ab/abcd-d/lake": "go run ./cmd/lake",
		"/usr/local/bin/lake":                    "lake",
	} {
		if got := nameOf(argument0); got != want {
			t.Errorf("%s: %s, not %s", argument0, got, want)
		}
	}
}
