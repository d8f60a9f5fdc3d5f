package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryLinkOfTheDocumentsLeadsSomewhere checks links to files of the repository, and
// the headings that they name.
func TestEveryLinkOfTheDocumentsLeadsSomewhere(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	looked := 0
	for _, document := range append(documents(t), filepath.Join(root, "CHANGELOG.md"), filepath.Join(root, "hl7", "README.md")) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range links.FindAllStringSubmatch(string(text), -1) {
			file, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(match[1], "://") {
				continue
			}
			looked++
			target := document
			if file != "" {
				target = filepath.Join(filepath.Dir(document), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", document, file)
			} else if heading != "" && !hasHeading(t, target, heading) {
				t.Errorf("%s links to %s, which has no heading %s", document, file, heading)
			}
		}
	}
	if looked < 20 {
		t.Errorf("only %d links were found", looked)
	}
}

// hasHeading reports whether a document has a heading with that name, as written in
// addresses: lower case, dashes for spaces, no punctuation.
func hasHeading(t *testing.T, document, name string) bool {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		title = regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		if strings.ReplaceAll(title, " ", "-") == name {
			return true
		}
	}
	return false
}
