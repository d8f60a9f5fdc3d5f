package e2e_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/local/bill"
)

// TestOnlyAMessageWhoseLineEndsAreNotInOrderIsPrepared sends one message from two
// institutions, with segments ended by CR and by LF. Both become the same JSON, and one
// skips the workflow's first state.
func TestOnlyAMessageWhoseLineEndsAreNotInOrderIsPrepared(t *testing.T) {
	l := start(t)
	senders := []client.TokenSource{l.admin(t), l.user(t, client.User{Email: "other@example.org", Read: client.Institutions{"other"}, Write: "other"})}
	var segments []string
	for prepared, body := range [][]byte{admission(1), bytes.ReplaceAll(admission(1), []byte("\r"), []byte("\n"))} {
		c := l.client(t, senders[prepared])
		id := l.accepted(t, c, body)[0]
		if h := ended(t, c, id); h.Status != client.Staged {
			t.Fatalf("ended as %s", h.Status)
		}
		if got := l.invocations(t, "prepare"); got != prepared {
			t.Errorf("prepare ran %d times, want %d", got, prepared)
		}
		text, err := c.JSON(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var document struct{ Segments json.RawMessage }
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		segments = append(segments, string(document.Segments))
	}
	if diff := cmp.Diff(segments[0], segments[1]); diff != "" {
		t.Error(diff)
	}
}

// invocations returns how often the function of a package was invoked.
func (l *lake) invocations(t *testing.T, function string) (times int) {
	t.Helper()
	b, err := l.Bill()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range b.Lines {
		if line.Charge == bill.LambdaRequest && line.Detail == function {
			times += int(line.Quantity)
		}
	}
	return times
}
