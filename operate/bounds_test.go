package operate

// This file is about redrives and replays within bounds and of one institution.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
)

// queues is SQS with two dead-letter queues, each of which gives the same letters again
// as often as it is asked. It remembers what was asked, by action.
type queues struct {
	letters []string
	mu      sync.Mutex
	asked   map[string]int
	given   int
}

func (q *queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	target := r.Header.Get("X-Amz-Target")
	q.asked[target]++
	var in struct{ MaxNumberOfMessages int }
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	var out any = struct{}{}
	switch target {
	case "AmazonSQS.ListQueues":
		out = map[string]any{"QueueUrls": []string{"http://sqs/1/hl7lake-dev-core-WriterFailed1", "http://sqs/1/hl7lake-dev-core-WriterUndelivered1", "http://sqs/1/hl7lake-dev-core-Deferred1"}}
	case "AmazonSQS.ReceiveMessage":
		var messages []map[string]any
		for range in.MaxNumberOfMessages {
			messages = append(messages, map[string]any{
				"MessageId": fmt.Sprint(q.given), "ReceiptHandle": fmt.Sprint(q.given), "Body": q.letters[q.given%len(q.letters)],
				"Attributes": map[string]string{"SentTimestamp": "1000"},
			})
			q.given++
		}
		out = map[string]any{"Messages": messages}
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		panic(err)
	}
}

// letter returns a letter about a message of the owner, as SNS leaves it.
func letter(t *testing.T, owner string, root uuid.UUID) string {
	t.Helper()
	return letterOf(t, hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: owner, Type: "ADT^A01", Body: []byte("MSH|")})
}

// letterOf returns a letter with an event, as SNS leaves it.
func letterOf(t *testing.T, e hub.Event) string {
	t.Helper()
	wire, err := hub.ClaimCheck{}.Pack(t.Context(), e, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(wire.Notification())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inFrontOf returns an operator in front of queues.
func inFrontOf(t *testing.T, q *queues, tables *fake.Tables) *Operator {
	t.Helper()
	q.asked = map[string]int{}
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	o := In(Names{Queues: "hl7lake-dev-"}, aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: client.StaticCredentials("a", "b"),
	}, nil)
	o.catalog = catalog.Table{Name: fake.Catalog, DB: tables}
	return o
}

func TestARedriveWithinBoundsLooksAtSoManyLettersAndGivesThemBack(t *testing.T) {
	ours, theirs := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	q := &queues{letters: []string{letter(t, "lakeside", theirs), letter(t, "st-elsewhere", ours), "no letter", letter(t, "lakeside", theirs)}}
	o := inFrontOf(t, q, fake.NewTables(t))
	var found []DeadLetter
	more, err := o.RedriveSome(t.Context(), RedriveOptions{Owner: "st-elsewhere", DryRun: true}, Bounds{Most: 14, Until: time.Now().Add(time.Minute)},
		func(l DeadLetter) { found = append(found, l) })
	if err != nil || !more || len(found) != 7 {
		t.Errorf("%d letters of %d, more: %t, %v", len(found), q.given, more, err)
	}
	for _, l := range found {
		if l.Owner != "st-elsewhere" || l.Root != ours.String() || l.Outcome != WouldBe {
			t.Errorf("found %+v", l)
		}
	}
	want := map[string]int{"AmazonSQS.ListQueues": 1, "AmazonSQS.ReceiveMessage": 4, "AmazonSQS.ChangeMessageVisibility": 28}
	if diff := cmp.Diff(want, q.asked); diff != "" || q.given != 28 {
		t.Errorf("%d given: %s", q.given, diff)
	}
}

func TestARedriveWhoseTimeIsOverReceivesNothing(t *testing.T) {
	q := &queues{letters: []string{"no letter"}}
	o := inFrontOf(t, q, fake.NewTables(t))
	more, err := o.RedriveSome(t.Context(), RedriveOptions{Owner: "a"}, Bounds{Most: 10, Until: time.Now().Add(-time.Second)}, func(DeadLetter) {})
	if err != nil || !more || q.given != 0 {
		t.Errorf("%d given, more: %t, %v", q.given, more, err)
	}
}

// TestALetterThatOnlySaysItIsTheirsIsNotRedriven has a letter with the attributes of one
// institution about the message of another.
func TestALetterThatOnlySaysItIsTheirsIsNotRedriven(t *testing.T) {
	root := uuid.Must(uuid.NewV7())
	tables := fake.NewTables(t)
	fake.File(t, tables, &fake.Buckets{}, hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "lakeside", Type: "ADT^A01", Body: []byte("MSH|")}, time.Now())
	q := &queues{letters: []string{letter(t, "st-elsewhere", root)}}
	o := inFrontOf(t, q, tables)
	_, err := o.RedriveSome(t.Context(), RedriveOptions{Owner: "st-elsewhere"}, Bounds{Most: 1, Until: time.Now().Add(time.Minute)},
		func(l DeadLetter) { t.Errorf("reported %+v", l) })
	if err != nil || q.asked["AmazonSQS.DeleteMessage"] != 0 || q.asked["AmazonSQS.ChangeMessageVisibility"] != 2 {
		t.Errorf("asked for %v, %v", q.asked, err)
	}
}

