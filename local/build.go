package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// moduleRoot returns the nearest folder at or above dir that holds a go.mod.
func moduleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return "", errors.New("the local lake builds its functions from source: run it inside the repository")
		}
		dir = parent
	}
}

// build compiles the functions' packages for this machine and returns where each program
// is. Programs are kept between runs, so that only what has changed is built and linked
// again. Programs with an overlay, a file for `go build -overlay`, are kept in dir.
func build(ctx context.Context, root, dir, overlay string, packages []string) (map[string]string, error) {
	folder := filepath.Join(root, ".lake", "bin")
	if overlay != "" {
		folder = filepath.Join(dir, "bin")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", folder + string(filepath.Separator)}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	programs := make(map[string]string, len(packages))
	for _, p := range packages {
		args = append(args, "./"+p)
		programs[p] = filepath.Join(folder, filepath.Base(p))
	}
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the functions: %w\n%s", err, strings.TrimSpace(string(output)))
	}
	return programs, nil
}
