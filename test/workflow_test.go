package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pinned is an action at a commit, with the release of that commit (GitHub Docs, Security
// hardening for GitHub Actions: a full-length commit SHA is the only immutable reference
// to an action).
var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

func TestActionsArePinnedByCommit(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, action, uses := strings.Cut(line, "uses: "); uses && !pinned.MatchString(strings.TrimSpace(action)) {
				t.Errorf("%s uses %s", file, action)
			}
		}
	}
}

// TestTheCommentWithTheDiffFitsGitHub: a comment has at most 65,536 characters.
func TestTheCommentWithTheDiffFitsGitHub(t *testing.T) {
	const open, end = "<details open><summary>Core</summary>\n\n```\n", "```\n</details>\n"
	for name, test := range map[string]struct {
		lines string
		cut   bool
	}{
		"short":                  {"[+] AWS::S3::Bucket Lake\n", false},
		"long":                   {strings.Repeat("[~] AWS::Lambda::Function Writer\n", 5000), true},
		"of many bytes":          {strings.Repeat("└─ [~] Description\n", 5000), true},
		"one line that is long":  {strings.Repeat("x", 70_000) + "\n", true},
		"just below the measure": {strings.Repeat(strings.Repeat("x", 63)+"\n", 1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			whole := open + test.lines + end
			shorten := exec.CommandContext(t.Context(), ".github/shorten")
			shorten.Stdin = strings.NewReader(whole)
			comment, err := shorten.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !test.cut {
				if string(comment) != whole {
					t.Errorf("%d bytes became %d", len(whole), len(comment))
				}
				return
			}
			if len(comment) > 65_536 || !bytes.Contains(comment, []byte("`cdk-diff`")) {
				t.Errorf("%d bytes that end with %q", len(comment), comment[max(0, len(comment)-150):])
			}
			if n := bytes.Count(comment, []byte("```\n")); n != 2 || bytes.Count(comment, []byte("</details>\n")) != 1 {
				t.Errorf("%d fences, or details that stay open", n)
			}
		})
	}
}
