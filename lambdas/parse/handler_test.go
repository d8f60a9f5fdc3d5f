package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

// root is a UUIDv7 of 2026-11-22T20:32:42.448Z.
var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

const rawHash = "73cf7409d725509f9795ca6bcbb9a52d9ed8be2b31aa0d0319f00bbe335226c3"

// prepared returns the event that the state before passes on.
func prepared(body string) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: canary.Owner, Type: "ADT^A01", Raw: rawHash, Body: []byte(body),
	}
}

// state is parse in front of fakes, as the workflow runs it.
type state struct {
	topic   fake.Topic
	buckets fake.Buckets
	log     bytes.Buffer
}

func (s *state) checks() hub.ClaimCheck { return hub.ClaimCheck{Bucket: "checks", Objects: &s.buckets} }

func (s *state) parse(t *testing.T, e hub.Event) (staged, error) {
	t.Helper()
	in, err := s.checks().Pack(t.Context(), e, "prepare")
	if err != nil {
		t.Fatal(err)
	}
	logger := telemetry.NewLogger(&s.log)
	h := handler{
		claimCheck: s.checks(),
		hub:        hub.Topic{ARN: "hub", Publisher: audit.Publisher{Publisher: &s.topic, Logger: logger}, ClaimCheck: s.checks()},
		lakeBucket: "lake",
	}
	return function.Edge(logger, h.parse, reflect.TypeFor[*ParseError]())(t.Context(), in)
}

