package console_test

import (
	"testing"

	"hl7lake/internal/contract"
)

// view is one of the console's views, or a page on the way to it.
type view struct {
	name string
	show func(b *tab, l *lake)
}

// views are all that a person sees.
func views() []view {
	return []view{
		{"welcome", func(b *tab, l *lake) {
			b.open(l.output(b.t, contract.OutputConsole))
			b.find("button", "Sign in")
		}},
		{"sign-in", func(b *tab, _ *lake) {
			b.click("button", "Sign in")
			b.find("textbox", "Password")
		}},
	}
}

// TestEachViewIsAccessibleInLightAndDarkAndFitsANarrowScreen leaves the pictures, too.
func TestEachViewIsAccessibleInLightAndDarkAndFitsANarrowScreen(t *testing.T) {
	judge := axe(t)
	b, l := newTab(t), start(t)
	for _, v := range views() {
		t.Run(v.name, func(t *testing.T) {
			b.t = t
			b.resize(wide)
			v.show(b, l)
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
