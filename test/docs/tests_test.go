package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestATestStandsBesideItsSourceOrSaysWhatItIsAbout leaves out test/, whose packages are
// tests only. A test file may also be named for its package, or for its kind.
func TestATestStandsBesideItsSourceOrSaysWhatItIsAbout(t *testing.T) {
	kinds := []string{"bench", "corpus", "example", "full_linux", "fuzz", "golden", "model"}
	about := regexp.MustCompile(`(?m)^package \w+\n\n// This file (is about|has) `)
	seen := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && len(entry.Name()) > 2 || path == "../../test"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		seen++
		name := strings.TrimSuffix(entry.Name(), "_test.go")
		folder := filepath.Base(filepath.Dir(path))
		if _, err := os.Stat(strings.TrimSuffix(path, "_test.go") + ".go"); err == nil || name == folder || slices.Contains(kinds, name) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && !about.Match(text) {
			t.Errorf("%s is beside no %s.go and does not begin with \"// This file is about\"", path, name)
		}
		return err
	})
	if err != nil || seen < 50 {
		t.Errorf("%d files of tests: %v", seen, err)
	}
}
