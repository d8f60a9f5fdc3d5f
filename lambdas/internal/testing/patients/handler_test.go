package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
)

var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

const front = "MSH|^~\\&|A|B|C|D|20260102||ADT^A01|1|T|2.5.1\r"

// publish hands the handler a message and returns what it publishes.
func publish(t *testing.T, message string, charset string) hub.Event {
	t.Helper()
	in, out := &fake.Topic{}, &fake.Topic{}
	checks := hub.ClaimCheck{Bucket: "checks", Objects: &fake.Buckets{}}
	event := hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "ADT^A01", Charset: charset, Body: []byte(message),
	}
	if err := (hub.Topic{ARN: "hub", Publisher: in, ClaimCheck: checks}).Publish(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	h := handler{hub.Topic{ARN: "hub", Publisher: out, ClaimCheck: checks}}
	if _, err := h.handle(t.Context(), in.Deliveries()); err != nil {
		t.Fatal(err)
	}
	published, err := checks.Open(t.Context(), hub.FromSNS(out.Deliveries().Records[0].SNS))
	if err != nil {
		t.Fatal(err)
	}
	return published
}

func TestAPatientIsMadeOfPID(t *testing.T) {
	for name, test := range map[string]struct{ pid, charset, want string }{
		"full": {
			"PID|1||4711^^^GENERAL~0815||Sample^Sue^Ann||19800102|F", "",
			`{"resourceType":"Patient","identifier":[{"value":"4711","assigner":{"display":"GENERAL"}},{"value":"0815"}],` +
				`"name":[{"family":"Sample","given":["Sue","Ann"]}],"gender":"female","birthDate":"1980-01-02"}`,
		},
		"nothing said":             {"PID|1", "", `{"resourceType":"Patient"}`},
		"no PID":                   {"EVN|A01", "", `{"resourceType":"Patient"}`},
		"deleted values":           {`PID|1||""||""^""|||""`, "", `{"resourceType":"Patient"}`},
		"a birth date of one year": {"PID|1||||||1980", "", `{"resourceType":"Patient"}`},
		"another character set":    {"PID|1||||M\xfcller", "iso-8859-1", `{"resourceType":"Patient","name":[{"family":"Müller"}]}`},
	} {
		got := publish(t, front+test.pid+"\r", test.charset)
		if diff := cmp.Diff(test.want, string(got.Body)); diff != "" || got.Name != hub.Staged || got.Kind != patientJSON || got.Connector != connector() {
			t.Errorf("%s: %s by %s: %s", name, got.Kind, got.Connector, diff)
		}
	}
}

func TestWhatCannotBeReadIsAnErrorWithItsPlace(t *testing.T) {
	got := publish(t, "Hello", "")
	want := hub.Reason{Code: "no-header", Segment: 1}
	if diff := cmp.Diff(want, got.Reason); diff != "" || got.Name != hub.Error || got.Kind != hub.ER7 || string(got.Body) != "Hello" {
		t.Errorf("%s of %s: %s", got.Name, got.Kind, diff)
	}
}

func TestAMessageHandledTwiceHasOneResult(t *testing.T) {
	if one, two := publish(t, front, ""), publish(t, front, ""); one.ID != two.ID {
		t.Errorf("%s and %s", one.ID, two.ID)
	}
}
