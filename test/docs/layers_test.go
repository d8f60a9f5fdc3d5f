package docs_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheLinterAllowsTheImportsThatContributingLists compares the rules of folders, which
// are those that allow one itself.
func TestTheLinterAllowsTheImportsThatContributingLists(t *testing.T) {
	rules, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	contributing, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed, listed := map[string][]string{}, map[string][]string{}
	for _, rule := range regexp.MustCompile(`(?m)^ +allow: \[hl7lake/([a-z0-9]+)((?:, hl7lake/[a-z0-9]+)*)\]$`).FindAllStringSubmatch(string(rules), -1) {
		allowed[rule[1]] = names(strings.ReplaceAll(rule[2], ", hl7lake/", " "))
	}
	_, list, found := strings.Cut(string(contributing), "holds the same list:\n\n```\n")
	list, _, closed := strings.Cut(list, "```")
	if !found || !closed {
		t.Fatal("CONTRIBUTING has no list")
	}
	for line := range strings.Lines(list) {
		folder, others, _ := strings.Cut(strings.TrimSpace(line), " ")
		listed[folder] = names(others)
	}
	if diff := cmp.Diff(listed, allowed); diff != "" || len(listed) < 8 {
		t.Errorf("CONTRIBUTING (-) and the linter (+):\n%s", diff)
	}
}

// names are the words of a text in order. It is empty, not nil, where there are none.
func names(text string) []string {
	return append([]string{}, slices.Sorted(slices.Values(strings.Fields(text)))...)
}
