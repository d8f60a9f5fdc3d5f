package e2e_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

// listedIDs returns the ids of the selected messages, in the order of the list.
func listedIDs(ctx context.Context, t *testing.T, c *client.Client, filter client.Filter) (ids []string) {
	t.Helper()
	for message, err := range c.List(ctx, filter) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, message.ID)
	}
	return ids
}

func TestAListHoldsTheMessagesOfTheReadersInstitutionsAlone(t *testing.T) {
	l := start(t)
	ours := l.client(t, l.admin(t))
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	both := l.client(t, l.user(t, client.User{Email: "both@example.org", Read: client.Institutions{"lakeside", scenario.Institution}}))
	writer := l.client(t, l.user(t, client.User{Email: "writer@example.org", Write: scenario.Institution}))
	var sent []string
	for i, m := range []struct {
		by   *client.Client
		body []byte
		end  client.Status
	}{{ours, admission(1), client.Staged}, {theirs, admission(2), client.Staged}, {ours, []byte("a line of text"), client.Errored}} {
		receipt, err := m.by.Send(t.Context(), client.Message{Body: m.body})
		if err != nil {
			t.Fatal(err)
		}
		if history := ended(t, m.by, receipt.ID); history.Status != m.end {
			t.Fatalf("message %d ended as %s", i, history.Status)
		}
		sent = append(sent, receipt.ID)
	}
	for _, test := range []struct {
		name   string
		reader *client.Client
		filter client.Filter
		want   []string
	}{
		{"ours", ours, client.Filter{}, []string{sent[2], sent[0]}},
		{"theirs", theirs, client.Filter{}, []string{sent[1]}},
		{"both", both, client.Filter{}, []string{sent[2], sent[1], sent[0]}},
		{"one of both", both, client.Filter{Owner: "lakeside"}, []string{sent[1]}},
		{"an error", both, client.Filter{State: client.Errored}, []string{sent[2]}},
		{"of a type", both, client.Filter{Type: "ADT^A01"}, []string{sent[1], sent[0]}},
		{"of a connector", both, client.Filter{Connector: "staging-er7", State: client.Staged}, []string{sent[1], sent[0]}},
		{"of another protocol", both, client.Filter{Protocol: "x12"}, nil},
	} {
		if got := listedIDs(t.Context(), t, test.reader, test.filter); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for name, ask := range map[string]func() (client.Page, error){
		"another's":        func() (client.Page, error) { return ours.Page(t.Context(), client.Filter{Owner: "lakeside"}, 0, "") },
		"nothing to read":  func() (client.Page, error) { return writer.Page(t.Context(), client.Filter{}, 0, "") },
		"an unknown owner": func() (client.Page, error) { return ours.Page(t.Context(), client.Filter{Owner: "nowhere"}, 0, "") },
	} {
		page, err := ask()
		if problem, refused := errors.AsType[*client.Problem](err); !refused || problem.Status != 404 || problem.Code != "not-found" {
			t.Errorf("%s: %+v %v", name, page, err)
		}
	}
	first, err := both.Page(t.Context(), client.Filter{}, 1, "")
	if err != nil || len(first.Messages) != 1 || first.Cursor == "" {
		t.Fatalf("%+v %v", first, err)
	}
	if got, err := theirs.Page(t.Context(), client.Filter{}, 0, first.Cursor); err != nil || len(got.Messages) != 1 || got.Messages[0].ID != sent[1] {
		t.Errorf("with another reader's cursor: %+v %v", got, err)
	}
}

func TestAMessageThatTheLakeDoesNotHoldIsListedAsAcceptedAndThenAsMissing(t *testing.T) {
	l, outage := broken(t)
	c := l.client(t, l.admin(t))
	id := l.dead(t, c) // accepted, and only in dead-letter queues
	lists := func(when string, state client.Status, want ...string) {
		t.Helper()
		if got := listedIDs(t.Context(), t, c, client.Filter{State: state}); !slices.Equal(got, want) {
			t.Errorf("%s, %s: %v, want %v", when, state, got, want)
		}
	}
	lists("at first", client.Accepted, id)
	lists("at first", client.Missing)
	l.reconcile(t)
	lists("once it is late", client.Accepted)
	lists("once it is late", client.Missing, id)
	lists("once it is late", "")
	outage.over.Store(true)
	l.redrive(t, false)
	if h := ended(t, c, id); h.Status != client.Staged {
		t.Errorf("ended as %s", h.Status)
	}
	lists("at its end", client.Missing)
	lists("at its end", "", id)
}
