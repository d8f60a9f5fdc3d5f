package judges

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

const actionlint = "actionlint"

// step is where a workflow's step says what it does.
var step = regexp.MustCompile(`(?m)^\s+(- )?(uses|run):`)

// TestActionlintTakesTheWorkflows asks actionlint about the workflows of GitHub Actions.
// It leaves out its helpers for shell and Python, so that it says the same on a machine
// that has them.
func TestActionlintTakesTheWorkflows(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.y*ml")
	if err != nil {
		t.Fatal(err)
	}
	hear(t, actionlint, judgeByActionlint(t, files))
}

func judgeByActionlint(t *testing.T, files []string) verdict {
	t.Helper()
	program := program(t, actionlint, actionlintVersion, "-version",
		"go install github.com/rhysd/actionlint/cmd/actionlint@v"+actionlintVersion)
	says := verdict{of: "steps of workflows"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		says.looked += len(step.FindAll(text, -1))
	}
	const found = 1
	arguments := append([]string{"-shellcheck=", "-pyflakes=", "-format", "{{json .}}"}, files...)
	var errors []struct{ Message, Filepath, Kind string }
	if err := json.Unmarshal(run(t, exec.CommandContext(t.Context(), program, arguments...), found), &errors); err != nil {
		t.Fatal(err)
	}
	for _, each := range errors {
		says.findings = append(says.findings, finding{filepath.Base(each.Filepath), each.Kind, each.Message})
	}
	return says
}

func TestActionlintRefusesBrokenWorkflows(t *testing.T) {
	for name, test := range map[string]struct{ job, want string }{
		"nothing wrong":          {`{runs-on: ubuntu-24.04, steps: [{run: "true"}]}`, ""},
		"a job without a runner": {`{steps: [{run: "true"}]}`, "runs-on"},
		"an unknown key":         {`{runs-on: ubuntu-24.04, step: [], steps: [{run: "true"}]}`, "unexpected key"},
		"an unknown runner":      {`{runs-on: ubuntu-1804, steps: [{run: "true"}]}`, "runner-label"},
		"an unknown context":     {`{runs-on: ubuntu-24.04, steps: [{run: "echo ${{ githb.token }}"}]}`, "undefined variable"},
		"a need that is no job":  {`{runs-on: ubuntu-24.04, needs: [build], steps: [{run: "true"}]}`, "does not exist"},
		"an unknown permission":  {`{runs-on: ubuntu-24.04, permissions: {content: read}, steps: [{run: "true"}]}`, "permission scope"},
		"an input that the action lacks": {`{runs-on: ubuntu-24.04, steps: [{uses: actions/setup-go@v5, with: {go-version-fil: a}}]}`,
			"is not defined"},
		"a title in a script": {`{runs-on: ubuntu-24.04, steps: [{run: "echo ${{ github.event.pull_request.title }}"}]}`,
			"potentially untrusted"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "broken.yml")
			if err := os.WriteFile(file, []byte("on: push\njobs:\n  job: "+test.job+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			mustFind(t, judgeByActionlint(t, []string{file}), "broken.yml", test.want)
		})
	}
}