// event returns the last event that parse published.
func (s *state) event(t *testing.T) hub.Event {
	t.Helper()
	records := s.topic.Deliveries().Records
	if len(records) == 0 {
		t.Fatal("nothing was published")
	}
	e, err := s.checks().Open(t.Context(), hub.FromSNS(records[len(records)-1].SNS))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAMessageBecomesOneLineOfJSON(t *testing.T) {
	var s state
	result, err := s.parse(t, prepared("MSH|^~\\&|EPIC|ST|LAKE|<>|20260102030405+0100||ADT^A01^ADT_A01|C1|P|2.5.1\r"+
		"PID|1||123^^^USSSA&2.16.840&ISO~\"\"||O\\T\\Neill^Ann\rZZZ|x\r"))
	if err != nil {
		t.Fatal(err)
	}
	parent := prepared("")
	want := hub.Derive(parent, staginger7.Connector(), hub.Staged, hub.JSON)
	want.Body = []byte(`{"id":"` + want.ID.String() + `","root":"` + root.String() + `","source":"vogelsang","received":"2026-11-22T20:32:42.448Z",` +
		`"sha256":"` + rawHash + `","raw":{"bucket":"lake","key":"ingestion/protocol=hl7v2/source=vogelsang/date=2026-11-22/` + root.String() + `.er7"},` +
		`"parser":"` + strconv.Itoa(staginger7.Version) + `","message":{"type":"ADT^A01","event":"A01","structure":"ADT_A01","version":"2.5.1","control_id":"C1",` +
		`"sending":{"app":"EPIC","facility":"ST"},"receiving":{"app":"LAKE","facility":"<>"},"sent_at":"2026-01-02T03:04:05+01:00","charset":{"used":"utf-8"}},` +
		`"segments":[{"seq":1,"id":"MSH","fields":{"1":[{"1":"|"}],"2":[{"1":"^~\\&"}],"3":[{"1":"EPIC"}],"4":[{"1":"ST"}],"5":[{"1":"LAKE"}],"6":[{"1":"<>"}],` +
		`"7":[{"1":"20260102030405+0100"}],"9":[{"1":"ADT","2":"A01","3":"ADT_A01"}],"10":[{"1":"C1"}],"11":[{"1":"P"}],"12":[{"1":"2.5.1"}]}},` +
		`{"seq":2,"id":"PID","fields":{"1":[{"1":"1"}],"3":[{"1":"123","4":"USSSA","4.2":"2.16.840","4.3":"ISO"},{"1":"\"\""}],"5":[{"1":"O&Neill","2":"Ann"}]}},` +
		`{"seq":3,"id":"ZZZ","fields":{"1":[{"1":"x"}]}}]}` + "\n")
	got := s.event(t)
	if diff := cmp.Diff(string(want.Body), string(got.Body)); diff != "" {
		t.Error(diff)
	}
	want.Body, got.Body = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if result.ID != want.ID {
		t.Errorf("returned %s", result.ID)
	}
}

// TestATidyMessageGivesTheSameEventWhetherItPassedPrepareOrNot is about messages to which
// prepare only adds a hash.
func TestATidyMessageGivesTheSameEventWhetherItPassedPrepareOrNot(t *testing.T) {
	for name, body := range map[string]string{
		"UTF-8":   "MSH|^~\\&|A|B|||||ACK|1\rNTE|1||one\ntwo\r",
		"Latin 1": "MSH|^~\\&|M\xfcller|B|||||ACK|1|P|2.5|||||8859/1\r",
	} {
		direct := prepared(body)
		direct.Raw = ""
		sum := sha256.Sum256(direct.Body)
		through := prepared(string(hl7.Normalize(nil, direct.Body)))
		through.Raw = hex.EncodeToString(sum[:])
		var events []hub.Event
		for _, e := range []hub.Event{direct, through} {
			var s state
			if _, err := s.parse(t, e); err != nil {
				t.Fatal(err)
			}
			events = append(events, s.event(t))
		}
		if diff := cmp.Diff(events[1], events[0]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheSameMessageGivesTheSameEvent(t *testing.T) {
	var s state
	var events []hub.Event
	for range 2 {
		if _, err := s.parse(t, prepared("MSH|^~\\&|A|B|||||ACK|1\r")); err != nil {
			t.Fatal(err)
		}
		events = append(events, s.event(t))
	}
	if diff := cmp.Diff(events[0], events[1]); diff != "" {
		t.Error(diff)
	}
}

func TestAMessageInAnotherCharsetIsUTF8InJSON(t *testing.T) {
	var s state
	if _, err := s.parse(t, prepared("MSH|^~\\&|||||||ADT^A01|1|P|2.5||||||8859/1\rPID|||||M\xfcller\r")); err != nil {
		t.Fatal(err)
	}
	got := string(s.event(t).Body)
	if !strings.Contains(got, "Müller") || !strings.Contains(got, `"charset":{"declared":"8859/1","used":"iso-8859-1"}`) {
		t.Errorf("got %s", got)
	}
}

func TestACharsetThatOnlyTheSenderDeclaredIsRead(t *testing.T) {
	var s state
	e := prepared("MSH|^~\\&|A|B|||||ACK|1\rPID|1||1||\xa3ukasz\r") // Ł in ISO 8859-2, £ in Windows-1252
	e.Charset = "iso-8859-2"
	if _, err := s.parse(t, e); err != nil {
		t.Fatal(err)
	}
	if got := string(s.event(t).Body); !strings.Contains(got, "Łukasz") {
		t.Errorf("the JSON is %s", got)
	}
}

func TestAMessageThatIsNotHL7FailsWithItsPlace(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"a text", "Hello there", "code=no-header segment=1 offset=0"},
		{"delimiters", "MSH|abc|D", "code=bad-delimiters segment=1 path=MSH-2 offset=4"},
		{"two messages", "MSH|^~\\&|A\rMSH|^~\\&|B\r", "code=batch segment=2 path=MSH offset=11"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var s state
			_, err := s.parse(t, prepared(test.body))
			if reflect.TypeOf(err) != reflect.TypeFor[*ParseError]() {
				t.Fatalf("Lambda would report %T, and the workflow would not catch it", err)
			}
			reason, ok := hub.ParseReason(err.Error())
			if !ok || err.Error() != test.want {
				t.Errorf("got %q (%+v), want %q", err, reason, test.want)
			}
			if n := len(s.topic.Published()); n != 0 {
				t.Errorf("%d events", n)
			}
		})
	}
}

func TestAPublishThatFailsIsNotTheMessagesFault(t *testing.T) {
	s := state{}
	s.topic.Before = func(context.Context, string) error { return errors.New("outage") }
	_, err := s.parse(t, prepared("MSH|^~\\&|A\r"))
	if reflect.TypeOf(err) != reflect.TypeFor[*function.Fault]() {
		t.Errorf("Lambda would report %T", err)
	}
}

func TestJSONOverTheLimitIsCheckedIn(t *testing.T) {
	var s state
	body := "MSH|^~\\&|A\r" + strings.Repeat("OBX|1|TX|a^b^c||some text\r", 5_000)
	if _, err := s.parse(t, prepared(body)); err != nil {
		t.Fatal(err)
	}
	got := s.event(t)
	if len(got.Body) < hub.MaxInline || !json.Valid(got.Body) || bytes.Count(got.Body, []byte("\n")) != 1 {
		t.Errorf("%d bytes of JSON", len(got.Body))
	}
	if _, ok := s.buckets.Object("checks/" + root.String() + "/" + got.ID.String()); !ok {
		t.Errorf("the claim-check bucket has %v", s.buckets.Names())
	}
}

func TestNoPatientDataLeavesBesideTheJSON(t *testing.T) {
	inputs := canary.Broken()
	inputs["a message"] = canary.Message()
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			var s state
			_, err := s.parse(t, prepared(string(input)))
			canary.Check(t, "an error", fmt.Sprint(err))
			canary.Check(t, "the log", s.log.String())
			canary.Check(t, "a key", s.buckets.Names())
			for _, in := range s.topic.Published() {
				canary.Check(t, "an attribute or subject", []any{in.MessageAttributes, in.Subject})
			}
		})
	}
}

func TestACharsetThatAnOperatorDecidedOnGoesBeforeTheDeclaredOne(t *testing.T) {
	var s state
	e := prepared("MSH|^~\\&|||||||ADT^A01|1|P|2.5||||||8859/1\rPID|||||\x8aula\r")
	e.ReadIn = "windows-1250"
	if _, err := s.parse(t, e); err != nil {
		t.Fatal(err)
	}
	got := s.event(t)
	if want := `"charset":{"declared":"8859/1","used":"windows-1250"}`; !strings.Contains(string(got.Body), want) || !strings.Contains(string(got.Body), "Šula") {
		t.Errorf("got %s", got.Body)
	}
	if got.ReadIn != e.ReadIn || got.ID == hub.Derive(prepared(""), staginger7.Connector(), hub.Staged, hub.JSON).ID {
		t.Errorf("read in %q, id %s", got.ReadIn, got.ID)
	}
	e.ReadIn = "klingon"
	var refused *ParseError
	if _, err := s.parse(t, e); !errors.As(err, &refused) || refused.Reason.Code != "charset" {
		t.Errorf("an unknown one: %v", err)
	}
}
