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

var (
	message = hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "unknown"}
	staging = hub.Connector{Name: "staging-er7", Version: 2}
)

func TestAnErrorsEntryTellsWhereAndWhy(t *testing.T) {
	refused := hub.Derive(message, staging, hub.Error, message.Kind)
	refused.Reason = hub.Reason{Code: "no-header", Segment: 1}
	id := refused.ID.String()
	want := catalog.Entry{
		Root: root.String(), Sort: "error#" + id, Zone: catalog.Failed, ID: id, Parent: root.String(),
		Owner: "st-elsewhere", Received: "2026-11-22T20:32:42.448Z", Written: "2026-11-23T00:02:03.004Z",
		Type: "unknown", Connector: "staging-er7", Version: 2, Bucket: "lake",
		Key:        "error/protocol=hl7v2/source=st-elsewhere/date=2026-11-22/" + id + ".er7",
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
	key := catalog.KeyOf(message).String()
	for _, from := range []time.Time{at, at.Add(-time.Millisecond), at.Add(-24 * time.Hour), at.In(time.FixedZone("", -9*3600))} {
		if first := catalog.FirstKey(catalog.Ingestion, "hl7v2", "st-elsewhere", from); first >= key {
			t.Errorf("from %s: %s is not before %s", from, first, key)
		}
	}
	for _, from := range []time.Time{at.Add(time.Millisecond), at.Add(24 * time.Hour)} {
		if first := catalog.FirstKey(catalog.Ingestion, "hl7v2", "st-elsewhere", from); first <= key {
			t.Errorf("from %s: %s is not after %s", from, first, key)
		}
	}
}

func TestTheMessageItselfIsPreferredToItsError(t *testing.T) {
	sent, failed, json := catalog.Entry{Zone: catalog.Ingestion}, catalog.Entry{Zone: catalog.Failed}, catalog.Entry{Zone: catalog.Staging}
	ofJSON := catalog.Entry{Zone: catalog.Failed, Parent: "the JSON's"}
	for _, test := range []struct {
		entries []catalog.Entry
		want    catalog.Zone
		ok      bool
	}{
		{[]catalog.Entry{failed, sent, json}, catalog.Ingestion, true},
		{[]catalog.Entry{sent, failed}, catalog.Ingestion, true},
		{[]catalog.Entry{json, failed}, catalog.Failed, true},
		{[]catalog.Entry{json}, "", false},
		{[]catalog.Entry{json, ofJSON}, "", false}, // its body is not the message
		{nil, "", false},
	} {
		if got, ok := catalog.Raw(test.entries); got.Zone != test.want || ok != test.ok {
			t.Errorf("%v: got %q, %t", test.entries, got.Zone, ok)
		}
	}
}

func TestAKeyIsReadAsItIsWritten(t *testing.T) {
	for _, e := range []hub.Event{
		message, hub.Derive(message, staging, hub.Staged, hub.JSON), hub.Derive(message, staging, hub.Error, "x12/edi"),
		hub.Derive(message, staging, hub.Staged, "a.b-c/d.e-f"),
	} {
		key, ok := catalog.ParseKey(catalog.KeyOf(e).String())
		if diff := cmp.Diff(catalog.KeyOf(e), key); diff != "" || !ok {
			t.Errorf("%t %s", ok, diff)
		}
	}
	for _, other := range []string{
		"", "a/b/c/d/e", "ingestion/protocol=hl7v2/source=a/date=2026-11-22/x.er7", "ingestion/protocol=HL7/source=a/date=2026-11-22/" + root.String() + ".er7",
		"ingestion/protocol=hl7v2/source=a/date=2026-11-22/more/" + root.String() + ".er7", "ingestion/hl7v2/source=a/date=2026-11-22/" + root.String() + ".er7",
	} {
		if key, ok := catalog.ParseKey(other); ok {
			t.Errorf("%q is %+v", other, key)
		}
	}
}

// TestAnEntryOfBeforeConnectorsHadNamesIsStagingER7s is about catalogs from before
// decision 11.
func TestAnEntryOfBeforeConnectorsHadNamesIsStagingER7s(t *testing.T) {
	const folder = "/protocol=hl7v2/source=st-elsewhere/date=2026-11-22/"
	sent := catalog.Entry{Zone: catalog.Ingestion, Root: root.String(), Key: "ingestion" + folder + root.String() + ".er7"}
	json := catalog.Entry{Zone: catalog.Staging, Parser: "1", Key: "staging" + folder + root.String() + ".json"}
	failed := catalog.Entry{Zone: catalog.Failed, Root: root.String(), Parent: root.String(), Parser: "2", Key: "error" + folder + root.String() + ".txt"}
	for _, test := range []struct {
		entry catalog.Entry
		kind  hub.Kind
		by    hub.Connector
	}{
		{sent, hub.ER7, hub.Connector{}},
		{json, hub.JSON, hub.Connector{Name: "staging-er7", Version: 1}},
		{failed, hub.ER7, hub.Connector{Name: "staging-er7", Version: 2}},
	} {
		if test.entry.Kind() != test.kind || test.entry.By() != test.by {
			t.Errorf("%s: %s by %s", test.entry.Key, test.entry.Kind(), test.entry.By())
		}
	}
	if !catalog.Ended([]catalog.Entry{sent, json}) || !catalog.Ended([]catalog.Entry{failed, sent}) || catalog.Ended([]catalog.Entry{sent}) {
		t.Error("its end is another")
	}
	newer := catalog.Entry{Zone: catalog.Staging, Connector: "staging-er7", Version: 2}
	if got, _ := catalog.Result([]catalog.Entry{newer, json}, "staging-er7", catalog.Staging); got != newer {
		t.Errorf("the newest is %+v", got)
	}
}
