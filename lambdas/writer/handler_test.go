package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

const adt = "MSH|^~\\&|EPIC|ST|LAKE|ST|20260102||ADT^A01^ADT_A01|C1|P|2.5.1\r"

// root is a UUIDv7 of 2026-11-22T20:32:42.448Z.
var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

const rawKey = "ingestion/protocol=hl7v2/source=st-elsewhere/date=2026-11-22/01a204f6-07d0-7ce3-a84e-ee08b2a143f8.er7"

func ingested(body string) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: "st-elsewhere", Type: "ADT^A01", Charset: "utf-8", Body: []byte(body),
	}
}

func refused(reason hub.Reason) hub.Event {
	e := hub.Derive(ingested(""), staginger7.Connector(), hub.Error, hub.ER7)
	e.Reason, e.Body = reason, []byte(adt)
	return e
}

// core is the writer in front of fakes, as Lambda runs it.
type core struct {
	tables  *fake.Tables
	buckets *fake.Buckets
	log     bytes.Buffer
}

func newCore(t *testing.T) *core { return &core{tables: fake.NewTables(t), buckets: &fake.Buckets{}} }

// deliver gives the writer one batch of events.
func (c *core) deliver(t *testing.T, batch ...hub.Event) error {
	t.Helper()
	topic := &fake.Topic{}
	publisher := hub.Topic{ARN: "hub", Publisher: topic, ClaimCheck: hub.ClaimCheck{Bucket: "checks", Objects: &fake.Buckets{}}}
	for _, e := range batch {
		if err := publisher.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return c.handle(t.Context(), topic.Deliveries())
}

func (c *core) handle(ctx context.Context, batch events.SNSEvent) error {
	h := handler{
		logger:     telemetry.NewLogger(&c.log),
		metrics:    telemetry.Metrics{Environment: "test"},
		claimCheck: hub.ClaimCheck{Bucket: "checks", Objects: c.buckets},
		lake:       lake{bucket: "lake", objects: c.buckets},
		catalog:    table{name: fake.Catalog, db: c.tables},
	}
	_, err := function.Edge(h.logger, h.handle)(ctx, batch)
	return err
}

// entries returns what the catalog holds, without the times of writing.
func (c *core) entries(t *testing.T) []catalog.Entry {
	t.Helper()
	var entries []catalog.Entry
	if err := attributevalue.UnmarshalListOfMaps(c.tables.Items(t, fake.Catalog), &entries); err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		if _, err := time.Parse(hub.TimeLayout, entries[i].Written); err != nil {
			t.Error(err)
		}
		entries[i].Written = ""
	}
	return entries
}

func rawEntry(attempts int) catalog.Entry {
	return catalog.Entry{
		Root: root.String(), Sort: "ingestion#" + root.String(), Zone: catalog.Ingestion, ID: root.String(),
		Owner: "st-elsewhere", Type: "ADT^A01", Charset: "utf-8",
		Bucket: "lake", Key: rawKey, VersionID: "v1",
		SHA256: "c14f6484dae8255d5ced041937e2e14929876bc07c51b89fbf4eb64349e65fed", Size: int64(len(adt)),
		Attempts: attempts,
	}
}

func TestALateRedeliveryOfAForgottenMessageIsToldOf(t *testing.T) {
	c := newCore(t)
	if err := c.deliver(t, ingested(adt)); err != nil || strings.Contains(c.log.String(), "forgotten") {
		t.Fatal(err, c.log.String())
	}
	if err := catalog.Forget(t.Context(), c.tables, fake.Catalog, c.entries(t), "mistake", time.Now()); err != nil {
		t.Fatal(err)
	}
	c.buckets.Remove("lake/" + rawKey)
	if err := c.deliver(t, ingested(adt)); err != nil {
		t.Fatal(err)
	}
	if log := c.log.String(); !strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, "forget it again") || !strings.Contains(log, root.String()) {
		t.Error(log)
	}
	if entry := c.entries(t)[0]; entry.Forgotten == "" || entry.ForgottenReason != "mistake" {
		t.Errorf("the record was %+v", entry)
	}
}

func TestContentThatWasLostAndFiledAnewIsFoundAgain(t *testing.T) {
	c := newCore(t)
	for range 2 {
		if err := c.deliver(t, ingested(adt)); err != nil {
			t.Fatal(err)
		}
		c.buckets.Remove("lake/" + rawKey)
	}
	want := rawEntry(2)
	want.VersionID = "v2"
	if diff := cmp.Diff([]catalog.Entry{want}, c.entries(t)); diff != "" {
		t.Error(diff)
	}
}

