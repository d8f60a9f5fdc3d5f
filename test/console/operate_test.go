package console_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local/fault"
)

// operator is a user who operates on the messages of the scenario's institution, reads
// them, and sends them.
func (l *lake) operator(t testing.TB) account {
	t.Helper()
	return l.user(t, client.User{Email: "operator@example.org", Read: client.Institutions{scenario.Institution},
		Write: scenario.Institution, Operate: scenario.Institution})
}

// startWithoutWriter runs a lake in which SNS cannot reach the writer until the returned
// switch is set.
func startWithoutWriter(t *testing.T) (l *lake, mended *atomic.Bool) {
	t.Helper()
	mended = &atomic.Bool{}
	return start(t, testbed.Options{Faults: func(p fault.Point) fault.Fault {
		if !mended.Load() && p.Call == fault.Notification && strings.Contains(p.Function, "Writer") {
			return fault.Fault{Kind: fault.Fail}
		}
		return fault.Fault{}
	}}), mended
}

// confirm presses a button, and then the one that confirms it in the dialog that asks.
func (b *tab) confirm(button, inDialog string) {
	b.t.Helper()
	b.click("button", button)
	b.find("dialog", ".*")
	b.click("button", inDialog)
	b.gone("dialog", ".*")
}

func TestAMessageIsReplayedByAnOperatorAndNotByAReader(t *testing.T) {
	t.Parallel()
	l := start(t)
	operator := l.operator(t)
	reader := l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}})
	c := l.client(t, operator)
	sent := l.send(t, c, client.Message{Body: admission(1)})

	b := newTab(t)
	b.signIn(l, reader)
	b.turn("#/messages/" + sent.ID)
	b.find("heading", "ADT.A01.*")
	for _, name := range []string{"Replay.*", "Stage.*", "Forget.*"} {
		if found, err := b.all("button", name); err != nil || len(found) > 0 {
			t.Errorf("a reader is offered %v (%v)", found, err)
		}
	}
	b.click("button", "Sign out")
	b.find("button", "Sign in")

	b.signIn(l, operator)
	b.turn("#/messages/" + sent.ID)
	b.confirm("Replay…", "Replay")
	b.shows("It is being replayed.")
	b.eventually("another attempt to write what was made of it", func() bool {
		history, err := c.History(t.Context(), sent.ID)
		staged, found := history.Find(client.Staging)
		return err == nil && found && staged.Attempts > 1
	})
}

// TestAMessageIsStagedInTheCharacterSetThatItsSenderMeant is about a message in
// ISO-8859-1 that says UTF-8.
func TestAMessageIsStagedInTheCharacterSetThatItsSenderMeant(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	operator := l.operator(t)
	body := strings.Replace(string(admission(1)), "|2.5.1\r", "|2.5.1||||||UNICODE UTF-8\r", 1) // MSH-18
	sent := l.send(t, l.client(t, operator), client.Message{Body: []byte(strings.Replace(body, "Sue", "M\xfcller", 1))})
	b.signIn(l, operator)
	b.turn("#/messages/" + sent.ID)
	b.find("heading", "ADT.A01.*")
	b.click("button", "Stage in another charset…")
	b.pick("Character set", "ISO-8859-1")
	b.click("button", "Stage again")
	b.shows("read in iso-8859-1, as an operator chose")
	b.turn("#/messages")
	b.turn("#/messages/" + sent.ID + "/json")
	b.shows("Müller")
}

func TestAMessageIsForgottenOnlyWithAReason(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	operator := l.operator(t)
	id := l.send(t, l.client(t, operator), client.Message{Body: admission(1)}).ID
	b.signIn(l, operator)
	b.turn("#/messages/" + id)
	b.shows("Sample")
	b.click("button", "Forget…")
	b.click("button", "Delete")
	b.find("dialog", ".*") // a reason is missing
	b.pick("Reason", "It was sent by mistake")
	b.click("button", "Delete")
	b.shows("Its content is deleted.")
	b.turn("#/messages")
	b.turn("#/messages/" + id)
	b.shows("content deleted")
	if strings.Contains(b.text(), "Sample") {
		t.Error("the content is still shown")
	}
}

func TestADeadLetterIsShownAndRedriven(t *testing.T) {
	t.Parallel()
	l, mended := startWithoutWriter(t)
	operator := l.operator(t)
	c := l.client(t, operator)
	receipt, err := c.Send(t.Context(), client.Message{Body: admission(1)})
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t)
	b.signIn(l, operator)
	b.eventually("the dead letter", func() bool {
		b.turn("#/messages")
		b.turn("#/dead-letters")
		return strings.Contains(b.text(), receipt.ID)
	})
	mended.Store(true)
	b.confirm("Redrive all…", "Redrive")
	b.shows("redriven")
	b.eventually("the message in the lake", func() bool {
		history, err := c.History(t.Context(), receipt.ID)
		return err == nil && history.Status == client.Staged
	})
}
