package hub_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
)

// root is a UUIDv7 of 2026-11-22T20:32:42.448Z.
var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

// staging is a connector.
var staging = hub.Connector{Name: "staging-er7", Version: 2}

func ingested(body []byte) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: "st-elsewhere", Type: "ADT^A01", Charset: "iso-8859-1", Body: body,
	}
}

func newTopic() (hub.Topic, *fake.Topic, *fake.Buckets) {
	topic, buckets := &fake.Topic{}, &fake.Buckets{}
	return hub.Topic{ARN: "arn", Publisher: topic, ClaimCheck: hub.ClaimCheck{Bucket: "checks", Objects: buckets}}, topic, buckets
}

// deliver publishes e and opens what arrives.
func deliver(t interface {
	Context() context.Context
	Fatal(...any)
}, e hub.Event) hub.Event {
	topic, sns, _ := newTopic()
	if err := topic.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := topic.ClaimCheck.Open(t.Context(), hub.FromSNS(sns.Deliveries().Records[0].SNS))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnyBodyArrivesByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := ingested(rapid.SliceOfN(rapid.Byte(), 1, 400).Draw(t, "body"))
		if diff := cmp.Diff(e, deliver(t, e)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestBodiesArriveByteForByte(t *testing.T) {
	for name, body := range map[string]string{
		"carriage returns":     "MSH|^~\\&|\rPID|1\r",
		"MLLP framing":         "\x0bMSH|^~\\&|\r\x1c\r",
		"byte order mark":      "\ufeffMSH|^~\\&|\r",
		"not UTF-8":            "MSH|^~\\&|M\xfcller\r",
		"a NUL":                "MSH|^~\\&|\x00\r",
		"a noncharacter":       "MSH|\uffff",
		"line separators":      "MSH|\u2028\u2029\u0085",
		"one space":            " ",
		"JSON like a check":    `{"bucket":"checks","key":"another","size":1,"sha256":"00"}`,
		"JSON like a wire":     `{"attributes":{"encoding":"claim-check"},"body":""}`,
		"over the limit":       strings.Repeat("0123456789abcdef", 20_000),
		"grows over the limit": strings.Repeat(`"`, hub.MaxInline-10_000),
		"binary, over":         strings.Repeat("\x00\xff", hub.MaxInline/2-10_000),
	} {
		t.Run(name, func(t *testing.T) {
			e := ingested([]byte(body))
			got := deliver(t, e)
			if !bytes.Equal(got.Body, e.Body) {
				t.Errorf("%d bytes arrived, of %d", len(got.Body), len(e.Body))
			}
			got.Body, e.Body = nil, nil
			if diff := cmp.Diff(e, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABodyIsCheckedInFromTheLimitOn(t *testing.T) {
	empty, err := (hub.ClaimCheck{}).Pack(t.Context(), ingested(nil), "id")
	if err != nil {
		t.Fatal(err)
	}
	around, err := empty.JSON()
	if err != nil {
		t.Fatal(err)
	}
	room := hub.MaxInline - len(around)
	for _, test := range []struct{ size, objects int }{{room - 1, 0}, {room, 0}, {room + 1, 1}} {
		topic, _, buckets := newTopic()
		if err := topic.Publish(t.Context(), ingested(bytes.Repeat([]byte("x"), test.size))); err != nil {
			t.Fatal(err)
		}
		if got := len(buckets.Names()); got != test.objects {
			t.Errorf("a body of %d bytes: %d objects in the claim-check bucket, want %d", test.size, got, test.objects)
		}
	}
}

func TestAClaimCheckThatIsNotOursIsRefused(t *testing.T) {
	topic, _, _ := newTopic()
	wire, err := topic.ClaimCheck.Pack(t.Context(), ingested(bytes.Repeat([]byte("x"), 300_000)), "id")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]struct {
		old, new string
		want     error
	}{
		"another bucket":  {`"bucket":"checks"`, `"bucket":"lake"`, hub.ErrReference},
		"another size":    {`"size":300000`, `"size":299999`, hub.ErrContent},
		"a negative size": {`"size":300000`, `"size":-1`, hub.ErrReference},
		"no size":         {`"size":300000`, `"size":0`, hub.ErrReference},
		"another hash":    {`"sha256":"`, `"sha256":"0`, hub.ErrContent},
		"a long hash":     {`"sha256":"`, `"sha256":"00`, hub.ErrContent},
		"no JSON":         {`{`, ``, hub.ErrReference},
	} {
		forged := wire
		forged.Body = strings.Replace(wire.Body, change.old, change.new, 1)
		if _, err := topic.ClaimCheck.Open(t.Context(), forged); !errors.Is(err, change.want) {
			t.Errorf("%s: got %v, want %v", name, err, change.want)
		}
		if err := topic.ClaimCheck.Renew(t.Context(), forged, time.Now().Add(time.Hour)); !errors.Is(err, change.want) {
			t.Errorf("%s, renewed: got %v, want %v", name, err, change.want)
		}
	}
}

func TestADerivedEventRepeatsItsID(t *testing.T) {
	parent := ingested([]byte("MSH"))
	staged := hub.Derive(parent, staging, hub.Staged, hub.JSON)
	refused := hub.Derive(parent, staging, hub.Error, hub.ER7)
	// The ids are part of the lake's keys. If they change, everything is staged again
	// beside what exists.
	if want := "01a204f6-07d0-86d7-a50e-0206f1bec182"; staged.ID.String() != want {
		t.Errorf("staged: got %s, want %s", staged.ID, want)
	}
	if want := "01a204f6-07d0-85db-9186-beaa426400fb"; refused.ID.String() != want {
		t.Errorf("error: got %s, want %s", refused.ID, want)
	}
}

func TestNoTwoConnectorsMakeOneID(t *testing.T) {
	parent := ingested(nil)
	reread := parent
	reread.ReadIn = "utf-8"
	ids := map[uuid.UUID]string{}
	for name, e := range map[string]hub.Event{
		"itself":            hub.Derive(parent, staging, hub.Staged, hub.JSON),
		"another connector": hub.Derive(parent, hub.Connector{Name: "patients", Version: 2}, hub.Staged, hub.JSON),
		"another version":   hub.Derive(parent, hub.Connector{Name: "staging-er7", Version: 3}, hub.Staged, hub.JSON),
		"another event":     hub.Derive(parent, staging, hub.Error, hub.JSON),
		"another format":    hub.Derive(parent, staging, hub.Staged, "hl7v2/xml"),
		"another protocol":  hub.Derive(parent, staging, hub.Staged, "fhir-r4/json"),
		"another parent":    hub.Derive(hub.Event{ID: uuid.New()}, staging, hub.Staged, hub.JSON),
		"another charset":   hub.Derive(reread, staging, hub.Staged, hub.JSON),
	} {
		if other, there := ids[e.ID]; there {
			t.Errorf("%s has the id of %s", name, other)
		}
		ids[e.ID] = name
	}
}

// forgotten is the event that a message was forgotten.
func forgotten(parent hub.Event) hub.Event {
	e := hub.Derive(parent, hub.Connector{}, hub.Forgotten, parent.Kind)
	e.Body = []byte("wrong-patient")
	return e
}

func TestThatAMessageWasForgottenIsAnEventOfNoConnector(t *testing.T) {
	e := forgotten(ingested([]byte("MSH")))
	wire, err := (hub.ClaimCheck{}).Pack(t.Context(), e, "id")
	if err != nil {
		t.Fatal(err)
	}
	if value, there := wire.Attributes["connector"]; there {
		t.Errorf("the connector is %q", value)
	}
	got, err := (hub.ClaimCheck{}).Open(t.Context(), wire)
	if diff := cmp.Diff(e, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if again := forgotten(ingested(nil)); again.ID != e.ID || again.Parent != e.Root {
		t.Errorf("the second one is %s of %s, want %s of %s", again.ID, again.Parent, e.ID, e.Root)
	}
	e.Connector = staging
	if _, err := (hub.ClaimCheck{}).Pack(t.Context(), e, "id"); err == nil {
		t.Error("a connector may say it")
	}
}

// TestAnEventHasTenAttributesAtMost is about queues with raw delivery, for which SNS
// drops an event with more.
func TestAnEventHasTenAttributesAtMost(t *testing.T) {
	parent := ingested([]byte("MSH"))
	parent.ReadIn = "windows-1250"
	refused := hub.Derive(parent, staging, hub.Error, parent.Kind)
	refused.Reason = hub.Reason{Code: "no-header", Segment: 1, Path: "MSH-1"}
	for _, e := range []hub.Event{parent, refused, forgotten(parent), hub.Derive(parent, staging, hub.Staged, "fhir-r4/json")} {
		wire, err := (hub.ClaimCheck{}).Pack(t.Context(), e, "id")
		if err != nil || len(wire.Attributes) > 10 {
			t.Errorf("%s has %d attributes, %v", e.Name, len(wire.Attributes), err)
		}
	}
}

func TestKindsAndConnectorsAreCheckedByTheirShape(t *testing.T) {
	for _, test := range []struct {
		kind  hub.Kind
		by    hub.Connector
		wrong string
	}{
		{"hl7v2/json", staging, ""}, {"x12/edi", hub.Connector{Name: "0", Version: 999_999_999}, ""}, {"a.b-c/0", staging, ""},
		{"HL7/json", staging, "protocol"}, {"/json", staging, "protocol"}, {"a_b/json", staging, "protocol"}, {"", staging, "protocol"},
		{"hl7v2/", staging, "format"}, {"hl7v2", staging, "format"}, {"hl7v2/a/b", staging, "format"}, {"hl7v2/.json", staging, "format"},
		{hub.Kind("hl7v2/" + strings.Repeat("x", 33)), staging, "format"},
		{"hl7v2/json", hub.Connector{}, "connector"}, {"hl7v2/json", hub.Connector{Name: "a"}, "connector"},
		{"hl7v2/json", hub.Connector{Name: "a/b", Version: 1}, "connector"}, {"hl7v2/json", hub.Connector{Name: "a", Version: 1_000_000_000}, "connector"},
	} {
		_, err := (hub.ClaimCheck{}).Pack(t.Context(), hub.Derive(ingested(nil), test.by, hub.Staged, test.kind), "id")
		malformed, _ := errors.AsType[*hub.AttributeError](err)
		if test.wrong == "" && err != nil || test.wrong != "" && (malformed == nil || malformed.Name != test.wrong) {
			t.Errorf("%q by %s: got %v, want %q", test.kind, test.by, err, test.wrong)
		}
	}
}

func TestWhatIsReadInAnotherCharsetHasAnIDOfItsOwnAndSaysSo(t *testing.T) {
	parent := ingested([]byte("MSH"))
	parent.ReadIn = "windows-1250"
	arrived := deliver(t, parent)
	if arrived.ReadIn != parent.ReadIn {
		t.Errorf("read in %q", arrived.ReadIn)
	}
	plain, other := hub.Derive(ingested([]byte("MSH")), staging, hub.Staged, hub.JSON), hub.Derive(arrived, staging, hub.Staged, hub.JSON)
	if plain.ID == other.ID {
		t.Error("the ids are the same")
	}
	if again := hub.Derive(arrived, staging, hub.Staged, hub.JSON); again.ID != other.ID {
		t.Error("a redelivery has another id")
	}
	refused := hub.Derive(arrived, staging, hub.Error, hub.ER7)
	refused.Body = []byte("MSH")
	refused.Reason = hub.Reason{Code: "no-header", Segment: 1}
	if got := deliver(t, refused); got.ReadIn != parent.ReadIn || got.Reason != refused.Reason || got.Connector != staging {
		t.Errorf("the error arrives as %+v", got)
	}
}

func TestADerivedEventArrivesWithItsReason(t *testing.T) {
	refused := hub.Derive(ingested(nil), staging, hub.Error, hub.ER7)
	refused.Reason = hub.Reason{Code: "truncated-header", Segment: 1, Path: "MSH-2", Offset: 4}
	refused.Body = []byte("MSH|")
	if diff := cmp.Diff(refused, deliver(t, refused)); diff != "" {
		t.Error(diff)
	}
}

func TestASubjectIsShortWhateverTheReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refused := hub.Derive(ingested(nil), staging, hub.Error, hub.ER7)
		refused.Body = []byte("x")
		refused.Reason = hub.Reason{
			Code:    rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z-]{1,40}`)).Draw(t, "code"),
			Segment: rapid.IntRange(-1, 1<<31-1).Draw(t, "segment"),
			Path:    rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z]{3}\[\d{5}\]-\d{4}\[\d{5}\]\.\d{3}\.\d{3}`)).Draw(t, "path"),
			Offset:  rapid.IntRange(0, 1<<31-1).Draw(t, "offset"),
		}
		refused.Charset = rapid.StringMatching(`[A-Za-z][A-Za-z0-9._:()+-]{0,31}`).Draw(t, "charset")
		refused.ReadIn = rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[a-z][a-z0-9-]{0,19}`)).Draw(t, "read in")
		got := deliver(t, refused) // the topic refuses a subject of 100 bytes
		if got.Charset != refused.Charset || got.ReadIn != refused.ReadIn {
			t.Fatalf("got %q and %q, want %q and %q", got.Charset, got.ReadIn, refused.Charset, refused.ReadIn)
		}
		wellFormed := regexp.MustCompile(`^[a-z][a-z0-9-]{0,23}$`).MatchString(refused.Reason.Code)
		if wellFormed && got.Reason.Code != refused.Reason.Code {
			t.Fatalf("got %+v, want %+v", got.Reason, refused.Reason)
		}
	})
}

func TestOfAReasonTooLongForASubjectThePathIsLeftOut(t *testing.T) {
	refused := hub.Derive(ingested(nil), staging, hub.Error, hub.ER7)
	refused.Body = []byte("x")
	refused.Reason = hub.Reason{Code: "abcdefghijklmnopqrstuvwx", Segment: 1<<31 - 1, Path: "OBX[99999]-9999[99999].999.999", Offset: 1<<31 - 1}
	want := refused
	want.Reason.Path = ""
	if diff := cmp.Diff(want, deliver(t, refused)); diff != "" {
		t.Error(diff)
	}
}

func TestThePathOfAReasonIsKeptWhereTheSubjectHasRoom(t *testing.T) {
	const longest = 99 // bytes (Amazon SNS, Publish)
	kept := map[bool]int{}
	for length := 1; length <= 32; length++ {
		refused := hub.Derive(ingested(nil), staging, hub.Error, hub.ER7)
		refused.Body = []byte("x")
		refused.Charset = strings.Repeat("c", length)
		refused.Reason = hub.Reason{Code: "truncated-header", Segment: 12345, Path: "OBX[12345]-1", Offset: 12345}
		room := len("charset=")+length+len(" ")+len(refused.Reason.String()) <= longest
		want := refused
		if kept[room]++; !room {
			want.Reason.Path = ""
		}
		if diff := cmp.Diff(want, deliver(t, refused)); diff != "" { // the topic refuses a longer subject
			t.Errorf("with a charset of %d bytes: %s", length, diff)
		}
	}
	if kept[true] == 0 || kept[false] == 0 {
		t.Errorf("%v were not both tried", kept)
	}
}

func TestAReasonCarriesNoContent(t *testing.T) {
	for _, test := range []struct {
		reason hub.Reason
		want   string
	}{
		{hub.Reason{Code: "no-header", Segment: 1, Path: "MSH-2", Offset: 0}, "code=no-header segment=1 path=MSH-2 offset=0"},
		{hub.Reason{Code: "bad", Path: "PID[2]-3[1].4.2", Offset: 7}, "code=bad path=PID[2]-3[1].4.2 offset=7"},
		{hub.Reason{Code: "timeout"}, "code=timeout offset=0"},
		{hub.Reason{Code: "Doe, Jane", Path: "DOE JANE"}, "offset=0"},
		{hub.Reason{Code: "no-header", Path: "PID-5 read-in=x"}, "code=no-header offset=0"},
	} {
		if got := test.reason.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestAReasonIsReadFromItsText(t *testing.T) {
	for _, test := range []struct {
		text string
		want hub.Reason
		ok   bool
	}{
		{"code=no-header segment=1 path=MSH-2 offset=12", hub.Reason{Code: "no-header", Segment: 1, Path: "MSH-2", Offset: 12}, true},
		{"read-in=utf-8 code=timeout offset=0", hub.Reason{Code: "timeout"}, true},
		{"code=x segment=-1 offset=99999999999999999999", hub.Reason{Code: "x"}, true},
		{"segment=1", hub.Reason{Segment: 1}, false},
		{"code=<b> path=../..", hub.Reason{}, false},
		{"", hub.Reason{}, false},
	} {
		got, ok := hub.ParseReason(test.text)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%q: %v %s", test.text, ok, diff)
		}
	}
}

func TestAMalformedAttributeIsNamedAndNotRepeated(t *testing.T) {
	wire, err := (hub.ClaimCheck{}).Pack(t.Context(), hub.Derive(ingested(nil), staging, hub.Staged, hub.JSON), "id")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"event", "protocol", "format", "encoding", "source", "id", "root", "owner", "type", "connector"} {
		changed := hub.Wire{Attributes: map[string]string{}, Body: wire.Body}
		for other, value := range wire.Attributes {
			changed.Attributes[other] = value
		}
		changed.Attributes[name] = "../Doe^Jane\n"
		_, err := (hub.ClaimCheck{}).Open(t.Context(), changed)
		var malformed *hub.AttributeError
		if !errors.As(err, &malformed) || malformed.Name != name || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOwnersArePlainNames(t *testing.T) {
	for name, want := range map[string]bool{
		"st-elsewhere": true, "A.b_c-1": true, strings.Repeat("a", 64): true,
		"": false, ".hidden": false, "a/b": false, "a b": false, "a\n": false, strings.Repeat("a", 65): false, "ä": false, "a,b": false,
	} {
		if got := hub.ValidOwner(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
}

func TestAnIDTellsWhenItsMessageWasReceived(t *testing.T) {
	if got, want := hub.Received(root).Format(hub.TimeLayout), "2026-11-22T20:32:42.448Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	before := time.Now().Truncate(time.Millisecond)
	id, err := hub.NewID()
	if err != nil {
		t.Fatal(err)
	}
	if got := hub.Received(id); got.Before(before) || got.After(time.Now()) {
		t.Errorf("%s is not now", got)
	}
}

func FuzzNothingThatArrivesPanics(f *testing.F) {
	f.Add("ingested", "utf-8", "st-elsewhere", "ADT^A01", "read-in=utf-8", "MSH|")
	f.Add("error", "claim-check", "a", "unknown", "charset=utf-8 code=x offset=1", `{"bucket":"checks","key":"k","size":1}`)
	f.Fuzz(func(t *testing.T, event, encoding, owner, kind, subject, body string) {
		topic, _, _ := newTopic()
		e, err := topic.ClaimCheck.Open(t.Context(), hub.Wire{Subject: subject, Body: body, Attributes: map[string]string{
			"event": event, "protocol": "hl7v2", "format": "er7", "encoding": encoding, "owner": owner, "type": kind,
			"id": root.String(), "root": root.String(), "source": root.String(),
		}})
		if err == nil && (!hub.ValidOwner(e.Owner) || strings.ContainsAny(e.Type, " \n|")) {
			t.Errorf("opened with owner %q and type %q", e.Owner, e.Type)
		}
	})
}

func TestAClaimCheckThatIsOldIsPutAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		topic, sns, buckets := newTopic()
		for _, body := range []string{"small", strings.Repeat("large ", 100_000)} {
			if err := topic.Publish(t.Context(), ingested([]byte(body))); err != nil {
				t.Fatal(err)
			}
		}
		name := "checks/" + root.String() + "/" + root.String()
		first := buckets.Written(name)
		time.Sleep(29 * 24 * time.Hour)
		var wires []hub.Wire
		for _, record := range sns.Deliveries().Records {
			wires = append(wires, hub.FromSNS(record.SNS))
		}
		for _, step := range []struct {
			before time.Time
			want   time.Time
		}{{first, first}, {first.Add(time.Second), time.Now()}, {time.Now(), time.Now()}} {
			for _, wire := range wires {
				if err := topic.ClaimCheck.Renew(t.Context(), wire, step.before); err != nil {
					t.Fatal(err)
				}
			}
			if got := buckets.Written(name); !got.Equal(step.want) {
				t.Errorf("older than %s: written %s, want %s", step.before, got, step.want)
			}
		}
		if got, err := topic.ClaimCheck.Open(t.Context(), wires[1]); err != nil || len(got.Body) != 600_000 {
			t.Errorf("then it opens to %d bytes, %v", len(got.Body), err)
		}
		if names := buckets.Names(); len(names) != 1 {
			t.Errorf("there are %q", names)
		}
		buckets.Remove(name)
		if err := topic.ClaimCheck.Renew(t.Context(), wires[1], time.Now()); err == nil {
			t.Error("what is gone was renewed")
		}
	})
}
