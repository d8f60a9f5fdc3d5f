// Package docs runs what the README and the documents tell a reader to type: every
// command in every block of shell that can run on one machine, in order, on a lake of its
// own. Commands that cannot run are listed by name, with the reason.
package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"hl7lake/internal/testing/judge"
)

// adding is the documents' command that makes up a password.
const adding = "lake users add engine@example.org --write st-elsewhere --outputs outputs.json"

// root is the repository's root, relative to this folder.
const root = "../.."

// elsewhere are the beginnings of commands that are not run, with the reason. If no
// command begins like that any more, the test fails.
func elsewhere() map[string]string {
	return map[string]string{
		"lake up":                        "the test runs it, beside the others",
		"go install ./cmd/lake":          "the test builds lake, and leaves the reader's own alone",
		"go test":                        "it takes minutes, and is what runs this",
		"GOARCH=arm64 go test":           "it needs an emulator of another processor",
		"go install github.com":          "it needs the network; .ci/run does it",
		"npm ci":                         "it needs the network; .ci/run does it",
		"apt-get install":                "it needs the network; .ci/run does it",
		"pip install":                    "it needs the network; .ci/run does it",
		"make":                           "another test holds it against .ci/run",
		"npx cdk":                        "it needs AWS; .ci/run synthesizes the stacks",
		"go run ./cmd/lake doctor --env": "it needs AWS; operate/doctor has its tests",
		"lake edge":                      "it needs a configuration and runs until Ctrl-C; test/e2e runs it",
		"aws cloudwatch":                 "nothing is measured by the local lake",
		"aws events":                     "EventBridge's rules are run by the local lake, but not listed",
		"aws health":                     "it needs AWS",
		"aws cloudtrail":                 "no trail is kept by the local lake",
		"aws service-quotas":             "it needs AWS",
		"aws lambda get-account":         "it needs AWS",
		"aws logs filter-log-events --log-group-name": "no trail is kept by the local lake",
		"aws s3api head-object":                       "a claim check is only there while its message is on its way",
	}
}

// says is what the output of a command must contain, by the command's beginning. Each
// must also exit with 0.
func says() map[string]string {
	return map[string]string{
		"go run ./cmd/lake demo":             "All went as it should",
		"curl -i":                            "201 Created",
		"lake get ID":                        `"root"`,
		`eval "$(lake env)" && aws s3 ls`:    "ingestion/protocol=hl7v2/",
		"aws cloudformation describe-stacks": "hl7lake-dev-core",
		"logs Ingest":                        `"level"`,
	}
}

// mayFind are commands that search, so that they exit with 1 if they find nothing.
func mayFind() []string { return []string{"logs Writer 3h | grep ID"} }

func TestEveryCommandOfTheDocumentsThatCanRunHereDoes(t *testing.T) {
	r := start(t)
	notRun := elsewhere()
	used := map[string]bool{}
	for _, document := range documents(t) {
		name, err := filepath.Rel(root, document)
		if err != nil {
			t.Fatal(err)
		}
		commands := commandsOf(t, document)
		if len(commands) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var here []string
			for _, command := range commands {
				if prefix, reason := begins(notRun, command); reason != "" {
					used[prefix] = true
					t.Logf("not run  %s\n         %s", line(command), reason)
					continue
				}
				if strings.HasPrefix(command, "lake sql") && !r.hasDuckDB {
					t.Logf("not run  %s\n         the program duckdb is not installed (pip install duckdb-cli==1.5.6)", line(command))
					continue
				}
				if left := withoutAWS(command); !r.hasAWS && left != command {
					t.Logf("not run  %s\n         the AWS CLI is not installed (pip install awscli)", line(command))
					command = left
				}
				if command != "" {
					here = append(here, command)
				}
			}
			if len(here) > 0 {
				r.run(t, here)
			}
		})
	}
	for prefix := range notRun {
		if !used[prefix] {
			t.Errorf("no command begins with %q any more", prefix)
		}
	}
}

// documents returns those at the root and all below docs.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md")}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A document that others need comes first: the runbook's README defines a function of
	// the shell.
	slices.SortStableFunc(all, func(a, b string) int {
		return strings.Count(a, "README")*-1 + strings.Count(b, "README")
	})
	return all
}

