package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/altered"
	"hl7lake/internal/testing/canary"
	"hl7lake/local"
	"hl7lake/local/store"
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

// hashes returns all items of Finder's table.
func (l *lake) hashes(t *testing.T) (items []map[string]types.AttributeValue) {
	t.Helper()
	pages := dynamodb.NewScanPaginator(l.dynamodb(), &dynamodb.ScanInput{TableName: aws.String(l.output(t, client.OutputFinder))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

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

// patient is the identifier of the patient of admission(n).
func patient(n int) client.Identifier {
	return client.Identifier{Kind: client.PatientID, Value: fmt.Sprint(n)}
}

// TestTheTableHoldsNoIdentifierAndNoPlainHashOfOne looks for what a message says, and for
// hashes of it that anybody could make.
func TestTheTableHoldsNoIdentifierAndNoPlainHashOfOne(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	l.accepted(t, c, canary.Message())
	l.settle(t)
	items := l.hashes(t)
	if len(items) != 4 { // the message, its patient, its visit and its control id
		t.Errorf("%d items", len(items))
	}
	text := fmt.Sprint(items)
	for _, item := range items {
		for name, value := range item {
			canary.Check(t, name, value)
			text += fmt.Sprintf("%#v", value)
		}
	}
	for _, value := range []string{"Zeisig-mrn", "Zeisig-visit", canary.ControlID} {
		for _, kind := range []string{"", "patient", "visit", "control-id", "patient\x00", "visit\x00", "\x01patient\x00", "\x01visit\x00", "\x01control-id\x00"} {
			for _, key := range []string{"", scenario.Institution} {
				sum := hmac.New(sha256.New, []byte(key))
				sum.Write([]byte(kind + value))
				plain := sha256.Sum256([]byte(key + kind + value))
				for _, hash := range [][]byte{sum.Sum(nil), plain[:]} {
					for form, beginning := range map[string]string{"base64": base64.RawURLEncoding.EncodeToString(hash)[:16], "hex": hex.EncodeToString(hash)[:16]} {
						if strings.Contains(text, beginning) {
							t.Errorf("the table holds a hash of %q in %s that needs no key", kind+value, form)
						}
					}
				}
			}
		}
	}
}

// TestAForgottenMessageLeavesNoHashAndIsNotEnteredAgain has it forgotten by an operator and
// through the API, and then delivered again, and the table made again.
func TestAForgottenMessageLeavesNoHashAndIsNotEnteredAgain(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	on := l.client(t, l.user(t, client.User{Email: "operates@example.org", Operate: scenario.Institution}))
	ids := l.accepted(t, c, admission(1), admission(2), admission(3))
	l.settle(t)
	if _, err := l.operator(t).Forget(t.Context(), ids[0], "wrong-patient", false); err != nil {
		t.Fatal(err)
	}
	if _, err := on.Forget(t.Context(), ids[2], "wrong-patient"); err != nil {
		t.Fatal(err)
	}
	l.publish(t, ids[0], "ADT^A01", admission(1))
	l.publish(t, ids[2], "ADT^A01", admission(3))
	l.settle(t)
	l.rebuildFinder(t, operate.FinderSelection{})
	for n, want := range map[int][]string{1: nil, 2: {ids[1]}, 3: nil} {
		if got := foundIDs(t, c, patient(n)); !slices.Equal(got, want) {
			t.Errorf("patient %d: %v, want %v", n, got, want)
		}
	}
	for _, item := range l.hashes(t) {
		if text := fmt.Sprintf("%#v", item["sk"]); strings.Contains(text, ids[0]) || strings.Contains(text, ids[2]) {
			t.Errorf("an entry is left: %v", item)
		}
	}
}

func TestAMessageThatIsReplayedHasItsEntriesOnce(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	ids := l.accepted(t, c, []byte(report))
	l.settle(t)
	before := l.hashes(t)
	l.replay(t, operate.Selection{IDs: ids}, false)
	l.settle(t)
	if after := l.hashes(t); len(before) != 10 || len(after) != len(before) {
		t.Errorf("%d items, and %d after the replay", len(before), len(after))
	}
}

// TestMessagesThatCameWithoutFinderAreEnteredFromTheLake runs a lake without Finder first.
func TestMessagesThatCameWithoutFinderAreEnteredFromTheLake(t *testing.T) {
	t.Parallel()
	options := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	without := options
	without.Assembly = altered.Without(t, "../snapshots/dev", "Finder")
	l := startWith(t, without)
	l.admin(t)
	c := l.client(t, l.again(t))
	ids := l.accepted(t, c, admission(1), []byte("a line of text"), admission(2))
	_, err := c.FindPage(t.Context(), patient(1), 0, "")
	if problem, refused := errors.AsType[*client.Problem](err); !refused || problem.Status != 404 || problem.Code != "" {
		t.Errorf("without Finder: %v", err)
	}
	if _, err := l.operator(t).RebuildFinder(t.Context(), operate.FinderSelection{}, nil); !errors.Is(err, operate.ErrNoFinder) {
		t.Errorf("rebuilt without Finder: %v", err)
	}
	before := l.histories(t, c, ids)
	l.stop(t)

	l = startWith(t, options)
	c = l.client(t, l.again(t))
	if got := foundIDs(t, c, patient(1)); got != nil {
		t.Errorf("found before it was entered: %v", got)
	}
	if done := l.rebuildFinder(t, operate.FinderSelection{Owner: "lakeside"}); done.Messages != 0 {
		t.Errorf("of another institution: %+v", done)
	}
	if done := l.rebuildFinder(t, operate.FinderSelection{Owner: scenario.Institution, From: before[2].Received}); done.Messages != 1 {
		t.Errorf("from the last one on: %+v", done)
	}
	if done := l.rebuildFinder(t, operate.FinderSelection{}); done.Messages != 2 || done.Entries != 4 || done.After != nil {
		t.Errorf("all: %+v", done)
	}
	for i, n := range map[int]int{0: 1, 2: 2} {
		if got := foundIDs(t, c, patient(n)); !slices.Equal(got, []string{ids[i]}) {
			t.Errorf("patient %d: %v", n, got)
		}
	}
	l.settle(t)
	if diff := cmp.Diff(before, l.histories(t, c, ids)); diff != "" {
		t.Errorf("to enter the messages changed their histories:\n%s", diff)
	}
}

// TestTheKeyOfTheHashesIsReplaced takes the steps of docs/finder.md.
func TestTheKeyOfTheHashesIsReplaced(t *testing.T) {
	t.Parallel()
	options := local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}
	with := func(folder string) *lake {
		changed := options
		changed.Assembly = altered.Together(t, "../snapshots/dev", folder)
		return startWith(t, changed)
	}
	l := startWith(t, options)
	l.admin(t)
	old := l.accepted(t, l.client(t, l.again(t)), admission(1))[0]
	l.settle(t)
	l.stop(t)

	l = with("../testdata/dev-finder-keys-2-1")
	c := l.client(t, l.again(t))
	fresh := l.accepted(t, c, admission(2))[0]
	l.settle(t)
	finds := func(when string) {
		t.Helper()
		for n, id := range map[int]string{1: old, 2: fresh} {
			if got := foundIDs(t, c, patient(n)); !slices.Equal(got, []string{id}) {
				t.Errorf("%s, patient %d: %v, want %s", when, n, got, id)
			}
		}
	}
	finds("with both keys")
	entries := len(l.hashes(t))
	if done := l.rebuildFinder(t, operate.FinderSelection{}); done.Messages != 2 {
		t.Errorf("%+v", done)
	}
	finds("entered again")
	if got := len(l.hashes(t)); got != entries {
		t.Errorf("%d items, want %d: those under the old key are left, or some are missing", got, entries)
	}
	l.stop(t)

	l = with("../testdata/dev-finder-key-2")
	c = l.client(t, l.again(t))
	finds("without the old key")
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
