package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// element is something on the page as assistive technology knows it.
type element struct {
	role, name string
	node       cdp.BackendNodeID
}

// all returns the elements of a role whose whole name matches the regular expression, in
// the order of the page.
func (b *tab) all(role, name string) ([]element, error) {
	whole := regexp.MustCompile("^(?:" + name + ")$")
	document, err := chromedp.Call(b.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
	if err != nil {
		return nil, err
	}
	found, err := chromedp.Call(b.ctx, accessibility.QueryAXTree,
		accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role})
	if err != nil {
		return nil, err
	}
	var elements []element
	for _, node := range found.Nodes {
		e := element{role: textOf(node.Role), name: textOf(node.Name), node: node.BackendDOMNodeID}
		if !node.Ignored && whole.MatchString(e.name) {
			elements = append(elements, e)
		}
	}
	return elements, nil
}

func textOf(value *accessibility.Value) (text string) {
	if value == nil || json.Unmarshal(value.Value, &text) != nil {
		return ""
	}
	return text
}

// find waits until there is an element of the role and the name, a regular expression,
// and returns the first one.
func (b *tab) find(role, name string) element {
	b.t.Helper()
	var found []element
	b.eventually(fmt.Sprintf("%s %q", role, name), func() bool {
		var err error
		found, err = b.all(role, name)
		return err == nil && len(found) > 0 // an error: the page is being replaced
	})
	return found[0]
}

// gone waits until there is no such element.
func (b *tab) gone(role, name string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("no %s %q", role, name), func() bool {
		found, err := b.all(role, name)
		return err == nil && len(found) == 0
	})
}

// eventually waits until the condition holds.
func (b *tab) eventually(what string, holds func() bool) {
	b.t.Helper()
	for end := time.Now().Add(*patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited in vain for %s; the page at %s says:\n%s", what, evaluate[string](b, "location.href"), b.text())
		}
	}
}

// text is what the page shows.
func (b *tab) text() string {
	b.t.Helper()
	return evaluate[string](b, "document.body.innerText")
}

// shows waits until the page shows a text.
func (b *tab) shows(text string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf("the text %q", text), func() bool { return strings.Contains(b.text(), text) })
}

// click presses the left button of the mouse on the middle of the element.
func (b *tab) click(role, name string) {
	b.t.Helper()
	b.do(b.pointed(b.find(role, name), func(x, y float64) chromedp.Action[chromedp.Void] { return chromedp.MouseClickXY(x, y) }))
}

// hover moves the mouse to the middle of the element.
func (b *tab) hover(e element) {
	b.t.Helper()
	b.do(b.pointed(e, func(x, y float64) chromedp.Action[chromedp.Void] { return chromedp.MouseEvent("mouseMoved", x, y) }))
}

// pointed scrolls to the element and does something at its middle.
func (b *tab) pointed(e element, do func(x, y float64) chromedp.Action[chromedp.Void]) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: e.node}); err != nil {
			return fmt.Errorf("%s %q: %w", e.role, e.name, err)
		}
		quads, err := cdp.Call(ctx, target, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: e.node})
		if err != nil || len(quads.Quads) == 0 {
			return fmt.Errorf("%s %q is nowhere on the page: %w", e.role, e.name, err)
		}
		var x, y float64
		for i := 0; i < 8; i += 2 {
			x, y = x+quads.Quads[0][i]/4, y+quads.Quads[0][i+1]/4
		}
		_, err = do(x, y)(ctx, target)
		return err
	})
}

// fill puts a text into a field in place of what is there.
func (b *tab) fill(role, name, text string) {
	b.t.Helper()
	b.click(role, name)
	b.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.press(text)
}

// press presses keys, one after the other; package kb names those that print nothing.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}