// TestThatAMessageWasForgottenIsRedrivenAndNothingElseOfIt has letters about a message
// that was forgotten: that it was accepted, and that it was forgotten.
func TestThatAMessageWasForgottenIsRedrivenAndNothingElseOfIt(t *testing.T) {
	root := uuid.Must(uuid.NewV7())
	message := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "ADT^A01", Body: []byte("MSH|")}
	tables, topic := fake.NewTables(t), &fake.Topic{}
	fake.File(t, tables, &fake.Buckets{}, message, time.Now())
	table := catalog.Table{Name: fake.Catalog, DB: tables}
	entries, err := table.History(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Forget(t.Context(), tables, fake.Catalog, entries, "test-data", time.Now()); err != nil {
		t.Fatal(err)
	}
	forgotten := hub.Derive(message, hub.Connector{}, hub.Forgotten, hub.ER7)
	forgotten.Body = []byte("test-data")
	q := &queues{letters: []string{letterOf(t, message), letterOf(t, forgotten)}}
	o := inFrontOf(t, q, tables)
	o.route.Hub.Publisher = topic
	outcomes := map[string]Outcome{}
	_, err = o.RedriveSome(t.Context(), RedriveOptions{Owner: "st-elsewhere"}, Bounds{Most: 2, Until: time.Now().Add(time.Minute)},
		func(l DeadLetter) { outcomes[l.Event] = l.Outcome })
	if diff := cmp.Diff(map[string]Outcome{"ingested": Erased, "forgotten": Redriven}, outcomes); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	for _, record := range topic.Deliveries().Records {
		if event, err := hub.FromSNS(record.SNS).Event(); err != nil || event.Name != hub.Forgotten {
			t.Errorf("published %+v, %v", event, err)
		}
	}
}

func TestAReplayInPartIsOfIDsOrOfTheErrorsOfOneInstitution(t *testing.T) {
	for name, selection := range map[string]Selection{
		"everything": {}, "an institution": {Owner: "a"}, "all errors": {Errors: true}, "a type": {Owner: "a", Type: "ADT^A01"},
	} {
		o := &Operator{}
		_, more, err := o.ReplaySome(context.Background(), selection, Bounds{Most: 1, Until: time.Now().Add(time.Minute)}, func(r Replayed) { t.Errorf("%s: %+v", name, r) })
		if err == nil || more {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestErrorsOfOneMillisecondAreReplayedOnceEachAcrossParts goes through errors that the
// catalog's index has in no order, in parts that end within a millisecond.
func TestErrorsOfOneMillisecondAreReplayedOnceEachAcrossParts(t *testing.T) {
	tables, want := fake.NewTables(t), []string{}
	at := time.Date(2026, 11, 22, 20, 32, 42, 0, time.UTC)
	for n := range 9 {
		root := uuid.MustParse(fmt.Sprintf("%s-7%03d-8000-000000000000", hub.IDAt(at.Add(time.Duration(n/5) * time.Millisecond))[:13], n*7%9))
		sent := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "ADT^A01"}
		for version := range 2 { // two errors of one message
			failed := hub.Derive(sent, hub.Connector{Name: "staging-er7", Version: version + 1}, hub.Error, hub.ER7)
			failed.Body, failed.Reason = []byte("MSH|"), hub.Reason{Code: "no-header"}
			fake.File(t, tables, &fake.Buckets{}, failed, at)
		}
		want = append(want, root.String())
	}
	o := &Operator{catalog: catalog.Table{Name: fake.Catalog, DB: tables}}
	var got []string
	selection := Selection{Errors: true, Owner: "st-elsewhere", To: at.Add(time.Second)}
	for parts := 0; ; parts++ {
		part := 0
		for message, err := range o.failed(t.Context(), selection.Owner, selection) {
			if err != nil {
				t.Fatal(err)
			}
			got, selection.After = append(got, message.root), message.root
			if part++; part == 2 {
				break
			}
		}
		if part < 2 || parts > 9 {
			break
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
