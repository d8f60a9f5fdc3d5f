package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnOperatorsWrongWordsAreToldBeforeALakeIsAsked(t *testing.T) {
	for _, test := range []struct {
		arguments string
		want      string
	}{
		{"replay", "say which messages: ids, --owner or --errors"},
		{"replay --type ADT^A01", "say which messages"},
		{"replay --errors 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77", "ids and a choice of messages are two things"},
		{"replay --owner a --from yesterday", `"yesterday" is no time`},
		{"replay --owner a --from 2026-11-22 --to 2026-11-22", "--from is not before --to"},
		{"redrive WriterFailed", "want no arguments"},
	} {
		got := call(t, nil, "", strings.Fields(test.arguments)...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, test.want) || !strings.Contains(got.Err, "--help") {
			t.Errorf("%s: status %d, %s", test.arguments, got.Status, got.Err)
		}
	}
}

func TestAnOperatorWithoutALakeIsToldWhatToDo(t *testing.T) {
	for _, command := range []string{"redrive", "replay --errors"} {
		got := call(t, nil, "", append(strings.Fields(command), "--dir", t.TempDir())...)
		if got.Status != statusUnusable || !strings.Contains(got.Err, "lake up") {
			t.Errorf("%s: status %d, %s", command, got.Status, got.Err)
		}
	}
}

// TestAnOperatorsCommandsAgainstALakeThatIsUp uses a real lake, in which nothing
// has gone wrong: test/e2e has the rest.
func TestAnOperatorsCommandsAgainstALakeThatIsUp(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a lake")
	}
	dir := filepath.Join(t.TempDir(), "lake")
	defer startUp(t, dir)()
	use := func(status int, arguments ...string) result {
		t.Helper()
		got := call(t, nil, "", append(arguments, "--dir", dir)...)
		if got.Status != status {
			t.Fatalf("%v: status %d, want %d: %s%s", arguments, got.Status, status, got.Out, got.Err)
		}
		return got
	}
	id := strings.Fields(use(statusDone, "send", filepath.Join(sampleFolder, "adt-a01.hl7")).Out)[2]
	text := strings.Fields(use(statusDone, "send", filepath.Join(sampleFolder, "not-hl7.txt")).Out)[2]
	use(statusDone, "trace", id, "--wait")
	use(statusRefused, "trace", text, "--wait")

	t.Run("a dry run publishes nothing", func(t *testing.T) {
		got := use(statusDone, "replay", "--errors", "--dry-run")
		if !strings.HasPrefix(got.Out, "would be   "+text) || strings.Contains(got.Out, id) || !strings.Contains(got.Err, "would be published again: 1") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("the same parser is said to change nothing", func(t *testing.T) {
		got := use(statusDone, "replay", id)
		if !strings.HasPrefix(got.Out, "published  "+id) || !strings.Contains(got.Out, "had JSON of parser 1") || !strings.Contains(got.Err, "nothing changes but the count of attempts") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("an unknown id is told", func(t *testing.T) {
		got := use(statusRefused, "replay", "--json", "019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77")
		var answer struct {
			Done  bool
			Error string
		}
		if err := json.Unmarshal([]byte(got.Out), &answer); err != nil || answer.Done || answer.Error != "the lake holds no such message" {
			t.Error(got.Out, err)
		}
	})
	t.Run("no dead letter is no trouble", func(t *testing.T) {
		if got := use(statusDone, "redrive"); got.Out != "" || !strings.Contains(got.Err, "queues: 4, redriven: 0") {
			t.Error(got.Out, got.Err)
		}
	})
	t.Run("a queue that is not there is told", func(t *testing.T) {
		use(statusUnusable, "redrive", "--queue", "ReaderFailed")
	})
}
