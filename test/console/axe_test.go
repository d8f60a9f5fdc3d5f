package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hl7lake/internal/testing/judge"
)

// axeName is the judge of accessibility as JUDGES names it.
const axeName = "axe-core"

// axe returns the judge's script.
func axe(t testing.TB) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("node_modules", axeName, "axe.min.js"))
	if err != nil {
		judge.Missing(t, axeName, "axe-core is not installed, so nobody judges how accessible the pages are; install it with: npm ci --prefix test/console")
	}
	return string(script)
}

// violation is a rule of axe's that a page breaks.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"` // minor, moderate, serious, critical
	Help   string `json:"help"`
	Nodes  []struct {
		Target  []any  `json:"target"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// String says what is wrong, and where.
func (v violation) String() string {
	var places []string
	for _, node := range v.Nodes[:min(3, len(v.Nodes))] {
		place, _ := json.Marshal(node.Target) // texts
		places = append(places, fmt.Sprintf("%s: %s", place, node.Summary))
	}
	return fmt.Sprintf("%s (%s), %d times: %s\n%s", v.ID, v.Impact, len(v.Nodes), v.Help, strings.Join(places, "\n"))
}

// judged runs axe on the page as it stands, and returns what it finds. Axe runs in a
// JavaScript world of its own, so that it does not meet the page's scripts or its policy.
func (b *tab) judged(script string) []violation {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, *patience)
	defer cancel()
	found, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) ([]violation, error) {
		tree, err := cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		world, err := cdp.Call(ctx, t, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID})
		if err != nil {
			return nil, err
		}
		within := func(p *runtime.EvaluateParams) { p.ContextID = world.ExecutionContextID }
		return chromedp.Evaluate[[]violation](script+";axe.run({resultTypes: ['violations']}).then(r => r.violations)",
			within, chromedp.EvalAwaitPromise)(ctx, t)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}
