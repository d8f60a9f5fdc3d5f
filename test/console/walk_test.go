package console_test

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// turn goes to an address within the console, and waits until all is there.
func (b *tab) turn(hash string) {
	b.t.Helper()
	text, _ := json.Marshal(hash) // a text
	evaluate[string](b, "location.hash = "+string(text))
	b.settle()
}

// settle waits until the page has asked for nothing that has not been answered, for a
// moment.
func (b *tab) settle() {
	b.t.Helper()
	since := time.Now()
	for end := since.Add(*patience); time.Since(since) < 100*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		if open := b.unanswered(); len(open) > 0 {
			since = time.Now()
			if since.After(end) {
				b.t.Fatalf("these requests are not answered: %q", open)
			}
		}
	}
}

// walk looks at every view, and at the messages in every way. It returns what is shown in
// each, with what only assistive technology and the mouse meet.
func (b *tab) walk(ids ...string) (shown []string) {
	b.t.Helper()
	look := func() {
		b.t.Helper()
		b.settle()
		shown = append(shown, evaluate[string](b, `document.body.textContent + [...document.querySelectorAll('*')].flatMap(
			(e) => [e.value, ...[...e.attributes].filter((a) => a.name !== 'class').map((a) => a.value)]).join('\n')`))
	}
	links, err := b.all("link", ".*")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, section := range []string{"Messages", "Errors", "Feeds", "Dead letters", "Search"} {
		if slices.ContainsFunc(links, func(e element) bool { return strings.HasPrefix(e.name, section) }) {
			b.click("link", section+".*")
			look()
		}
	}
	for _, id := range ids {
		b.turn("#/messages/" + id)
		look()
		tabs, err := b.all("tab", ".*")
		if err != nil {
			b.t.Fatal(err)
		}
		for _, tab := range tabs[min(1, len(tabs)):] { // the first one is open
			b.click("tab", tab.name)
			look()
		}
	}
	return shown
}