func TestAnIngestedMessageIsFiledByteForByte(t *testing.T) {
	c := newCore(t)
	if err := c.deliver(t, ingested(adt)); err != nil {
		t.Fatal(err)
	}
	want := fake.Object{Content: []byte(adt), ContentType: "application/hl7-v2", VersionID: "v1"}
	got, _ := c.buckets.Object("lake/" + rawKey)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]catalog.Entry{rawEntry(1)}, c.entries(t)); diff != "" {
		t.Error(diff)
	}
}

func TestARedeliveredEventChangesNothingButItsAttempts(t *testing.T) {
	c := newCore(t)
	for range 3 {
		if err := c.deliver(t, ingested(adt)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]catalog.Entry{rawEntry(3)}, c.entries(t)); diff != "" {
		t.Error(diff)
	}
}

func TestADeliveryThatDiedBetweenLakeAndCatalogIsCompleted(t *testing.T) {
	for _, kind := range []string{"before", "after"} {
		t.Run(kind, func(t *testing.T) {
			c := newCore(t)
			outage := func(context.Context, string) error {
				c.tables.Faults = fake.Faults{}
				return fake.Refusal("DynamoDB", "UpdateItem", "InternalServerError", 500)
			}
			attempts := 1
			c.tables.Before = outage
			if kind == "after" {
				c.tables.Faults = fake.Faults{After: outage}
				attempts = 2
			}
			if err := c.deliver(t, ingested(adt)); err == nil {
				t.Fatal("Lambda would not deliver it again")
			}
			if err := c.deliver(t, ingested(adt)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]catalog.Entry{rawEntry(attempts)}, c.entries(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPutWhoseAnswerWasLostIsFound(t *testing.T) {
	c := newCore(t)
	c.buckets.Repeat = func(operation string) bool { return operation == "PutObject" }
	if err := c.deliver(t, ingested(adt)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]catalog.Entry{rawEntry(1)}, c.entries(t)); diff != "" {
		t.Error(diff)
	}
}

func TestTheFirstContentOfAnIDStays(t *testing.T) {
	c := newCore(t)
	staged := hub.Derive(ingested(""), staginger7.Connector(), hub.Staged, hub.JSON)
	for _, body := range []string{`{"a":1}`, `{"a":22}`} {
		staged.Body = []byte(body)
		if err := c.deliver(t, staged); err != nil {
			t.Fatal(err)
		}
	}
	entry := c.entries(t)[0]
	got, _ := c.buckets.Object("lake/" + entry.Key)
	if string(got.Content) != `{"a":1}` || got.ContentType != "application/json" || entry.Size != 7 || entry.VersionID != "v1" {
		t.Errorf("%+v, catalogued as %+v", got, entry)
	}
	if !strings.Contains(c.log.String(), "which differs") {
		t.Errorf("logged %s", &c.log)
	}
}

func TestAnErrorIsFiledWithItsReason(t *testing.T) {
	c := newCore(t)
	if err := c.deliver(t, refused(hub.Reason{Code: "bad-delimiters", Segment: 1, Path: "MSH-2", Offset: 4})); err != nil {
		t.Fatal(err)
	}
	got := c.entries(t)[0]
	if got.Zone != catalog.Failed || !strings.HasSuffix(got.Key, ".er7") || !strings.HasPrefix(got.Key, "error/") || got.Parent != root.String() ||
		got.ReasonCode != "bad-delimiters" || got.ReasonSegment != 1 || got.ReasonPath != "MSH-2" || got.ReasonOffset == nil || *got.ReasonOffset != 4 {
		t.Errorf("got %+v", got)
	}
	if object, _ := c.buckets.Object("lake/" + got.Key); string(object.Content) != adt {
		t.Errorf("filed %q", object.Content)
	}
}

func TestAnErrorsFirstReasonStays(t *testing.T) {
	c := newCore(t)
	first := hub.Reason{Code: "timeout"}
	for _, reason := range []hub.Reason{first, {Code: "throttled", Offset: 7}} {
		if err := c.deliver(t, refused(reason)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.entries(t)[0]; got.ReasonCode != first.Code || *got.ReasonOffset != 0 || got.Attempts != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestOneBadEventOfABatchDoesNotKeepTheOthers(t *testing.T) {
	c := newCore(t)
	topic := &fake.Topic{}
	publisher := hub.Topic{ARN: "hub", Publisher: topic}
	for _, e := range []hub.Event{refused(hub.Reason{Code: "x"}), ingested(adt)} {
		if err := publisher.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	batch := topic.Deliveries()
	batch.Records[0].SNS.MessageAttributes["owner"] = map[string]any{"Value": "../elsewhere"}
	err := c.handle(t.Context(), batch)
	if err == nil || err.Error() != "hub: attribute owner is absent or malformed" {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]catalog.Entry{rawEntry(1)}, c.entries(t)); diff != "" {
		t.Error(diff)
	}
}

func TestALakeThatRefusesIsAFailure(t *testing.T) {
	c := newCore(t)
	c.buckets.Before = func(context.Context, string) error { return fake.Refusal("S3", "PutObject", "AccessDenied", 403) }
	if err := c.deliver(t, ingested(adt)); err == nil || err.Error() != "S3 PutObject: AccessDenied (HTTP 403)" {
		t.Errorf("got %v", err)
	}
	if n := len(c.entries(t)); n != 0 {
		t.Errorf("%d entries of what is not there", n)
	}
}

func TestNoPatientDataLeavesBesideTheObject(t *testing.T) {
	inputs := canary.Broken()
	inputs["a message"] = canary.Message()
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			c := newCore(t)
			e := ingested(string(input))
			e.Owner = canary.Owner
			failed := hub.Derive(e, staginger7.Connector(), hub.Error, hub.ER7)
			failed.Body = input
			err := c.deliver(t, e, failed)
			c.buckets.Before = func(context.Context, string) error { return errors.New("outage") }
			canary.Check(t, "an error", fmt.Sprint(err, c.deliver(t, e)))
			canary.Check(t, "the catalog", c.tables.Items(t, fake.Catalog))
			canary.Check(t, "a key", c.buckets.Names())
			canary.Check(t, "the log", c.log.String())
		})
	}
}

// TestTheCatalogDependsOnAMessagesContentInItsHashAlone files messages that differ in one
// value each. A hash of one value, unlike that of all of them, can be guessed by trying.
func TestTheCatalogDependsOnAMessagesContentInItsHashAlone(t *testing.T) {
	items := func(body string) []map[string]types.AttributeValue {
		c := newCore(t)
		failed := hub.Derive(ingested(body), staginger7.Connector(), hub.Error, hub.ER7)
		failed.Reason, failed.Body = hub.Reason{Code: "no-header"}, []byte(body)
		if err := c.deliver(t, ingested(body), failed); err != nil {
			t.Fatal(err)
		}
		stored := c.tables.Items(t, fake.Catalog)
		for _, item := range stored {
			delete(item, "sha256")
			delete(item, "written")
		}
		slices.SortFunc(stored, func(a, b map[string]types.AttributeValue) int {
			return strings.Compare(a["sk"].(*types.AttributeValueMemberS).Value, b["sk"].(*types.AttributeValueMemberS).Value)
		})
		return stored
	}
	const message = adt + "PID|1||4711^^^ST||Doe^Jane||19700101|F\r"
	want := items(message)
	for _, value := range []string{"C1", "EPIC", "4711", "Doe", "19700101"} {
		other := strings.ReplaceAll(message, value, strings.Repeat("9", len(value)))
		if diff := cmp.Diff(want, items(other), cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})); diff != "" {
			t.Errorf("with another value for %s:\n%s", value, diff)
		}
	}
}

func TestAMessageIsCountedOnceHoweverOftenItIsDelivered(t *testing.T) {
	c := newCore(t)
	staged := hub.Derive(ingested(""), staginger7.Connector(), hub.Staged, hub.JSON)
	staged.Body = []byte("{}")
	failed := refused(hub.Reason{Code: "no-header", Segment: 1})
	for range 2 {
		if err := c.deliver(t, ingested(adt), staged, failed); err != nil {
			t.Fatal(err)
		}
	}
	want := []map[string]any{
		{"owner": "st-elsewhere", "environment": "test", "Staged": 1.0},
		{"owner": "st-elsewhere", "environment": "test", "Failed": 1.0, "reason": "no-header"},
	}
	if diff := cmp.Diff(want, fake.Lines(t, c.log.String(), "_aws", "owner", "environment", "Staged", "Failed", "reason")); diff != "" {
		t.Error(diff)
	}
	for _, line := range fake.Lines(t, c.log.String(), "event", "owner") {
		if line["owner"] != "st-elsewhere" {
			t.Errorf("a line of %v", line["owner"])
		}
	}
}
