package console_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/contract"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local/fault"
)

// view is one of the console's views, or a page on the way to it.
type view struct {
	name string
	show func(b *tab, l *lake)
}

// tour shows all that a person sees, one view after the other, each reached from the one
// before.
func tour(a account, admission, broken string) []view {
	return []view{
		{"welcome", func(b *tab, l *lake) {
			b.open(l.output(b.t, contract.OutputConsole))
			b.find("button", "Sign in")
		}},
		{"sign-in", func(b *tab, _ *lake) {
			b.click("button", "Sign in")
			b.find("textbox", "Password")
		}},
		{"messages", func(b *tab, _ *lake) {
			b.fill("textbox", "User", a.Email)
			b.fill("textbox", "Password", a.password)
			b.click("button", "Sign in")
			b.find("heading", "Messages")
		}},
		{"keys", func(b *tab, _ *lake) {
			b.press("?")
			b.find("dialog", ".*")
		}},
		{"message", func(b *tab, _ *lake) {
			b.press(kb.Escape)
			b.turn("#/messages/" + admission)
		}},
		{"message-tree", func(b *tab, _ *lake) { b.click("tab", "Tree") }},
		{"message-json", func(b *tab, _ *lake) { b.click("tab", "JSON") }},
		{"message-findings", func(b *tab, _ *lake) { b.click("tab", "Findings.*") }},
		{"message-ack", func(b *tab, _ *lake) { b.click("tab", "ACK") }},
		{"replay", func(b *tab, _ *lake) { b.click("button", "Replay…") }},
		{"broken-message", func(b *tab, _ *lake) {
			b.press(kb.Escape)
			b.turn("#/messages/" + broken)
		}},
		{"errors", func(b *tab, _ *lake) { b.turn("#/errors") }},
		{"feeds", func(b *tab, _ *lake) { b.turn("#/feeds") }},
		{"dead-letters", func(b *tab, _ *lake) {
			b.eventually("a dead letter", func() bool {
				b.turn("#/feeds")
				b.turn("#/dead-letters")
				return len(b.rows()) > 0
			})
		}},
		{"search", func(b *tab, _ *lake) { b.search("Message", "SAMPLE-0001", admission) }},
		{"no-message", func(b *tab, _ *lake) { b.turn("#/messages/01a22c1f-ae48-7000-8000-000000000009") }},
	}
}

// oneDeadLetter lets Finder's index hear nothing of one of the samples.
func oneDeadLetter(p fault.Point) fault.Fault {
	if p.Call == fault.Notification && strings.Contains(p.Function, "IndexFunction") && bytes.Contains(p.Payload, []byte("ADT^A28")) {
		return fault.Fault{Kind: fault.Fail}
	}
	return fault.Fault{}
}

// TestEachViewIsAccessibleInLightAndDarkAndFitsANarrowScreen leaves the pictures, too.
func TestEachViewIsAccessibleInLightAndDarkAndFitsANarrowScreen(t *testing.T) {
	t.Parallel()
	judge := axe(t)
	b, l := newTab(t), start(t, testbed.Options{Faults: oneDeadLetter})
	a := l.user(t, client.User{Email: "analyst@example.org", Read: client.Institutions{scenario.Institution, "lakeside"}, Write: scenario.Institution, Operate: scenario.Institution})
	c := l.client(t, a)
	for _, sample := range samples.Others() {
		l.send(t, c, client.Message{Body: sample.Body, Charset: sample.Charset})
	}
	broken := l.send(t, c, client.Message{Body: samples.NotHL7().Body}).ID
	admission := l.send(t, c, client.Message{Body: samples.Admission().Body}).ID
	for _, v := range tour(a, admission, broken) {
		t.Run(v.name, func(t *testing.T) {
			b := &tab{t, b.ctx, b.trail}
			b.resize(wide)
			v.show(b, l)
			b.settle()
			for _, s := range []scheme{dark, light} {
				b.prefer(s)
				b.picture(v.name + "-" + string(s))
				for _, found := range b.judged(judge) {
					t.Errorf("%s: axe finds %s", s, found)
				}
			}
			b.resize(narrow)
			b.picture(v.name + "-narrow")
			if page := evaluate[int64](b, "document.documentElement.scrollWidth"); page > narrow.width {
				t.Errorf("the page is %d pixels wide on a screen of %d", page, narrow.width)
			}
		})
	}
}
