package catalog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

var (
	root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8") // 2026-11-22T20:32:42.448Z
	now  = time.Date(2026, 11, 23, 1, 2, 3, 4_999_999, time.FixedZone("", 3600))
)

func TestAnErrorsEntryTellsWhereAndWhy(t *testing.T) {
	parent := hub.Event{Name: hub.Ingested, Format: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "unknown"}
	refused := hub.Derive(parent, hub.Error, hub.TXT)
	refused.Reason = hub.Reason{Code: "no-header", Segment: 1}
	id := refused.ID.String()
	want := catalog.Entry{
		Root: root.String(), Sort: "error#" + id, Zone: catalog.Failed, ID: id, Parent: root.String(),
		Owner: "st-elsewhere", Received: "2026-11-22T20:32:42.448Z", Written: "2026-11-23T00:02:03.004Z",
		Type: "unknown", Parser: hub.ParserVersion, Bucket: "lake",
		Key:        "error/protocol=hl7v2/source=st-elsewhere/date=2026-11-22/" + id + ".txt",
		ReasonCode: "no-header", ReasonSegment: 1, ReasonOffset: new(0),
	}
	if diff := cmp.Diff(want, catalog.NewEntry(refused, "lake", now)); diff != "" {
		t.Error(diff)
	}
}

func TestEachEventHasItsZone(t *testing.T) {
	for name, want := range map[hub.Name]catalog.Zone{hub.Ingested: "ingestion", hub.Staged: "staging", hub.Error: "error"} {
		if got := catalog.ZoneOf(name); got != want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestTheFirstKeyOfATimeStandsBetweenWhatCameBeforeAndAfter(t *testing.T) {
	at := hub.Received(root)
	key := catalog.ObjectKey(catalog.Ingestion, "st-elsewhere", root, root, hub.ER7)
	for _, from := range []time.Time{at, at.Add(-time.Millisecond), at.Add(-24 * time.Hour), at.In(time.FixedZone("", -9*3600))} {
		if first := catalog.FirstKey(catalog.Ingestion, "st-elsewhere", from); first >= key {
			t.Errorf("from %s: %s is not before %s", from, first, key)
		}
	}
	for _, from := range []time.Time{at.Add(time.Millisecond), at.Add(24 * time.Hour)} {
		if first := catalog.FirstKey(catalog.Ingestion, "st-elsewhere", from); first <= key {
			t.Errorf("from %s: %s is not after %s", from, first, key)
		}
	}
}
