package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// leastNode is the oldest major release of Node.js that the README supports.
const leastNode = 20

// node looks at the Node.js that would run the CDK CLI. npx looks in the repository
// before PATH (npm documentation, "npm exec").
func node(ctx context.Context, repository string) (Finding, error) {
	install := fmt.Sprintf("Install Node.js %d or later: https://nodejs.org. It brings npm and npx.", leastNode)
	if _, err := exec.LookPath("npx"); err != nil {
		return Finding{Verdict: Fail, Text: "npx is not in PATH", Next: install}, nil
	}
	program := filepath.Join(repository, "node_modules", ".bin", "node")
	if _, err := os.Stat(program); err != nil {
		if program, err = exec.LookPath("node"); err != nil {
			return Finding{Verdict: Fail, Text: "Node.js is not in PATH", Next: install}, nil
		}
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return Finding{Verdict: Fail, Text: program + " --version: " + err.Error(), Next: install}, nil
	}
	text := strings.TrimSpace(string(out))
	version, err := parseVersion(text)
	if err != nil || version[0] < leastNode {
		return Finding{Verdict: Fail, Text: fmt.Sprintf("%s is version %q, want %d or later", program, text, leastNode), Next: install}, nil
	}
	return Finding{Verdict: OK, Text: text}, nil
}

// cdk compares the CDK CLI that is installed in the repository with the version in
// package.json. With another version, npx would download one, or the CLI would be too old
// for the assembly and say so late.
func cdk(repository string) (Finding, error) {
	const install = "Run npm ci in the repository's folder."
	var wanted struct{ DevDependencies map[string]string }
	if err := readJSON(filepath.Join(repository, "package.json"), &wanted); err != nil {
		return Finding{}, err
	}
	want := strings.TrimLeft(wanted.DevDependencies["aws-cdk"], "^~")
	least, err := parseVersion(want)
	if err != nil {
		return Finding{}, fmt.Errorf("package.json wants aws-cdk %q: %w", want, err)
	}
	var installed struct{ Version string }
	err = readJSON(filepath.Join(repository, "node_modules", "aws-cdk", "package.json"), &installed)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{Verdict: Fail, Text: "the CDK CLI is not installed, want " + want, Next: install}, nil
	}
	if err != nil {
		return Finding{}, err
	}
	have, err := parseVersion(installed.Version)
	switch order := slices.Compare(have[:], least[:]); {
	case err != nil || order < 0:
		return Finding{Verdict: Fail, Text: fmt.Sprintf("version %q, want %s", installed.Version, want), Next: install}, nil
	case order > 0:
		text := fmt.Sprintf("version %s, newer than %s, with which the lake is tested", installed.Version, want)
		return Finding{Verdict: Warn, Text: text, Next: install}, nil
	}
	return Finding{Verdict: OK, Text: installed.Version}, nil
}

// parseVersion reads the three numbers of a version (semver.org, 2), with or without a
// leading v.
func parseVersion(text string) (version [3]int, err error) {
	_, err = fmt.Sscanf(strings.TrimPrefix(text, "v"), "%d.%d.%d", &version[0], &version[1], &version[2])
	if err != nil {
		return version, fmt.Errorf("%q is not a version", text)
	}
	return version, nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
