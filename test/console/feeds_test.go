package console_test

import (
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

func TestTheFeedsSayWhenEachSenderSentLastAndLeadToItsMessages(t *testing.T) {
	t.Parallel()
	b, l := newTab(t), start(t)
	a := l.user(t, client.User{Email: "both@example.org", Read: client.Institutions{scenario.Institution, "lakeside"}, Write: scenario.Institution})
	id := l.send(t, l.client(t, a), client.Message{Body: admission(1)}).ID
	b.signIn(l, a)
	b.click("link", "Feeds")
	b.find("cell", ".* ago")
	b.find("cell", "none") // of lakeside
	b.click("link", scenario.Institution)
	b.find("heading", "Messages")
	b.lists(id)
	b.turn("#/feeds")
	b.click("link", "lakeside")
	b.shows("No message fits.")
}
