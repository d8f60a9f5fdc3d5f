package console_test

import (
	"strings"
	"testing"

	"hl7lake/client"
)

// TestAnotherInstitutionsMessageIsNowhere looks for it in every view, and asks for it by
// its id.
func TestAnotherInstitutionsMessageIsNowhere(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	ours := l.reader(t)
	our := l.send(t, l.client(t, ours), client.Message{Body: admission(1)}).ID
	hidden := []string{l.send(t, theirs, client.Message{Body: admission(2)}).ID, l.send(t, theirs, client.Message{Body: []byte("a line of text")}).ID}
	b.signIn(l, ours)
	for _, text := range b.walk(our) {
		if strings.Contains(text, hidden[0]) || strings.Contains(text, hidden[1]) || strings.Contains(text, "lakeside") {
			t.Errorf("another institution's message is shown: %s", text)
		}
	}
	for _, id := range append(hidden, "01a22c1f-ae48-7000-8000-000000000009") {
		b.turn("#/messages/" + id)
		b.find("alert", "")
		if text := b.text(); strings.Contains(text, "lakeside") || strings.Contains(text, "ADT") {
			t.Errorf("%s is shown as %s", id, text)
		}
	}
}
