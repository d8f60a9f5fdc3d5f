package console_test

import (
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

func TestAWrongPasswordIsToldInTheForm(t *testing.T) {
	b, l := newTab(t), start(t)
	somebody := l.user(t, client.User{Email: "reader@example.org", Read: client.Institutions{scenario.Institution}})
	b.open(l.signInPage(t))
	b.fill("textbox", "User", somebody.Email)
	b.fill("textbox", "Password", "wrong")
	b.click("button", "Sign in")
	b.find("alert", "")
	b.shows("Incorrect username or password.")
}
