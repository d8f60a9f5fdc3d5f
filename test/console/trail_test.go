package console_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// trail is what a page leaves behind where others can find it: in the browser's history
// and storage, in its console, and on the network.
type trail struct {
	mu       sync.Mutex
	console  []string // what scripts and the browser wrote, uncaught errors too
	problems []string // those of them that are errors, and the violations of a policy
	visited  []string // addresses and titles that the tab had
	requests []request
	open     map[network.RequestID]string // the addresses of requests that have no answer yet
}

// request is what a request tells beside its body.
type request struct {
	Method, URL string
	Headers     network.Headers
}

// header is a header of the request, or nothing.
func (r request) header(name string) string {
	for given, value := range r.Headers {
		if strings.EqualFold(given, name) {
			return fmt.Sprint(value)
		}
	}
	return ""
}

// follow has the browser tell of what it does not tell of by itself.
func (s *trail) follow(ctx context.Context) error {
	if _, err := chromedp.Call(ctx, audits.Enable, cdp.Empty{}); err != nil {
		return err
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	return chromedp.ListenBrowser(ctx, s.note)
}

// note keeps what an event tells.
func (s *trail) note(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		for _, argument := range e.Args {
			s.console = append(s.console, fmt.Sprintf("console.%s: %s %s", e.Type, argument.Value, argument.Description))
		}
	case *runtime.EventExceptionThrown:
		s.problems = append(s.problems, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *log.EventEntryAdded:
		s.console = append(s.console, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		if e.Entry.Source == log.EntrySourceSecurity {
			s.problems = append(s.problems, e.Entry.Text)
		}
	case *audits.EventIssueAdded:
		if csp := e.Issue.Details.ContentSecurityPolicyIssueDetails; csp != nil {
			s.problems = append(s.problems, fmt.Sprintf("the policy's %s is violated by %q", csp.ViolatedDirective, csp.BlockedURL))
		}
	case *page.EventFrameNavigated:
		clear(s.open) // nobody waits for the answers to the page before
		s.visited = append(s.visited, e.Frame.URL+e.Frame.URLFragment)
	case *page.EventNavigatedWithinDocument:
		s.visited = append(s.visited, e.URL)
	case *target.EventTargetInfoChanged:
		s.visited = append(s.visited, e.TargetInfo.URL, e.TargetInfo.Title)
	case *network.EventRequestWillBeSent:
		s.requests = append(s.requests, request{e.Request.Method, e.Request.URL + e.Request.URLFragment, e.Request.Headers})
		s.open[e.RequestID] = e.Request.URL
	case *network.EventRequestWillBeSentExtraInfo:
		s.requests = append(s.requests, request{Headers: e.Headers})
	case *network.EventLoadingFinished:
		delete(s.open, e.RequestID)
	case *network.EventLoadingFailed:
		delete(s.open, e.RequestID)
	}
}

// unanswered are the addresses of the requests that have no answer yet.
func (s *trail) unanswered() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.open))
}

// left is all that the tab has left behind so far.
type left struct {
	Console, Problems, Visited []string
	Requests                   []request
	History                    []*page.NavigationEntry
	Storage                    stored
	Cookies                    []*network.Cookie
}

// stored is what the page's origin keeps in the browser.
type stored struct {
	Local, Session    map[string]string
	Databases, Caches []string
	Cookie, Name      string
	State             any
}

// leaves returns what the tab has left behind.
func (b *tab) leaves() left {
	b.t.Helper()
	history, err := chromedp.Call(b.ctx, page.GetNavigationHistory, cdp.Empty{})
	if err != nil {
		b.t.Fatal(err)
	}
	cookies, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	kept := evaluate[stored](b, `(async () => ({
		Local: {...localStorage}, Session: {...sessionStorage}, Cookie: document.cookie, Name: window.name, State: history.state,
		Databases: (await indexedDB.databases()).map(d => d.name),
		Caches: 'caches' in window ? await caches.keys() : [],
	}))()`)
	b.mu.Lock()
	defer b.mu.Unlock()
	return left{
		Console: slices.Clone(b.console), Problems: slices.Clone(b.problems), Visited: slices.Clone(b.visited), Requests: slices.Clone(b.requests),
		History: history.Entries, Storage: kept, Cookies: cookies.Cookies,
	}
}
