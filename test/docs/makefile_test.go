package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// only are commands of the Makefile that CI does not need.
func only() []string {
	return []string{"@grep ", "echo ", "[ -z ", "exit 1", "done", "go test ./test -update", ".ci/run"}
}

// TestMakeDoesWhatCIDoes: a difference would be noticed only after a push.
func TestMakeDoesWhatCIDoes(t *testing.T) {
	ci := oneBlank(read(t, ".ci/run"))
	recipes := strings.ReplaceAll(read(t, "Makefile"), "\\\n", " ")
	looked := 0
	for line := range strings.Lines(recipes) {
		recipe, ok := strings.CutPrefix(line, "\t")
		if !ok {
			continue
		}
		for _, command := range regexp.MustCompile(`;|&&|\|\|`).Split(oneBlank(strings.ReplaceAll(recipe, "$$", "$")), -1) {
			command = strings.TrimPrefix(strings.TrimSpace(command), "do ")
			if beginsWithOne(command, only()) {
				continue
			}
			looked++
			if !strings.Contains(ci, strings.TrimPrefix(command, "golangci-lint ")) {
				t.Errorf("the Makefile has %q, which .ci/run has not", command)
			}
		}
	}
	if looked < 8 {
		t.Errorf("only %d commands were found in the Makefile", looked)
	}
}

func TestEveryFuzzTargetIsRun(t *testing.T) {
	var files []string
	for _, folder := range []string{"hl7", "edge/mllp"} {
		of, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
		if err != nil || len(of) == 0 {
			t.Fatal("no tests", err)
		}
		files = append(files, of...)
	}
	makefile, ci, found := read(t, "Makefile"), read(t, ".ci/run"), 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`).FindAllSubmatch(source, -1) {
			name := string(match[1])
			found++
			if !strings.Contains(makefile, name) || !strings.Contains(ci, name) {
				t.Errorf("%s is run by the Makefile: %v, by .ci/run: %v", name, strings.Contains(makefile, name), strings.Contains(ci, name))
			}
		}
	}
	if found == 0 {
		t.Error("there are no fuzz targets")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// oneBlank returns a text with one space in place of several, or of line ends.
func oneBlank(text string) string { return strings.Join(strings.Fields(text), " ") }

func beginsWithOne(text string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return text == ""
}
