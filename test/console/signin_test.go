package console_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/contract"
)

// reader is a user who reads the messages of the scenario's institution, and sends them.
func (l *lake) reader(t testing.TB) account {
	t.Helper()
	return l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}, Write: scenario.Institution})
}

// signIn opens the console and signs a user in, as a person does.
func (b *tab) signIn(l *lake, a account) {
	b.t.Helper()
	b.open(l.output(b.t, contract.OutputConsole))
	b.click("button", "Sign in")
	b.fill("textbox", "User", a.Email)
	b.fill("textbox", "Password", a.password)
	b.click("button", "Sign in")
	b.find("heading", "Messages")
}

// bearer is the token that the page has shown to the API.
func (s *trail) bearer() (token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if given, is := strings.CutPrefix(r.header("Authorization"), "Bearer "); is {
			token = given
		}
	}
	return token
}

// heap is a snapshot of all that the page's scripts hold.
func (b *tab) heap() string {
	b.t.Helper()
	var chunks strings.Builder
	err := chromedp.Listen(b.ctx, func(event any) {
		if e, is := event.(*heapprofiler.EventAddHeapSnapshotChunk); is {
			chunks.WriteString(e.Chunk)
		}
	})
	if err == nil {
		_, err = chromedp.Call(b.ctx, heapprofiler.TakeHeapSnapshot, heapprofiler.TakeHeapSnapshotParams{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return chunks.String()
}

func TestAWrongPasswordIsToldInTheFormAndKeptNowhere(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	b.open(l.output(t, contract.OutputConsole))
	b.click("button", "Sign in")
	b.fill("textbox", "User", a.Email)
	b.fill("textbox", "Password", "a wrong one")
	b.click("button", "Sign in")
	b.find("alert", "")
	b.shows("Incorrect username or password.")
	left, err := json.Marshal(b.leaves())
	if err != nil || strings.Contains(string(left), "wrong") {
		t.Errorf("%s %v", left, err)
	}
}

func TestSigningInTakesACodeWithPKCEAndKeepsTheTokensInMemoryOnly(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	b.signIn(l, l.reader(t))
	left := b.leaves()
	for _, r := range left.Requests {
		asked, err := url.Parse(r.URL)
		if err != nil || !strings.HasSuffix(asked.Path, "/oauth2/authorize") {
			continue
		}
		q := asked.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") == "" {
			t.Errorf("the sign-in page is asked for %v", q)
		}
	}
	token := b.bearer()
	if strings.Count(token, ".") != 2 {
		t.Fatalf("the API is shown %q", token)
	}
	if !strings.Contains(b.heap(), token[:100]) {
		t.Error("no token is found where it must be, so that the search proves nothing")
	}
	if len(left.Storage.Local)+len(left.Storage.Session)+len(left.Storage.Databases)+len(left.Storage.Caches) > 0 {
		t.Errorf("the browser keeps %+v", left.Storage)
	}
	for i := range left.Requests {
		delete(left.Requests[i].Headers, "Authorization")
	}
	if text, err := json.Marshal(left); err != nil || strings.Contains(string(text), token[:100]) {
		t.Errorf("the token is in %s, %v", text, err)
	}
	if address := evaluate[string](b, "location.href"); strings.Contains(address, "code=") {
		t.Errorf("the code stays in %s", address)
	}
}

func TestSigningOutLeavesNothingInThePageOrBehindTheBackButton(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.reader(t)
	id := l.send(t, l.client(t, a), client.Message{Body: admission(1)}).ID
	b.signIn(l, a)
	b.shows(id)
	token := b.bearer()
	b.click("button", "Sign out")
	b.find("button", "Sign in")
	nothing := func(when string) {
		t.Helper()
		if text := b.text(); strings.Contains(text, id) {
			t.Errorf("%s the page shows %s", when, text)
		}
		if strings.Contains(b.heap(), token[:100]) {
			t.Errorf("%s the token is still in memory", when)
		}
		if kept := b.leaves().Storage; len(kept.Local)+len(kept.Session) > 0 {
			t.Errorf("%s the browser keeps %+v", when, kept)
		}
	}
	nothing("at once")
	for _, entry := range b.leaves().History {
		if strings.Contains(entry.URL, "/console") {
			if _, err := chromedp.Call(b.ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID}); err != nil {
				t.Fatal(err)
			}
			b.find("button", "Sign in")
			nothing("after going back")
		}
	}
}
