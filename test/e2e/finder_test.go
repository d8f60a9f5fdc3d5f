package e2e_test

import (
	"errors"
	"slices"
	"testing"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/operate"
)

// foundIDs returns the ids of the messages that have an identifier, in the order of the
// list.
func foundIDs(t *testing.T, c *client.Client, identifier client.Identifier) (ids []string) {
	t.Helper()
	for message, err := range c.Find(t.Context(), identifier) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, message.ID)
	}
	return ids
}

// settle waits until no function has anything left to do.
func (l *lake) settle(t *testing.T) {
	t.Helper()
	eventually(t, "everything that was set off has ended", func() bool {
		pending, err := l.Pending()
		return err == nil && pending == 0
	})
}

const report = "MSH|^~\\&|LAB|HERE|LAKE|THERE|20260102030405||ORU^R01|C-77|T|2.5.1\r" +
	"PID|1||4711^^^HERE^MR~98-0^^^NATION&1.2.3&ISO^NI||Sample^Sue|||||||||||||A-5^^^HERE\r" +
	"PV1|1|I|||||||||||||||||V-9^^^HERE\r" +
	"ORC|RE|P-1^HERE|F-1^LAB\rOBR|1|P-1^HERE|F-1^LAB|X\rOBR|2|P\\T\\2^HERE|F-2^LAB|X\r"

func TestAMessageIsFoundByItsIdentifiers(t *testing.T) {
	l := start(t)
	ours := l.client(t, l.admin(t))
	theirs := l.client(t, l.user(t, client.User{Email: "theirs@example.org", Read: client.Institutions{"lakeside"}, Write: "lakeside"}))
	writer := l.client(t, l.user(t, client.User{Email: "writer@example.org", Write: scenario.Institution}))
	first := l.accepted(t, ours, []byte(report))[0]
	second := l.accepted(t, ours, admission(4711))[0]
	third := l.accepted(t, theirs, admission(4711))[0]
	l.settle(t)
	for _, test := range []struct {
		name   string
		reader *client.Client
		of     client.Identifier
		want   []string
	}{
		{"a patient", ours, client.Identifier{Kind: client.PatientID, Value: "4711"}, []string{second, first}},
		{"with blanks", ours, client.Identifier{Kind: client.PatientID, Value: " 4711 "}, []string{second, first}},
		{"of an authority", ours, client.Identifier{Kind: client.PatientID, Value: "4711", Authority: "HERE"}, []string{second, first}},
		{"of another authority", ours, client.Identifier{Kind: client.PatientID, Value: "4711", Authority: "NATION"}, nil},
		{"of a universal id", ours, client.Identifier{Kind: client.PatientID, Value: "98-0", Authority: "1.2.3"}, []string{first}},
		{"another repetition", ours, client.Identifier{Kind: client.PatientID, Value: "98-0"}, []string{first}},
		{"an account", ours, client.Identifier{Kind: client.AccountID, Value: "A-5"}, []string{first}},
		{"a visit", ours, client.Identifier{Kind: client.VisitID, Value: "V-9"}, []string{first}},
		{"an order", ours, client.Identifier{Kind: client.OrderID, Value: "F-2", Authority: "LAB"}, []string{first}},
		{"an order with an escape", ours, client.Identifier{Kind: client.OrderID, Value: "P&2"}, []string{first}},
		{"a control id", ours, client.Identifier{Kind: client.ControlID, Value: "C-77"}, []string{first}},
		{"another kind", ours, client.Identifier{Kind: client.VisitID, Value: "4711"}, nil},
		{"another institution's", theirs, client.Identifier{Kind: client.PatientID, Value: "4711"}, []string{third}},
		{"nobody's", theirs, client.Identifier{Kind: client.VisitID, Value: "V-9"}, nil},
	} {
		if got := foundIDs(t, test.reader, test.of); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for name, ask := range map[string]func() (client.Page, error){
		"another's": func() (client.Page, error) {
			return theirs.FindPage(t.Context(), client.Identifier{Kind: client.PatientID, Value: "4711", Owner: scenario.Institution}, 0, "")
		},
		"without a permission to read": func() (client.Page, error) {
			return writer.FindPage(t.Context(), client.Identifier{Kind: client.PatientID, Value: "4711"}, 0, "")
		},
	} {
		page, err := ask()
		if problem, refused := errors.AsType[*client.Problem](err); !refused || problem.Status != 404 || problem.Code != "not-found" {
			t.Errorf("%s: %+v %v", name, page, err)
		}
	}
}

// findEveryWay has a message found by an identifier that is read in one character set, and
// then in another one.
func (l *lake) findEveryWay(t *testing.T, c *client.Client) {
	t.Helper()
	body := []byte("MSH|^~\\&|APP|HERE|LAKE|THERE|2026||ADT^A01|1|T|2.5.1\rPID|1||\xbc-1\r")
	receipt, err := c.Send(t.Context(), client.Message{Body: body, Charset: "iso-8859-1"})
	if err != nil {
		t.Fatal(err)
	}
	ended(t, c, receipt.ID)
	finds := func(when, value string, want ...string) {
		t.Helper()
		if got := foundIDs(t, c, client.Identifier{Kind: client.PatientID, Value: value}); !slices.Equal(got, want) {
			t.Errorf("%s, %s: %v, want %v", when, value, got, want)
		}
	}
	l.settle(t)
	finds("at first", "¼-1", receipt.ID)
	finds("at first", "М-1")
	l.replay(t, operate.Selection{IDs: []string{receipt.ID}, Charset: "iso-8859-5"}, false)
	l.settle(t)
	finds("read in another character set", "¼-1", receipt.ID)
	finds("read in another character set", "М-1", receipt.ID)
	l.rebuildFinder(t, operate.FinderSelection{})
	finds("entered again", "¼-1")
	finds("entered again", "М-1", receipt.ID)
}

// rebuildFinder enters messages again.
func (l *lake) rebuildFinder(t *testing.T, of operate.FinderSelection) operate.FinderRebuilt {
	t.Helper()
	done, err := l.operator(t).RebuildFinder(t.Context(), of, func(operate.FinderRebuilt) {})
	if err != nil || done.After != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	return done
}
