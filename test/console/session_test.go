package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hl7lake/client"
)

// clock lets the test move on the page's clock. It must be called before a page is
// opened.
func (b *tab) clock() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `(() => { const now = Date.now.bind(Date); let ahead = 0; Date.now = () => now() + ahead; window.wait = (ms) => { ahead += ms; }; })()`,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// wait moves the page's clock on.
func (b *tab) wait(d time.Duration) {
	b.t.Helper()
	evaluate[bool](b, fmt.Sprintf("wait(%d), true", d.Milliseconds()))
}

func TestASessionInWhichNothingIsDoneEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	id := l.send(t, l.client(t, a), client.Message{Body: admission(1)}).ID
	b.clock()
	b.signIn(l, a)
	b.lists(id)
	b.wait(l.tokenLife(t))
	b.find("button", "Sign in")
	b.shows("nothing was done")
	if strings.Contains(b.text(), id) {
		t.Error("the message is still shown")
	}
}

func TestATokenIsRenewedForSomebodyWhoIsThereAndTheSessionEndsWhenItCannotBe(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	b.clock()
	b.signIn(l, a)
	first := b.bearer()
	almost := l.tokenLife(t) - time.Second
	b.wait(almost)
	b.press("j")
	b.eventually("another token", func() bool { return b.bearer() != first })
	b.find("heading", "Messages")

	if err := l.pool.Disable(t.Context(), a.Email); err != nil {
		t.Fatal(err)
	}
	b.wait(almost)
	b.press("j")
	b.find("button", "Sign in")
	b.shows("Your session has ended")
}

// tokenLife is how long a token is valid.
func (l *lake) tokenLife(t testing.TB) time.Duration {
	t.Helper()
	life, err := l.pool.TokenLifetime(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return life
}
