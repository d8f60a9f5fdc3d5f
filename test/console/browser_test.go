package console_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"hl7lake/internal/testing/judge"
)

// screenshots is where the pictures of views go.
var screenshots = flag.String("screenshots", "", "the folder that gets a picture of each view; none if empty")

// chromiumName is the browser as JUDGES names it.
const chromiumName = "chromium"

// chromium returns the browser's program.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{chromiumName, "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	judge.Missing(t, chromiumName, "Chromium is not installed, so the console is tried in no browser; install it with: apt-get install chromium")
	return ""
}

// A tab is a browser with one page open. Nothing in it comes from other tests.
type tab struct {
	t   testing.TB
	ctx context.Context
	*trail
}

// newTab starts a browser, which ends with the test. The page is as large as that of a
// small notebook. An uncaught error of a script or a violation of the page's policy fails
// the test.
func newTab(t testing.TB) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("lang", "en"))
	allocator, freed := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(freed)
	seen := &trail{open: map[network.RequestID]string{}}
	ctx, closed := chromedp.NewContext(allocator, chromedp.WithListener(seen.note))
	t.Cleanup(closed)
	b := &tab{t: t, ctx: ctx, trail: seen}
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as this context, so it has no limit
		t.Fatal(err)
	}
	if err := seen.follow(ctx); err != nil {
		t.Fatal(err)
	}
	b.resize(wide)
	t.Cleanup(func() {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		for _, problem := range seen.problems {
			t.Errorf("the browser reports: %s", problem)
		}
	})
	return b
}

// do runs actions, for no longer than patience.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, *patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// evaluate returns what a script in the page returns; of a promise, what it becomes.
func evaluate[T any](b *tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, *patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// open goes to an address.
func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// size is how large a page is, in CSS pixels.
type size struct{ width, height int64 }

var (
	wide   = size{1280, 800}
	narrow = size{360, 740}
)

func (b *tab) resize(s size) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(s.width, s.height))
}

// scheme is the colours that the person's system prefers.
type scheme string

const (
	light scheme = "light"
	dark  scheme = "dark"
)

func (b *tab) prefer(s scheme) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: string(s)}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// picture leaves a picture of what is seen in the folder for screenshots, if there is
// one.
func (b *tab) picture(name string) {
	b.t.Helper()
	if *screenshots == "" {
		return
	}
	shot, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
