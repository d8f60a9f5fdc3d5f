package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

// fixture is reconcile in front of fakes, as Lambda runs it.
type fixture struct {
	tables  *fake.Tables
	topic   fake.Topic
	buckets fake.Buckets
	log     bytes.Buffer
}

// newFixture returns the fixture of an empty lake. Ids rise throughout the process, while
// each test's clock begins anew, so it waits until ids are of the current time.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	id, err := hub.NewID()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(hub.Received(id).Add(time.Second)))
	return &fixture{tables: fake.NewTables(t)}
}

func (f *fixture) received() received.Table { return received.Table{Name: fake.Received, DB: f.tables} }

// run is one run of the function.
func (f *fixture) run(ctx context.Context, in request) (report, error) {
	logger := telemetry.NewLogger(&f.log)
	h := handler{
		logger:   logger,
		metrics:  telemetry.Metrics{Environment: "test"},
		received: f.received(),
		catalog:  catalog.Table{Name: fake.Catalog, DB: f.tables},
		route: replay.Route{Bucket: fake.Lake, Objects: &f.buckets, Hub: hub.Topic{
			ARN: "hub", Publisher: audit.Publisher{Publisher: &f.topic, Logger: logger}, ClaimCheck: hub.ClaimCheck{Bucket: "checks", Objects: &f.buckets},
		}},
		now: time.Now,
	}
	return function.Edge(logger, h.reconcile)(ctx, in)
}

// reconcile is a run that must succeed.
func (f *fixture) reconcile(t *testing.T) report {
	t.Helper()
	got, err := f.run(t.Context(), request{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// claim leaves what ingest leaves of body: a claim that has ended, or one whose attempt
// died before it published.
func (f *fixture) claim(t *testing.T, body []byte, done bool) received.Claim {
	t.Helper()
	claim, err := f.received().Acquire(t.Context(), canary.Owner, hub.ER7, body, time.Now().Add(20*time.Second), 0)
	if err != nil {
		t.Fatal(err)
	}
	if done {
		if err := f.received().Finish(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
	}
	return claim
}

func ingested(claim received.Claim, body []byte) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: claim.ID, Root: claim.ID,
		Owner: canary.Owner, Type: "ADT^A01", Charset: "iso-8859-1", Body: body,
	}
}

// file leaves what the writer leaves of e.
func (f *fixture) file(t *testing.T, e hub.Event) {
	t.Helper()
	fake.File(t, f.tables, &f.buckets, e, time.Now())
}

// published returns the events that were published, opened.
func (f *fixture) published(t *testing.T) (all []hub.Event) {
	t.Helper()
	for _, record := range f.topic.Deliveries().Records {
		e, err := hub.ClaimCheck{Bucket: "checks", Objects: &f.buckets}.Open(t.Context(), hub.FromSNS(record.SNS))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func want(t *testing.T, what string, want, got report) {
	t.Helper()
	want.Complete = true
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(report{}, "MissingMessages")); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

const seconds = int64(time.Minute / time.Second)

func TestAMessageAtTheEndOfItsWayIsLookedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []hub.Name{hub.Staged, hub.Error} {
			f := newFixture(t)
			message := ingested(f.claim(t, canary.Message(), true), canary.Message())
			f.file(t, message)
			f.file(t, hub.Derive(message, staginger7.Connector(), name, hub.JSON))
			want(t, "young", report{}, f.reconcile(t))
			time.Sleep(11 * time.Minute)
			want(t, "due", report{Settled: 1}, f.reconcile(t))
			want(t, "again", report{}, f.reconcile(t))
			if got := f.published(t); got != nil {
				t.Errorf("published %d events", len(got))
			}
		}
	})
}

func TestWhatNobodySubscribesToIsAtTheEndOfItsWayOnceItIsFiled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		message := ingested(f.claim(t, canary.Message(), true), canary.Message())
		message.Kind = "x12/edi"
		f.file(t, message)
		time.Sleep(11 * time.Minute)
		want(t, "due", report{Settled: 1}, f.reconcile(t))
	})
}

