package console_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

func TestAWrongPasswordIsToldInTheFormAndKeptNowhere(t *testing.T) {
	b, l := newTab(t), start(t)
	somebody := l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}})
	b.open(l.signInPage(t))
	b.fill("textbox", "User", somebody.Email)
	b.fill("textbox", "Password", "a wrong one")
	b.click("button", "Sign in")
	b.find("alert", "")
	b.shows("Incorrect username or password.")
	left, err := json.Marshal(b.leaves())
	if err != nil || strings.Contains(string(left), "wrong") {
		t.Errorf("%s %v", left, err)
	}
}
