package main

import (
	"slices"
	"testing"
	"time"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/tables"
)

// name returns the family name in the only row of patients.
func (w world) name() (name string) {
	w.t.Helper()
	rows := 0
	w.rows("patients", func(_ string, r *tables.Reader, row []any) {
		name, _ = row[slices.Index(r.Columns, "family_name")].(string)
		rows++
	})
	if rows != 1 {
		w.t.Errorf("%d rows of patients", rows)
	}
	return name
}

// sentAs is a message of which the sender declared the character set beside it: its name
// is М in ISO 8859-5, and ¼ in ISO 8859-1.
func sentAs(charset string) hub.Event {
	root := id(noon, 0)
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "north", Type: "ADT^A01", Charset: charset,
		Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|1||1||\xbc\r"),
	}
}

// stagedIn is the JSON of a message that an operator had read in a character set.
func stagedIn(sent hub.Event, charset string) hub.Event {
	sent.ReadIn = charset
	staged := hub.Derive(sent, hub.Connector{Name: contract.ConnectorER7, Version: 2}, hub.Staged, hub.KindOf(contract.ProtocolHL7v2, "json"))
	staged.Body = []byte("{}")
	return staged
}

func TestAMessageIsReadInTheCharacterSetOfItsJSON(t *testing.T) {
	w := newWorld(t)
	sent := sentAs("iso-8859-1")
	w.enter(w.put(sent))
	now := noon.Add(30 * time.Hour)
	w.run(now, request{})
	if got := w.name(); got != "¼" {
		t.Errorf("as it was declared beside the message, the name is %q", got)
	}
	w.enter(w.put(stagedIn(sent, "iso-8859-5")))
	w.run(now, request{Late: true})
	if got := w.name(); got != "М" {
		t.Errorf("staged again in another character set, the name is %q", got)
	}
	w.run(now, request{From: noon.Add(-time.Hour), To: now})
	if got := w.name(); got != "М" {
		t.Errorf("rebuilt, the name is %q", got)
	}
	if done := w.run(now, request{Late: true}); done.Hours != 0 {
		t.Errorf("nothing new, and tables were made: %+v", done)
	}
}

// TestTablesAreMadeAgainUntilTheCatalogKnowsAllObjects: the writer makes an entry after
// its object, and may be interrupted in between.
func TestTablesAreMadeAgainUntilTheCatalogKnowsAllObjects(t *testing.T) {
	w := newWorld(t)
	now := noon.Add(30 * time.Hour)
	sent := sentAs("iso-8859-1")
	again := stagedIn(sent, "iso-8859-5")
	for _, step := range []struct {
		name  string
		event hub.Event
		want  string
	}{{"the message", sent, "¼"}, {"its JSON", again, "М"}} {
		entry := w.put(step.event)
		for range 2 {
			if done := w.run(now, request{Late: true}); done.Hours != 1 {
				t.Errorf("%s is not in the catalog: %+v", step.name, done)
			}
		}
		w.enter(entry)
		if done := w.run(now, request{Late: true}); done.Hours != 1 || w.name() != step.want {
			t.Errorf("%s is in the catalog: %+v, the name is %q", step.name, done, w.name())
		}
		if done := w.run(now, request{Late: true}); done.Hours != 0 {
			t.Errorf("%s has been in the catalog: %+v", step.name, done)
		}
	}
}

func TestAMessageThatSaysTheSameInEveryCharacterSetIsNotLookedUp(t *testing.T) {
	w := newWorld(t)
	w.put(hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: id(noon, 0), Root: id(noon, 0), Owner: "north", Type: "ADT^A01", Charset: "iso-8859-1",
		Body: []byte("MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5\rPID|1||1||Muster\r"),
	})
	now := noon.Add(30 * time.Hour)
	if done := w.run(now, request{}); done.Hours != 1 || w.name() != "Muster" {
		t.Errorf("%+v", done)
	}
	if done := w.run(now, request{Late: true}); done.Hours != 0 { // though it is not in the catalog
		t.Errorf("nothing new, and tables were made: %+v", done)
	}
}
