package judges

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const actionlintVersion = "1.7.12"

// missing ends the test of a judge that is not installed. It only skips the test, unless
// JUDGES has the judge (see TestMain).
func missing(t *testing.T, judge, install string) {
	t.Helper()
	message := fmt.Sprintf("%s is not installed, so it judged nothing; install it with: %s", judge, install)
	if slices.Contains(required(), judge) {
		t.Fatal(message)
	}
	t.Skipf("SKIPPED: %s", message)
}

// program finds a program of exactly that version in the folders where .ci/run installs
// judges, or on the PATH. Another version has other rules. Its output for the argument
// must contain the version.
func program(t *testing.T, name, version, argument, install string) string {
	t.Helper()
	candidates := []string{
		filepath.Join("../../.ci/venv/bin", name), filepath.Join("../../.ci/venv-judges/bin", name),
		filepath.Join(build.Default.GOPATH, "bin", name),
	}
	if found, err := exec.LookPath(name); err == nil {
		candidates = append(candidates, found)
	}
	for _, candidate := range candidates {
		path, err := filepath.Abs(candidate)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			continue
		}
		output, err := exec.CommandContext(t.Context(), path, argument).CombinedOutput()
		words := strings.Fields(string(output))
		if err == nil && (slices.Contains(words, version) || slices.Contains(words, "v"+version)) {
			return path
		}
	}
	missing(t, name, install)
	return ""
}

// pythonProgram finds a Python program of the version that a file of requirements pins.
func pythonProgram(t *testing.T, name, requirements string) string {
	t.Helper()
	text, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if pinned, version, is := strings.Cut(strings.TrimSpace(line), "=="); is && pinned == name {
			return program(t, name, version, "--version", "pip install "+name+"=="+version)
		}
	}
	t.Fatalf("%s does not pin %s", requirements, name)
	return ""
}

// nodePackage returns the folder of a package of the version that package.json pins.
func nodePackage(t *testing.T, name string) string {
	t.Helper()
	var wanted struct{ DevDependencies map[string]string }
	readJSON(t, "package.json", &wanted)
	if wanted.DevDependencies[name] == "" {
		t.Fatalf("package.json does not pin %s", name)
	}
	folder := filepath.Join("node_modules", name)
	var installed struct{ Version string }
	if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
		readJSON(t, filepath.Join(folder, "package.json"), &installed)
	}
	if installed.Version != wanted.DevDependencies[name] {
		missing(t, name, "npm ci --prefix test/judges")
	}
	return folder
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// askNode passes subjects to a script of this folder, which asks the package, and returns
// what it says.
func askNode(t *testing.T, script, name, of string, subjects []subject) verdict {
	t.Helper()
	nodePackage(t, name)
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, name, "https://nodejs.org, then npm ci --prefix test/judges")
	}
	if _, err := os.Stat(script); err != nil { // makes a cached result depend on the script
		t.Fatal(err)
	}
	input, err := json.Marshal(append([]subject{}, subjects...)) // a list, also of none
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, script)
	command.Stdin = bytes.NewReader(input)
	var says struct {
		Looked   int
		Findings []struct{ Place, Rule, Message string }
	}
	if err := json.Unmarshal(run(t, command), &says); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	result := verdict{looked: says.Looked, of: of}
	for _, each := range says.Findings {
		result.findings = append(result.findings, finding{each.Place, each.Rule, each.Message})
	}
	return result
}

// subject is what a script judges.
type subject struct {
	Place    string `json:"place"`
	Kind     string `json:"kind,omitempty"` // of a policy: identity, trust, resource
	Type     string `json:"type,omitempty"` // of a resource
	Document any    `json:"document"`
}

// run returns the standard output of a command. Its exit status must be 0 or one of those
// that mean "something was found".
func run(t *testing.T, command *exec.Cmd, found ...int) []byte {
	t.Helper()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(found, exit.ExitCode()) {
		return output
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, output, stderr.Bytes())
	}
	return output
}
