package console_test

import (
	"net/url"
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
		{"sign-in", func(b *tab, l *lake) {
			b.open(l.signInPage(b.t))
			b.find("button", "Sign in")
		}},
	}
}

// signInPage is the address at which a person signs in to the console.
func (l *lake) signInPage(t testing.TB) string {
	t.Helper()
	query := url.Values{
		"client_id": {l.output(t, contract.OutputConsoleClient)}, "redirect_uri": {"http://localhost:8400/callback"},
		"response_type": {"code"}, "scope": {"openid"},
	}
	return l.output(t, contract.OutputSignIn) + "/oauth2/authorize?" + query.Encode()
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