func TestAMessageOfWhichAnotherConnectorMadeSomethingIsStuckAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		message := ingested(f.claim(t, canary.Message(), true), canary.Message())
		f.file(t, message)
		f.file(t, hub.Derive(message, hub.Connector{Name: "patients", Version: 1}, hub.Staged, "fhir-r4/json"))
		time.Sleep(11 * time.Minute)
		if got := f.reconcile(t); got.Republished != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAMessageThatIsStuckIsPublishedAgainEachTimeItsAgeHasDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		message := ingested(f.claim(t, canary.Message(), true), canary.Message())
		f.file(t, message)
		time.Sleep(11 * time.Minute)
		want(t, "first", report{Republished: 1, OldestUnstagedSeconds: 11 * seconds}, f.reconcile(t))
		if diff := cmp.Diff([]hub.Event{message}, f.published(t)); diff != "" {
			t.Error(diff)
		}
		time.Sleep(10 * time.Minute)
		want(t, "too soon", report{Waiting: 1, OldestUnstagedSeconds: 21 * seconds}, f.reconcile(t))
		time.Sleep(2 * time.Minute)
		want(t, "second", report{Republished: 1, OldestUnstagedSeconds: 23 * seconds}, f.reconcile(t))
		f.file(t, hub.Derive(message, staginger7.Connector(), hub.Staged, hub.JSON))
		want(t, "staged", report{Settled: 1}, f.reconcile(t))
	})
}

func TestAMessageOfWhichOnlyTheErrorWasFiledIsPublishedFromThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		message := ingested(f.claim(t, []byte("Hello"), true), []byte("Hello"))
		refused := hub.Derive(message, staginger7.Connector(), hub.Error, hub.ER7)
		refused.Body = message.Body
		f.file(t, refused)
		time.Sleep(11 * time.Minute)
		want(t, "report", report{Republished: 1, OldestUnstagedSeconds: 11 * seconds}, f.reconcile(t))
		if diff := cmp.Diff([]hub.Event{message}, f.published(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnAcceptedMessageThatTheLakeDoesNotHoldIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		claim := f.claim(t, canary.Message(), true)
		f.file(t, hub.Derive(ingested(claim, nil), staginger7.Connector(), hub.Staged, hub.JSON)) // its JSON does not lead back to it
		time.Sleep(11 * time.Minute)
		for range 2 {
			f.log.Reset()
			want(t, "report", report{Missing: 1, OldestUnstagedSeconds: 11 * seconds}, f.reconcile(t))
			if log := f.log.String(); !strings.Contains(log, `"level":"ERROR"`) || !strings.Contains(log, claim.ID.String()) {
				t.Error(log)
			}
		}
	})
}

// TestWhatIsMissingIsReportedForAsLongAsItIs lets time to live remove what has expired at
// once, for most of a year.
func TestWhatIsMissingIsReportedForAsLongAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		claim := f.claim(t, canary.Message(), true)
		var writes atomic.Int64
		const runs, apart = 60, 5 // days
		for run := range runs {
			time.Sleep(apart * 24 * time.Hour)
			f.expire(t)
			f.tables.Before = func(_ context.Context, operation string) error {
				if operation == "UpdateItem" {
					writes.Add(1)
				}
				return nil
			}
			if got := f.reconcile(t); got.Missing != 1 || got.MissingMessages[0].ID != claim.ID.String() {
				t.Fatalf("on day %d: %+v", (run+1)*apart, got)
			}
			f.tables.Before = nil
		}
		if seen := len(received.Shards()) * runs; writes.Load() > int64(seen+1+2*runs/4) {
			t.Errorf("%d writes, of which %d note what was seen", writes.Load(), seen)
		}
		message := ingested(claim, canary.Message()) // found at last, and redriven
		f.file(t, message)
		f.file(t, hub.Derive(message, staginger7.Connector(), hub.Staged, hub.JSON))
		if got := f.reconcile(t); got.Missing != 0 || got.Settled != 1 {
			t.Errorf("then: %+v", got)
		}
		time.Sleep(60 * 24 * time.Hour)
		f.expire(t)
		for _, item := range f.tables.Items(t, fake.Received) {
			if _, has := item["expiry"]; has {
				t.Errorf("what was found is kept for ever: %v", item)
			}
		}
	})
}

