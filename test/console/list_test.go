package console_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"golang.org/x/sync/errgroup"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

// rows are the ids of the messages that the list shows, from top to bottom.
func (b *tab) rows() (ids []string) {
	b.t.Helper()
	return regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`).FindAllString(evaluate[string](b, `document.querySelector("table")?.innerText ?? ""`), -1)
}

// lists waits until the list shows these messages, and no others, in this order.
func (b *tab) lists(ids ...string) {
	b.t.Helper()
	b.eventually("the messages "+strings.Join(ids, " "), func() bool { return strings.Join(b.rows(), " ") == strings.Join(ids, " ") })
}

// pick chooses an option in a list to choose from; "all" is the first one. Letters that
// come within a second of others would be taken for more of the same word.
func (b *tab) pick(name, option string) {
	b.t.Helper()
	b.click("combobox", name)
	if option == "all" {
		option = kb.Home
	}
	b.press(option + "\r")
}

func TestTheListShowsTheMessagesOfTheReadersInstitutionsAndIsFiltered(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	both := l.user(t, client.User{Email: "both@example.org", Read: client.Institutions{scenario.Institution, "lakeside"}, Write: scenario.Institution})
	ours := l.client(t, both)
	theirs := l.client(t, l.user(t, client.User{Email: "lakeside@example.org", Write: "lakeside", Read: client.Institutions{"lakeside"}}))
	hidden := l.client(t, l.user(t, client.User{Email: "nowhere@example.org", Write: "elsewhere", Read: client.Institutions{"elsewhere"}}))
	first := l.send(t, ours, client.Message{Body: admission(1)}).ID
	second := l.send(t, theirs, client.Message{Body: admission(2)}).ID
	third := l.send(t, ours, client.Message{Body: []byte("a line of text")}).ID
	l.send(t, hidden, client.Message{Body: admission(3)})
	b.signIn(l, both)
	b.lists(third, second, first)
	b.pick("Sender", "lakeside")
	b.lists(second)
	b.pick("Sender", "all")
	b.pick("State", "error")
	b.lists(third)
	b.pick("State", "all")
	b.fill("textbox", "Type", "ADT^A01\r")
	b.lists(second, first)
	if address := evaluate[string](b, "location.hash"); !strings.Contains(address, "ADT") {
		t.Errorf("the filter is not in the address %q, so nobody can keep this list", address)
	}
	b.click("link", "Clear")
	b.lists(third, second, first)
}

func TestTheListGoesOnAndShowsWhatComes(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	c := l.client(t, a)
	const many = 120
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for i := range many {
		group.Go(func() error {
			_, err := c.Send(ctx, client.Message{Body: admission(i)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	b.signIn(l, a)
	b.eventually("a first page", func() bool { return len(b.rows()) > 0 })
	for shown := len(b.rows()); shown < many; {
		b.click("button", "Load more")
		b.eventually("more messages", func() bool { return len(b.rows()) > shown })
		shown = len(b.rows())
	}
	b.gone("button", "Load more")
	seen := map[string]bool{}
	for _, id := range b.rows() {
		seen[id] = true
	}
	if len(seen) != many {
		t.Errorf("%d messages are listed in %d rows, of %d", len(seen), len(b.rows()), many)
	}
	newest := l.send(t, c, client.Message{Body: admission(many)}).ID
	b.eventually("the newest message on top", func() bool { return b.rows()[0] == newest })
}