// commandsOf returns the commands in a document's blocks of shell, with continued lines
// joined.
func commandsOf(t *testing.T, document string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllSubmatch(text, -1) {
		joined := strings.ReplaceAll(string(block[1]), "\\\n", "\\\n\x00")
		for command := range strings.SplitSeq(joined, "\n") {
			if strings.HasSuffix(command, "\\") || strings.HasPrefix(command, "\x00") {
				if strings.HasPrefix(command, "\x00") && len(commands) > 0 {
					commands[len(commands)-1] += "\n" + strings.TrimPrefix(command, "\x00")
					continue
				}
			}
			if strings.TrimSpace(command) != "" {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// line returns a command on one line, without its comment, as it is named in the tables.
func line(command string) string {
	command = regexp.MustCompile(`\s{2,}#.*`).ReplaceAllString(command, "")
	return strings.TrimSpace(regexp.MustCompile(`\\\n\s*`).ReplaceAllString(command, ""))
}

// begins finds the longest beginning of a command in a table.
func begins(table map[string]string, command string) (prefix, value string) {
	for each, of := range table {
		if strings.HasPrefix(line(command), each) && len(each) >= len(prefix) {
			prefix, value = each, of
		}
	}
	return prefix, value
}

// columns is how wide a reader's terminal is.
const columns = 80

// content are the commands of lake that write content, which is not folded.
var content = regexp.MustCompile(`--er7|--sent|parse --path|parse --pretty|lake sql`)

// fits fails for a line of lake's that is wider than the terminal and could have been
// folded. JSON, and what is one word, such as a path or an id, is not folded.
func fits(t *testing.T, command, said string) {
	t.Helper()
	if name := line(command); !strings.HasPrefix(name, "lake ") && !strings.HasPrefix(name, "go run ./cmd/lake") || content.MatchString(name) {
		return
	}
	for text := range strings.Lines(said) {
		text = strings.TrimRight(text, "\n")
		if n := utf8.RuneCountInString(text); n > columns && len(strings.Fields(text)) > 1 && !isJSON(text) {
			t.Errorf("%s: %d columns: %s", line(command), n, text)
		}
	}
}

// isJSON reports whether a line is JSON, or a member of an object.
func isJSON(line string) bool { return json.Valid([]byte(line)) || json.Valid([]byte("{"+line+"}")) }

// reader is a person who types commands beside a running lake.
type reader struct {
	folder      string // with .lake, and what the commands name
	environment []string
	values      *strings.Replacer // for what a reader writes in place of an example
	aws         string            // makes the AWS CLI behave like the version that the documents are written for
	hasAWS      bool
	hasDuckDB   bool
	preamble    string // what was typed before, in other documents
}

// tail stands in for `aws logs tail`, which version 1 of the AWS CLI does not have. It
// asks FilterLogEvents for the events since a time, as version 2 does.
const tail = `aws() {
  [ "$1 $2" = "logs tail" ] || { command aws "$@"; return; }
  local group=$3 since=1h pattern=
  shift 3
  while [ $# -gt 0 ]; do
    case $1 in
      --since) since=$2 ;;
      --filter-pattern) pattern=$2 ;;
      *) echo "aws logs tail: $1 is not known"; return 2 ;;
    esac
    shift 2
  done
  since=$(( $(date +%s) - ${since%[mh]} * $( [ "${since: -1}" = h ] && echo 3600 || echo 60 ) ))
  command aws logs filter-log-events --log-group-name "$group" --start-time "${since}000" --filter-pattern "$pattern" --query 'events[].message' --output text
}
`

// theAWS returns whether there is an AWS CLI, and what makes it behave like version 2. If
// JUDGES has it, it must be there.
func theAWS(t *testing.T) (prelude string, installed bool) {
	t.Helper()
	version, err := exec.CommandContext(t.Context(), "aws", "--version").Output()
	switch {
	case err == nil && bytes.HasPrefix(version, []byte("aws-cli/1.")):
		return tail, true
	case err == nil:
		return "", true
	case judge.Required("awscli"):
		t.Fatalf("the AWS CLI is not installed (pip install awscli): %v", err)
	}
	return "", false
}

// hasDuckDB reports whether there is the program that `lake sql` runs. If JUDGES has it,
// it must be there.
func hasDuckDB(t *testing.T) bool {
	t.Helper()
	_, err := exec.LookPath("duckdb")
	if err != nil && judge.Required("duckdb-cli") {
		t.Fatalf("DuckDB is not installed (pip install duckdb-cli): %v", err)
	}
	return err == nil
}

// withoutAWS returns what remains of a command without an AWS CLI, which may be nothing.
func withoutAWS(command string) string {
	command, _, _ = strings.Cut(command, " && aws ")
	if regexp.MustCompile(`\baws [a-z]|^logs `).MatchString(command) {
		return ""
	}
	return command
}

// start runs a lake with a program that is built as a reader would build it.
func start(t *testing.T) *reader {
	t.Helper()
	folder, programs := t.TempDir(), t.TempDir()
	cli, installed := theAWS(t)
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	lake := filepath.Join(programs, "lake")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", lake, "./cmd/lake")
	build.Dir = absolute
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	up := exec.CommandContext(context.WithoutCancel(t.Context()), lake, "up", "--port", "0", "--dir", filepath.Join(folder, ".lake"))
	up.Dir = absolute
	var output bytes.Buffer
	up.Stdout, up.Stderr = &output, &output
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = up.Process.Signal(syscall.SIGINT)
		if err := up.Wait(); err != nil {
			t.Errorf("lake up: %v\n%s", err, output.Bytes())
		}
	})

	var connection struct {
		Endpoint string
		Outputs  map[string]map[string]string
	}
	path := filepath.Join(folder, ".lake", "connection.json")
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &connection) == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lake does not start")
		}
	}
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outputs, err := json.Marshal(connection.Outputs) // as cdk deploy --outputs-file writes it
	if err != nil {
		t.Fatal(err)
	}
	write("outputs.json", outputs)
	write("message.hl7", []byte("MSH|^~\\&|APP|HERE|||2026||ADT^A01|docs|T|2.5\rPID|1||docs^^^HERE||Sample^Sue\r"))
	if err := os.Symlink(filepath.Join(absolute, "cmd"), filepath.Join(folder, "cmd")); err != nil {
		t.Fatal(err)
	}
	r := &reader{folder: folder, aws: cli, hasAWS: installed, hasDuckDB: hasDuckDB(t), environment: append(os.Environ(),
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"), "LAKE_PASSWORD=", "AWS_PAGER=", "COLUMNS="+strconv.Itoa(columns),
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)}
	send := exec.CommandContext(t.Context(), lake, "send", "--json", "message.hl7")
	send.Dir = folder
	sent, err := send.Output()
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).Find(sent)
	if err != nil || id == nil {
		t.Fatalf("send: %v: %s", err, sent)
	}
	var bucket string
	for _, stack := range connection.Outputs {
		if name := stack["LakeBucketName"]; name != "" {
			bucket = name
		}
	}
	r.values = strings.NewReplacer(
		"ID…", string(id), " ID ", " "+string(id)+" ", " ID\n", " "+string(id)+"\n",
		" FILE ", " message.hl7 ", " FILE\n", " message.hl7\n", "s3://…", "s3://"+bucket,
		"AWS_REGION=…", "AWS_REGION=us-east-1", "ENV=prod", "ENV=dev",
		"http://127.0.0.1:4000", connection.Endpoint, "go run ./cmd/lake demo", "(cd '"+absolute+"' && lake demo)", "go run ./cmd/lake", "lake",
		adding, "LAKE_PASSWORD=$("+adding+") && export LAKE_PASSWORD", // its output is what the next command asks for
	)
	return r
}

