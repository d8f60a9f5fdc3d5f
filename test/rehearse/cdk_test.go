package rehearse_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hl7lake/internal/testing/subprocess"
)

// root is the module's root, relative to this package.
const root = "../.."

// cdkCommand returns the CDK command line of package.json, after `npm ci`, on the Node.js
// of the same.
func cdkCommand(ctx context.Context, environment []string, arguments ...string) *exec.Cmd {
	programs, _ := filepath.Abs(filepath.Join(root, "node_modules", ".bin")) // the working directory exists
	process := exec.CommandContext(ctx, filepath.Join(programs, "cdk"), arguments...)
	process.Dir = root
	process.Env = slices.Concat(environment, []string{
		"PATH=" + programs + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"CI=true", "NO_COLOR=1", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1",
	})
	process.WaitDelay = 5 * time.Second
	subprocess.EndWithParent(process)
	return process
}

// stepLimit is how long one command may take: an emulator that cannot run a custom
// resource's function may wait for it.
const stepLimit = 3 * time.Minute

// cdk runs a command on the assembly, against the emulator, and returns its whole output.
func (r *rehearsal) cdk(ctx context.Context, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	process := cdkCommand(ctx, r.emulator.environment, append(command, "--app", r.assembly.folder)...)
	output, err := process.CombinedOutput()
	return string(output), err
}

// telling returns the output without the lines that only say that something went well.
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
