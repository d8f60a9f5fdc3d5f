package rehearse_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// root is the module's, seen from this package.
const root = "../.."

// cdkCommand is the CDK command line of package.json, after `npm ci`.
func cdkCommand(ctx context.Context, arguments ...string) *exec.Cmd {
	program, _ := filepath.Abs(filepath.Join(root, "node_modules", ".bin", "cdk")) // the working directory is there
	process := exec.CommandContext(ctx, program, arguments...)
	process.Dir = root
	process.WaitDelay = 5 * time.Second
	endWithParent(process)
	return process
}

// stepLimit is how long one command may take: an emulator that cannot run a custom resource's function may wait for its answer.
const stepLimit = 3 * time.Minute

// cdk runs a command on the assembly, against the emulator, and returns all that it said.
func (r *rehearsal) cdk(ctx context.Context, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	process := cdkCommand(ctx, append(command, "--app", r.assembly.folder)...)
	process.Env = append(r.emulator.environment, "CI=true", "NO_COLOR=1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1")
	output, err := process.CombinedOutput()
	return string(output), err
}

// telling is the output without the lines that only say that something went well.
func telling(output string) string {
	var kept []string
	for line := range strings.Lines(output) {
		if !strings.Contains(line, "_COMPLETE") && !strings.Contains(line, "_IN_PROGRESS") &&
			!strings.Contains(line, ": start: ") && !strings.Contains(line, ": success: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
