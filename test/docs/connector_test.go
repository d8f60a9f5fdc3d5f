package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheTutorialShowsTheConnectorsOwnCode checks that the connector contains each block
// of Go in docs/connector.md, except for white space.
func TestTheTutorialShowsTheConnectorsOwnCode(t *testing.T) {
	words := func(path string) string {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(text)), " ")
	}
	code := words("lambdas/internal/testing/patients/handler.go") + words("test/connector_test.go")
	blocks := strings.Split(words("docs/connector.md"), "```go ")[1:]
	if len(blocks) < 2 {
		t.Errorf("there are %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, " ```")
		if !strings.Contains(code, block) {
			t.Errorf("this is not the connector's code: %s", block)
		}
	}
}
