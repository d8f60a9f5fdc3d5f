package e2e_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hl7lake/client"
)

// TestEveryGrantOfTheTemplatesIsNeeded walks every way that a message can take, and then
// asks for the grants that no call needed. There must be none.
func TestEveryGrantOfTheTemplatesIsNeeded(t *testing.T) {
	l := start(t)
	l.walkEveryWay(t)
	for _, grant := range l.UnusedGrants() {
		if !takenElsewhere(grant.Role) {
			t.Errorf("nothing needs %s", grant)
		}
	}
}

// takenElsewhere reports whether nobody assumes the role in this test: users get
// credentials from the identity pool.
func takenElsewhere(role string) bool { return strings.Contains(role, "-IdentitiesReader") }

// walkEveryWay sends messages such that every call that a function can make is made:
// small and large, HL7 and not, in ASCII and not, accepted, duplicate, claimed by
// another, taken over, redelivered, deferred, forgotten and undeliverable, read back in
// every form and when it is no longer there, found and entered again. At the end they all
// become tables.
func (l *lake) walkEveryWay(t *testing.T) {
	t.Helper()
	tokens := l.admin(t)
	c := l.client(t, tokens)
	for name, m := range map[string]struct {
		body []byte
		end  client.Status
	}{
		"small": {admission(1), client.Staged}, "large": {document(1 << 20), client.Staged}, "no HL7": {[]byte("a line of text"), client.Errored},
		"large, no HL7": {bytes.Repeat([]byte("text "), 80_000), client.Errored}, "more than an answer holds": {document(4 << 20), client.Staged},
		"beyond ASCII": {bytes.ReplaceAll(admission(6), []byte("Sue"), []byte("Zoë")), client.Staged},
	} {
		r := l.mustDo(t, er7(token(t, tokens), m.body))
		if r.status != http.StatusCreated {
			t.Errorf("%s: answered %d %s", name, r.status, r.body)
			continue
		}
		id := r.answer(t).ID
		if history := ended(t, c, id); history.Status != m.end {
			t.Errorf("%s: ended as %s, want %s", name, history.Status, m.end)
		}
		if _, err := c.ER7(t.Context(), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.JSON(t.Context(), id); err != nil && m.end == client.Staged {
			t.Errorf("%s: %v", name, err)
		}
		if again := l.mustDo(t, er7(token(t, tokens), m.body)); again.status != http.StatusConflict {
			t.Errorf("%s: sent again, answered %d", name, again.status)
		}
	}
	for _, state := range []client.Status{client.Staged, client.Errored, client.Accepted} { // by keys, and by an index each
		listedIDs(t.Context(), t, c, client.Filter{State: state})
	}
	l.redeliver(t, tokens, "ADT^A01", admission(2))
	l.redeliver(t, tokens, "unknown", []byte("another line of text"))
	l.claim(t, admission(3), uuid.Must(uuid.NewV7()).String(), time.Now().Add(time.Minute))
	if r := l.mustDo(t, er7(token(t, tokens), admission(3))); r.status != http.StatusServiceUnavailable {
		t.Errorf("claimed by another: answered %d", r.status)
	}
	interrupted := uuid.Must(uuid.NewV7()).String()
	l.claim(t, admission(5), interrupted, time.Now().Add(-time.Minute))
	if r := l.mustDo(t, er7(token(t, tokens), admission(5))); r.status != http.StatusCreated || r.answer(t).ID != interrupted {
		t.Errorf("interrupted: answered %d %s", r.status, r.body)
	}
	l.lose(t, c)
	l.goneContent(t, c)
	l.operateEveryWay(t, c)
	l.meet(t, tokens, admission(4))
	l.beyondShare(t)
	l.failEverywhere(t)
	l.findEveryWay(t, c)
	for range 2 { // the second run reads what the first one wrote
		if done, err := l.operator(t).Tabulate(t.Context()); err != nil || !done.Complete {
			t.Errorf("tables: %+v, %v", done, err)
		}
	}
}
