package replay_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
	"hl7lake/internal/replay"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
)

var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

var staging = hub.Connector{Name: "staging-er7", Version: 2}

func ingested(body []byte) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: canary.Owner, Type: "ADT^A01", Charset: "iso-8859-1", Body: body,
	}
}

// route is the route out of a lake with one object, and the entry of it.
func route(t *testing.T, e hub.Event) (replay.Route, catalog.Entry, *fake.Topic) {
	t.Helper()
	buckets, topic := &fake.Buckets{}, &fake.Topic{}
	entry := fake.Store(t, buckets, e, hub.Received(root))
	checks := hub.ClaimCheck{Bucket: "checks", Objects: buckets}
	return replay.Route{Bucket: fake.Lake, Objects: buckets, Hub: hub.Topic{ARN: "hub", Publisher: topic, ClaimCheck: checks}}, entry, topic
}

func TestAReplayIsTheEventThatTheMessageWas(t *testing.T) {
	for name, body := range map[string][]byte{
		"small": canary.Message(), "large": bytes.Repeat([]byte("text "), 80_000), "not UTF-8": []byte("\xff\x00\x0b"),
	} {
		want := ingested(body)
		failed := hub.Derive(want, staging, hub.Error, hub.ER7)
		failed.Body = body
		for _, filed := range []hub.Event{want, failed} {
			route, entry, topic := route(t, filed)
			if err := route.Publish(t.Context(), entry, ""); err != nil {
				t.Fatalf("%s, from %s: %v", name, entry.Zone, err)
			}
			got, err := route.Hub.ClaimCheck.Open(t.Context(), hub.FromSNS(topic.Deliveries().Records[0].SNS))
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s, from %s: %v %s", name, entry.Zone, err, diff)
			}
		}
	}
}

func TestWhatIsNotWhatWasCataloguedIsNotPublished(t *testing.T) {
	route, entry, topic := route(t, ingested(canary.Message()))
	for name, change := range map[string]func(*catalog.Entry){
		"another digest":  func(e *catalog.Entry) { e.SHA256 = hex.EncodeToString(make([]byte, 32)) },
		"another version": func(e *catalog.Entry) { e.VersionID = "v9" },
		"no root":         func(e *catalog.Entry) { e.Root = "root" },
		"no owner":        func(e *catalog.Entry) { e.Owner = "" },
	} {
		changed := entry
		change(&changed)
		err := route.Publish(t.Context(), changed, "")
		if err == nil || (name == "another digest") != errors.Is(err, object.ErrDiffers) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		canary.Check(t, name, err.Error())
	}
	if n := len(topic.Published()); n != 0 {
		t.Errorf("%d events were published", n)
	}
}
