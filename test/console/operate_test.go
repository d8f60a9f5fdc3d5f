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

// confirm presses a button, and the button of the same name in the dialog that asks
// whether it is meant.
func (b *tab) confirm(name string) {
	b.t.Helper()
	b.click("button", name)
	b.find("dialog", ".*")
	b.click("button", name) // the page behind a dialog is inert, so there is only one
}

func TestAMessageIsReplayedByAnOperatorAndNotByAReader(t *testing.T) {
	t.Parallel()
	l := start(t)
	operator, reader := l.operator(t), l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}})
	id := l.send(t, l.client(t, operator), client.Message{Body: admission(1)}).ID

	b := newTab(t)
	b.signIn(l, reader)
	b.turn("#/messages/" + id)
	b.find("heading", "ADT.A01.*")
	for _, name := range []string{"Replay.*", "Stage again.*", "Forget.*"} {
		if found, err := b.all("button", name); err != nil || len(found) > 0 {
			t.Errorf("a reader is offered %v (%v)", found, err)
		}
	}
	b.click("button", "Sign out")

	b.signIn(l, operator)
	b.turn("#/messages/" + id)
	b.confirm("Replay")
	b.find("status", "")
	b.shows("replayed")
}

func TestADeadLetterIsShownAndRedriven(t *testing.T) {
	t.Parallel()
	l, mended := startWithoutWriter(t)
	operator := l.operator(t)
	receipt, err := l.client(t, operator).Send(t.Context(), client.Message{Body: admission(1)})
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
	b.confirm("Redrive.*")
	b.shows("redriven")
	b.turn("#/messages/" + receipt.ID)
	b.shows("staged")
}