// run types the commands into one shell and judges each.
func (r *reader) run(t *testing.T, commands []string) {
	t.Helper()
	var script strings.Builder
	script.WriteString("exec 2>&1\nset -o pipefail\n" + r.aws + r.preamble)
	for i, command := range commands {
		fmt.Fprintf(&script, "%s\nprintf '\\n\\036%d %%d\\n' $?\n", r.values.Replace(command+"\n"), i)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	shell.Dir, shell.Env = r.folder, r.environment
	output, err := shell.Output()
	if err != nil {
		t.Errorf("bash: %v", err)
	}
	rest := string(output)
	for i, command := range commands {
		said, after, _ := strings.Cut(rest, fmt.Sprintf("\n\036%d ", i))
		number, after, _ := strings.Cut(after, "\n")
		status, err := strconv.Atoi(number)
		rest = after
		_, want := begins(says(), command)
		switch {
		case err != nil:
			t.Fatalf("no end of %s: %s", line(command), said)
		case status == 1 && slices.Contains(mayFind(), line(command)):
		case status != 0 || !strings.Contains(said, want):
			t.Errorf("exit status %d  %s\n%.2000s", status, line(command), said)
			continue
		}
		t.Logf("ran      %s", line(command))
		fits(t, command, said)
		if strings.HasPrefix(command, "export ") || strings.HasPrefix(command, "eval ") || strings.Contains(command, "() {") ||
			regexp.MustCompile(`^[A-Z]+=\S+$`).MatchString(command) {
			kept := r.values.Replace(command + "\n")
			if strings.HasPrefix(kept, "eval ") {
				kept, _, _ = strings.Cut(kept, " && ") // later commands need not be run again
			}
			r.preamble += kept + "\n"
		}
	}
}
