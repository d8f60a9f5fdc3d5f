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
	b.eventually("the answers to all requests", func() bool {
		if !b.answered() {
			since = time.Now()
		}
		return time.Since(since) > 100*time.Millisecond
	})
}

// walk looks at every view, and at a message in every way. It returns what is shown in
// each, with what only assistive technology and the mouse meet.
func (b *tab) walk(id string) (shown []string) {
	b.t.Helper()
	look := func() {
		b.t.Helper()
		b.settle()
		shown = append(shown, evaluate[string](b, `document.body.innerText + [...document.querySelectorAll('*')].flatMap(
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
	b.turn("#/messages/" + id)
	tabs, err := b.all("tab", ".*")
	if err != nil {
		b.t.Fatal(err)
	}
	look()
	for _, tab := range tabs {
		b.click("tab", tab.name)
		look()
	}
	return shown
}
