package e2e_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

func TestErrorsAndFeedsAreThoseOfTheInstitutionsThatAUserSees(t *testing.T) {
	l := start(t)
	ours := l.client(t, l.admin(t))
	operator := l.client(t, l.user(t, client.User{Email: "operator@example.org", Operate: scenario.Institution}))
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	writer := l.client(t, l.user(t, client.User{Email: "writer@example.org", Write: scenario.Institution}))
	send := func(c *client.Client, body string) string {
		t.Helper()
		receipt, err := c.Send(t.Context(), client.Message{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		ended(t, c, receipt.ID)
		return receipt.ID
	}
	first, second := send(ours, "a line of text"), send(ours, "another line of text")
	send(ours, "MSH|^~\\&|A|||||||1|T|2.5\r")
	send(theirs, "a line of theirs")

	for name, reader := range map[string]*client.Client{"who reads": ours, "who operates": operator} {
		groups, err := reader.Errors(t.Context(), client.Filter{})
		if err != nil || !groups.Complete || len(groups.Groups) != 1 {
			t.Fatalf("%s: %+v %v", name, groups, err)
		}
		g := groups.Groups[0]
		if g.Owner != scenario.Institution || g.Code != "no-header" || g.Connector != "staging-er7" || g.Count != 2 || !slices.Equal(g.IDs, []string{second, first}) {
			t.Errorf("%s: %+v", name, g)
		}
		feeds, err := reader.Feeds(t.Context())
		if err != nil || len(feeds.Feeds) != 1 {
			t.Fatalf("%s: %+v %v", name, feeds, err)
		}
		f := feeds.Feeds[0]
		today := 0
		for _, hour := range f.Hours {
			today += hour.Count
		}
		if f.Owner != scenario.Institution || today != 3 || feeds.Now.Sub(f.Last) > time.Hour || f.Silent || f.Usual != nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if groups, err := ours.Errors(t.Context(), client.Filter{To: time.Now().Add(-time.Hour)}); err != nil || len(groups.Groups) != 0 {
		t.Errorf("of an hour ago: %+v %v", groups, err)
	}
	for name, ask := range map[string]func() error{
		"another's errors":  func() error { _, err := ours.Errors(t.Context(), client.Filter{Owner: "lakeside"}); return err },
		"errors of nothing": func() error { _, err := writer.Errors(t.Context(), client.Filter{}); return err },
		"feeds of a writer": func() error { _, err := writer.Feeds(t.Context()); return err },
	} {
		if problem, refused := errors.AsType[*client.Problem](ask()); !refused || problem.Status != 404 || problem.Code != "not-found" {
			t.Errorf("%s: %v", name, problem)
		}
	}
}