// expire removes what has expired, as time to live does sooner or later.
func (f *fixture) expire(t *testing.T) {
	t.Helper()
	for _, item := range f.tables.Items(t, fake.Received) {
		var stored struct {
			PK     string `dynamodbav:"pk"`
			Expiry int64  `dynamodbav:"expiry"`
		}
		if err := attributevalue.UnmarshalMap(item, &stored); err != nil {
			t.Fatal(err)
		}
		if stored.Expiry > 0 && stored.Expiry < time.Now().Unix() {
			f.tables.Delete(t, fake.Received, "pk", stored.PK)
		}
	}
}

func TestAReportNamesWhatIsMissingUpToAHundred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		first := f.claim(t, canary.Message(), true)
		time.Sleep(11 * time.Minute)
		want := []missingMessage{{first.ID.String(), canary.Owner, 11 * seconds}}
		if diff := cmp.Diff(want, f.reconcile(t).MissingMessages); diff != "" {
			t.Error(diff)
		}
		for n := range named {
			f.claim(t, []byte{'a' + byte(n)}, true)
		}
		time.Sleep(11 * time.Minute)
		got := f.reconcile(t)
		if len(got.MissingMessages) != named || got.Missing != named+1 {
			t.Errorf("%d are named, %d missing", len(got.MissingMessages), got.Missing)
		}
		if lines := strings.Count(f.log.String(), `"missing: accepted`); lines != named+2 {
			t.Errorf("the log names %d, in two runs", lines)
		}
	})
}

func TestAClaimThatWasNeverPublishedIsWaitedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		claim := f.claim(t, canary.Message(), false)
		time.Sleep(11 * time.Minute)
		want(t, "waited for", report{Unpublished: 1}, f.reconcile(t))
		time.Sleep(24 * time.Hour)
		want(t, "given up", report{Abandoned: 1}, f.reconcile(t))
		want(t, "gone", report{}, f.reconcile(t))

		// The sender's next try brings it back, with the same id.
		if again := f.claim(t, canary.Message(), true); again.ID != claim.ID {
			t.Errorf("taken over as %s, not %s", again.ID, claim.ID)
		}
		want(t, "accepted at last", report{Missing: 1, OldestUnstagedSeconds: (24*60 + 11) * seconds}, f.reconcile(t))
	})
}

func TestAnInterruptedClaimWhoseMessageArrivedIsAMessageLikeAnyOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		message := ingested(f.claim(t, canary.Message(), false), canary.Message())
		f.file(t, message)
		time.Sleep(11 * time.Minute)
		want(t, "stuck", report{Republished: 1, OldestUnstagedSeconds: 11 * seconds}, f.reconcile(t))
		f.file(t, hub.Derive(message, staginger7.Connector(), hub.Staged, hub.JSON))
		want(t, "staged", report{Settled: 1}, f.reconcile(t))
	})
}

func TestOneMessageThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for _, text := range []string{"a", "b", "c"} {
			f.file(t, ingested(f.claim(t, []byte(text), true), []byte(text)))
		}
		failed := false
		f.buckets.Before = func(_ context.Context, operation string) error {
			if operation == "GetObject" && !failed {
				failed = true
				return fake.Refusal("S3", operation, "InternalError", 500)
			}
			return nil
		}
		time.Sleep(11 * time.Minute)
		if _, err := f.run(t.Context(), request{}); err == nil || err.Error() != "S3 GetObject: InternalError (HTTP 500)" {
			t.Errorf("got %v", err)
		}
		if got := len(f.published(t)); got != 2 {
			t.Errorf("%d were published, want 2", got)
		}
		if got := f.reconcile(t); got.Republished != 1 || got.Waiting != 2 {
			t.Errorf("the next run: %+v", got)
		}
	})
}

func TestARunEndsWithItsTimeAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		claimed := time.Now()
		for n := range 100 {
			f.claim(t, []byte{'a' + byte(n)}, true)
		}
		f.tables.Before = func(ctx context.Context, operation string) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
				return nil
			}
		}
		time.Sleep(11 * time.Minute)
		const timeout = 20 * time.Second
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		begin := time.Now()
		got, err := f.run(ctx, request{})
		if err != nil || got.Complete || got.Missing == 0 || got.Missing == 100 {
			t.Errorf("%+v, %v", got, err)
		}
		if took := time.Since(begin); took > timeout-reserve {
			t.Errorf("took %s", took)
		}
		f.tables.Before = nil
		age := int64(time.Since(claimed).Seconds())
		want(t, "the next run", report{Missing: 100, OldestUnstagedSeconds: age}, f.reconcile(t))
	})
}

// TestWhatCannotBeLookedUpIsLookedUpByTheNextRun makes the calls fail that decide how far
// a run came, one after the other.
func TestWhatCannotBeLookedUpIsLookedUpByTheNextRun(t *testing.T) {
	for _, operation := range []string{"Query", "GetItem", "UpdateItem"} {
		t.Run(operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for n := 1; ; n++ {
					f := newFixture(t)
					f.file(t, ingested(f.claim(t, canary.Message(), true), canary.Message()))
					time.Sleep(11 * time.Minute)
					var calls atomic.Int64
					f.tables.Before = func(_ context.Context, called string) error {
						if called == operation && calls.Add(1) == int64(n) {
							return fake.Refusal("DynamoDB", called, "InternalServerError", 500)
						}
						return nil
					}
					if _, err := f.run(t.Context(), request{}); err == nil {
						return // there is no call of that number
					}
					f.tables.Before = nil
					if got := f.reconcile(t); got.Republished+got.Waiting != 1 || len(f.published(t)) == 0 {
						t.Fatalf("call %d failed; the next run: %+v", n, got)
					}
				}
			})
		})
	}
}

func TestEveryRunMeasuresForEachInstitution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.reconcile(t)
		f.claim(t, canary.Message(), true)
		time.Sleep(11 * time.Minute)
		f.reconcile(t)
		var ages []float64
		var owners []any
		for line := range strings.Lines(f.log.String()) {
			var members map[string]any
			if err := json.Unmarshal([]byte(line), &members); err != nil {
				t.Fatal(err)
			}
			if members["_aws"] != nil {
				ages = append(ages, members["OldestUnstagedAge"].(float64))
				owners = append(owners, members["owner"])
			}
		}
		if diff := cmp.Diff([]float64{0, 660}, ages); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]any{nil, canary.Owner}, owners); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnOperatorMayChooseTheAge(t *testing.T) {
	f := newFixture(t)
	f.file(t, ingested(f.claim(t, canary.Message(), true), canary.Message()))
	time.Sleep(2 * time.Millisecond)
	if got, err := f.run(t.Context(), request{OverdueSeconds: new(0)}); got.Republished != 1 || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoPatientDataIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for _, body := range canary.Broken() {
			f.file(t, ingested(f.claim(t, body, true), body))
		}
		f.claim(t, canary.Message(), true)
		f.claim(t, []byte(canary.ControlID), false)
		time.Sleep(25 * time.Hour)
		f.reconcile(t)
		canary.Check(t, "the log", f.log.String())
	})
}
