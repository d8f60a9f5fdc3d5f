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

// TestEveryGrantOfTheTemplatesIsNeeded walks every way that a message can take
// and then asks for the grants that no call has needed: those are too many.
func TestEveryGrantOfTheTemplatesIsNeeded(t *testing.T) {
	l := start(t)
	l.walkEveryWay(t)
	for _, grant := range l.UnusedGrants() {
		if !takenElsewhere(grant.Role) {
			t.Errorf("nothing needs %s", grant)
		}
	}
}

// takenElsewhere reports whether nobody takes the role in this test: EventBridge
// wakes reconcile, and users get credentials of the identity pool.
func takenElsewhere(role string) bool {
	return strings.Contains(role, "-ReconcileRole") || strings.Contains(role, "-IdentitiesReader")
}

// walkEveryWay sends messages such that every call that a function can make is
// made: small and large, HL7 and not, accepted, duplicate, claimed by another,
// redelivered and undeliverable, read back in every form.
func (l *lake) walkEveryWay(t *testing.T) {
	t.Helper()
	tokens := l.admin(t)
	c := l.client(t, tokens)
	for name, body := range map[string][]byte{
		"small": admission(1), "large": document(1 << 20), "no HL7": []byte("a line of text"),
		"large, no HL7": bytes.Repeat([]byte("text "), 80_000), "more than an answer holds": document(4 << 20),
	} {
		r := l.mustDo(t, er7(token(t, tokens), body))
		if r.status != http.StatusCreated {
			t.Errorf("%s: answered %d %s", name, r.status, r.body)
			continue
		}
		id := r.answer(t).ID
		history := ended(t, c, id)
		if _, err := c.ER7(t.Context(), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.JSON(t.Context(), id); err != nil && history.Status == client.Staged {
			t.Errorf("%s: %v", name, err)
		}
		if again := l.mustDo(t, er7(token(t, tokens), body)); again.status != http.StatusConflict {
			t.Errorf("%s: sent again, answered %d", name, again.status)
		}
	}
	l.redeliver(t, tokens, "ADT^A01", admission(2))
	l.redeliver(t, tokens, "unknown", []byte("another line of text"))
	l.claim(t, admission(3), uuid.Must(uuid.NewV7()).String(), time.Now().Add(time.Minute))
	if r := l.mustDo(t, er7(token(t, tokens), admission(3))); r.status != http.StatusServiceUnavailable {
		t.Errorf("claimed by another: answered %d", r.status)
	}
	l.failEverywhere(t)
}
