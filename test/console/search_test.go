package console_test

import (
	"slices"
	"testing"

	"hl7lake/client"
	"hl7lake/internal/testing/canary"
)

// search asks for the value until the messages are found, which are entered some time
// after they are accepted.
func (b *tab) search(kind, value string, ids ...string) {
	b.t.Helper()
	b.turn("#/search")
	b.pick("Kind", kind)
	b.fill("textbox", "Value", value)
	b.eventually("the messages that are searched for", func() bool {
		b.click("button", "Search")
		b.settle()
		return slices.Equal(b.rows(), ids)
	})
}

// TestAMessageIsFoundByIdentifiersThatLeaveNoTrace searches for values of the canary's
// message.
func TestAMessageIsFoundByIdentifiersThatLeaveNoTrace(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{canary.Owner}, Write: canary.Owner})
	id := l.send(t, l.client(t, a), client.Message{Body: canary.Message()}).ID
	b.signIn(l, a)
	b.search("Patient", "Zeisig-mrn", id)
	b.search("Visit", "Zeisig-visit", id)
	b.search("Message", canary.ControlID, id)
	b.click("link", ".*"+id+".*")
	b.find("heading", "ADT.A01.*")
	b.settle()
	b.leavesNoTrace()
}

func TestASearchFindsNothingOfAnotherInstitution(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	theirs := l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{canary.Owner}, Write: canary.Owner})
	both := l.user(t, client.User{Email: "both@example.org", Read: client.Institutions{"lakeside", canary.Owner}, Write: "lakeside"})
	their := l.send(t, l.client(t, theirs), client.Message{Body: canary.Message()}).ID
	our := l.send(t, l.client(t, both), client.Message{Body: canary.Message()}).ID
	b.signIn(l, both)
	b.search("Patient", "Zeisig-mrn", our, their)
	b.click("button", "Sign out")
	b.find("button", "Sign in")
	b.signIn(l, l.user(t, client.User{Email: "ours@example.org", Read: client.Institutions{"lakeside"}}))
	b.search("Patient", "Zeisig-mrn", our)
}
