package fake

import (
	"encoding/json"
	"strings"
	"testing"
)

// Lines is the lines of a function's log that have the member with, each read
// as JSON, and of those only the named ones.
func Lines(t testing.TB, log, with string, members ...string) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(log) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("the log has %q: %v", text, err)
		}
		if _, has := line[with]; !has {
			continue
		}
		named := map[string]any{}
		for _, member := range members {
			if value, has := line[member]; has {
				named[member] = value
			}
		}
		lines = append(lines, named)
	}
	return lines
}
