package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hl7lake/internal/finder"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/indexer"
	"hl7lake/lambdas/internal/telemetry"
)

var root = uuid.MustParse("019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77")

// world is the function with what it works on.
type world struct {
	handler
	tables *fake.Tables
	hub    *fake.Topic
	log    *bytes.Buffer
	kms    *fake.KMS
}

func newWorld(t *testing.T) *world {
	w := &world{tables: fake.NewTables(t), hub: &fake.Topic{}, log: &bytes.Buffer{}, kms: &fake.KMS{Secret: "secret"}}
	w.handler = handler{
		claimCheck: hub.ClaimCheck{Bucket: "checks", Objects: &fake.Buckets{}},
		indexer: indexer.Indexer{
			Logger: telemetry.NewLogger(w.log), Metrics: telemetry.Metrics{Environment: "test"}, Places: finder.Places(),
			Table: finder.Table{Name: fake.Finder, DB: w.tables}, Keys: derive.New("key", w.kms),
		},
	}
	return w
}

// deliver hands the function a message that was accepted, as the hub does.
func (w *world) deliver(t *testing.T, e hub.Event) error {
	t.Helper()
	e.Name, e.Kind, e.ID, e.Root, e.Type = hub.Ingested, hub.ER7, root, root, "ADT^A01"
	return w.deliverEvent(t, e)
}

// deliverEvent hands the function an event as the hub does.
func (w *world) deliverEvent(t *testing.T, e hub.Event) error {
	t.Helper()
	topic := &fake.Topic{}
	if err := (hub.Topic{ARN: "hub", Publisher: topic, ClaimCheck: w.claimCheck}).Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	_, err := w.handle(t.Context(), topic.Deliveries())
	return err
}

// finds reports whether the message is found by a patient's identifier.
func (w *world) finds(t *testing.T, owner, value string) bool {
	t.Helper()
	key, err := derive.New("key", w.kms).Key(t.Context(), finder.Label(owner))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := finder.Index{Name: fake.Finder, DB: w.tables}.Newest(t.Context(), finder.Key(key).Identifier(finder.Patient, value), uuid.Max, 10)
	if err != nil {
		t.Fatal(err)
	}
	return len(found) == 1 && found[0].Root == root
}

func TestAMessageIsEnteredUnderTheKeyOfItsInstitution(t *testing.T) {
	w := newWorld(t)
	if err := w.deliver(t, hub.Event{Owner: canary.Owner, Body: canary.Message()}); err != nil {
		t.Fatal(err)
	}
	if !w.finds(t, canary.Owner, "Zeisig-mrn") || w.finds(t, "another", "Zeisig-mrn") {
		t.Error("it is not found by its institution, or it is by another")
	}
	canary.Check(t, "the log", w.log.String())
	for _, item := range w.tables.Items(t, fake.Finder) {
		canary.Check(t, "the table", item)
		canary.Check(t, "the table", fmt.Sprintf("%#v", item))
	}
}

// TestAForgottenMessageLeavesNothingInWhateverOrderItsEventsCome delivers that a message
// was forgotten before, between and after deliveries of the message.
func TestAForgottenMessageLeavesNothingInWhateverOrderItsEventsCome(t *testing.T) {
	for _, order := range []string{"message forgotten", "forgotten message", "message forgotten message forgotten", "forgotten forgotten message"} {
		w := newWorld(t)
		message := hub.Event{ID: root, Root: root, Owner: canary.Owner, Type: "ADT^A01", Body: canary.Message()}
		forgotten := hub.Derive(message, hub.Connector{}, hub.Forgotten, hub.ER7)
		forgotten.Body = []byte("wrong-patient")
		for name := range strings.FieldsSeq(order) {
			deliver := map[string]func() error{
				"message":   func() error { return w.deliver(t, message) },
				"forgotten": func() error { return w.deliverEvent(t, forgotten) },
			}[name]
			if err := deliver(); err != nil {
				t.Errorf("%s: %v", order, err)
			}
		}
		if items := w.tables.Items(t, fake.Finder); len(items) != 1 || w.finds(t, canary.Owner, "Zeisig-mrn") {
			t.Errorf("%s: %d items are left, want the one that says so", order, len(items))
		}
	}
}

func TestAMessageIsReadInTheCharsetThatIsDeclaredOrChosen(t *testing.T) {
	for name, test := range map[string]struct{ declared, chosen, want string }{
		"declared beside it": {"iso-8859-1", "", "¼"},
		"chosen":             {"iso-8859-1", "iso-8859-5", "М"},
	} {
		w := newWorld(t)
		body := []byte("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|T|2.5\rPID|1||\xbc\r")
		if err := w.deliver(t, hub.Event{Owner: "north", Charset: test.declared, ReadIn: test.chosen, Body: body}); err != nil || !w.finds(t, "north", test.want) {
			t.Errorf("%s: not found by %s, %v", name, test.want, err)
		}
	}
}

func TestALargeMessageIsReadFromItsClaimCheck(t *testing.T) {
	w := newWorld(t)
	body := "MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|T|2.5\rPID|1||4711\rNTE|1||" + strings.Repeat("x", 1<<20) + "\r"
	if err := w.deliver(t, hub.Event{Owner: "north", Body: []byte(body)}); err != nil || !w.finds(t, "north", "4711") {
		t.Errorf("not found, %v", err)
	}
}

func TestWhatCannotBeParsedIsNoFault(t *testing.T) {
	for name, body := range canary.Broken() {
		w := newWorld(t)
		if err := w.deliver(t, hub.Event{Owner: canary.Owner, Body: body}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		canary.Check(t, name, w.log.String())
	}
}

func TestAFaultOfAServiceIsAnErrorSoThatLambdaTriesAgain(t *testing.T) {
	w := newWorld(t)
	outage := errors.New("outage")
	fails := func(context.Context, string) error { return outage }
	for name, faults := range map[string]*fake.Faults{"KMS": &w.kms.Faults, "DynamoDB": &w.tables.Faults} {
		faults.Before = fails
		if err := w.deliver(t, hub.Event{Owner: "north", Body: canary.Message()}); !errors.Is(err, outage) {
			t.Errorf("%s: %v", name, err)
		}
		faults.Before = nil
	}
	if err := w.deliver(t, hub.Event{Owner: "north", Body: canary.Message()}); err != nil || !w.finds(t, "north", "Zeisig-mrn") {
		t.Errorf("after the outage: %v", err)
	}
}

func TestWhatIsLeftOutOfAMessageIsCounted(t *testing.T) {
	w := newWorld(t)
	var body strings.Builder
	body.WriteString("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|T|2.5\rPID|1||")
	for n := range finder.MaxHashes + 10 {
		fmt.Fprintf(&body, "%d~", n)
	}
	if err := w.deliver(t, hub.Event{Owner: "north", Body: []byte(body.String())}); err != nil {
		t.Fatal(err)
	}
	if log := w.log.String(); strings.Count(log, `"NotIndexed":1`) != 1 || !strings.Contains(log, `"left":11`) || !strings.Contains(log, root.String()) {
		t.Errorf("the log: %s", log)
	}
}
