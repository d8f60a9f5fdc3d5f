package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCfnLintHasNothingToSay runs cfn-lint, which knows CloudFormation's schemas. It is a Python program, so a machine
// may be without it; in CI it is a must.
func TestCfnLintHasNothingToSay(t *testing.T) {
	cfnLint, err := exec.LookPath("cfn-lint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("cfn-lint is not installed: pip install cfn-lint")
		}
		t.Skip("SKIPPED: cfn-lint is not installed (pip install cfn-lint), so no template was linted")
	}
	templates, err := filepath.Glob("test/snapshots/*/*.template.json")
	if err != nil || len(templates) == 0 {
		t.Fatalf("no templates found: %v", err)
	}
	arguments := append([]string{
		"--non-zero-exit-code", "informational",
		"--ignore-checks", "W3005", // the CDK makes a function wait for its role twice: by DependsOn and by GetAtt
		"--",
	}, templates...)
	if output, err := exec.CommandContext(t.Context(), cfnLint, arguments...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
