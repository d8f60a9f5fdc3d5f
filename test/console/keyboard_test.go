package console_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"hl7lake/client"
)

// focused is the text of the element that has the focus.
func (b *tab) focused() string {
	b.t.Helper()
	return evaluate[string](b, `document.activeElement.innerText`)
}

// focusShows reports whether somebody who looks at the page sees which element has the
// focus (WCAG 2.2, 2.4.7).
func (b *tab) focusShows() bool {
	b.t.Helper()
	return evaluate[bool](b, `(() => {
		const style = getComputedStyle(document.activeElement);
		return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
	})()`)
}

func TestAllIsDoneWithoutAMouse(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	c := l.client(t, a)
	first := l.send(t, c, client.Message{Body: admission(1)}).ID
	second := l.send(t, c, client.Message{Body: []byte("a line of text")}).ID
	b.open(l.output(t, "ConsoleUrl"))
	b.find("button", "Sign in")
	b.press("\r")
	b.find("textbox", "User")
	b.press("\t" + a.Email + "\t" + a.password + "\r")
	b.lists(second, first)

	b.press("j")
	b.eventually("the focus on the first message", func() bool { return strings.Contains(b.focused(), second) })
	if !b.focusShows() {
		t.Error("nobody sees that the first message has the focus")
	}
	b.press("j")
	b.eventually("the focus on the second message", func() bool { return strings.Contains(b.focused(), first) })
	b.press("k\r")
	b.eventually("the message", func() bool { return strings.Contains(evaluate[string](b, "location.hash"), second) })
	b.find("heading", ".*error.*")
	b.press("gl")
	b.lists(second, first)
	b.press("/")
	b.eventually("the focus on a filter", func() bool { return evaluate[bool](b, `document.activeElement.matches('select, input')`) })
	b.press(kb.Escape + "?")
	b.find("dialog", ".*")
	b.press(kb.Escape)
	b.gone("dialog", ".*")
}

// TestTheFocusIsSeenOnEveryElementOfAPage walks through the list with the Tab key.
func TestTheFocusIsSeenOnEveryElementOfAPage(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	id := l.send(t, l.client(t, a), client.Message{Body: admission(1)}).ID
	b.signIn(l, a)
	b.lists(id)
	met := map[string]bool{}
	for range 40 {
		b.press("\t")
		at := evaluate[string](b, `document.activeElement.tagName + ' ' + (document.activeElement.ariaLabel ?? document.activeElement.name ?? '') + ' ' + document.activeElement.innerText`)
		if strings.HasPrefix(at, "BODY") {
			break
		}
		met[at] = true
		if !b.focusShows() {
			t.Errorf("nobody sees the focus on %s", at)
		}
	}
	if len(met) < 12 {
		t.Errorf("only %d elements are reached by the Tab key: %v", len(met), met)
	}
}
