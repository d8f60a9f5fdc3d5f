package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/finder"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/indexer"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/lambdas/internal/telemetry"
)

// noon is when the first message is accepted; each further one a minute later.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func id(n int) uuid.UUID {
	return uuid.MustParse(hub.IDAt(noon.Add(time.Duration(n)*time.Minute)) + "-7c52-a4e5-3d0c8b1f6a77")
}

// world is the function with what it works on.
type world struct {
	handler
	t       *testing.T
	objects *s3.Client
	tables  *fake.Tables
	kms     *fake.KMS
	log     *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, objects: fake.NewStorage(t, fake.Lake), tables: fake.NewTables(t), kms: &fake.KMS{}, log: &bytes.Buffer{}}
	logger := telemetry.NewLogger(w.log)
	w.handler = handler{
		logger: logger,
		lake:   sent.Lake{Bucket: fake.Lake, Objects: w.objects, Catalog: catalog.Table{Name: fake.Catalog, DB: w.tables}},
		indexer: indexer.Indexer{
			Logger: logger, Places: finder.Places(), Table: finder.Table{Name: fake.Finder, DB: w.tables}, Keys: derive.New("key", w.kms),
		},
	}
	return w
}

// put leaves a message in the lake, as the writer does.
func (w *world) put(n int, owner string, kind hub.Kind, body string) {
	w.t.Helper()
	e := hub.Event{Name: hub.Ingested, Kind: kind, ID: id(n), Root: id(n), Owner: owner, Type: "ADT^A01", Body: []byte(body)}
	sum := sha256.Sum256(e.Body)
	_, err := w.objects.PutObject(w.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(fake.Lake), Key: aws.String(catalog.KeyOf(e).String()), Body: bytes.NewReader(e.Body),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// admission is a message with two identifiers.
func admission(n int) string {
	return fmt.Sprintf("MSH|^~\\&|A|B|C|D|2026||ADT^A01|C%d|T|2.5\rPID|1||P%[1]d\r", n)
}

// run runs the function once.
func (w *world) run(ctx context.Context, in request) report {
	w.t.Helper()
	done, err := w.reindex(ctx, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

// entered returns the messages that the table has entries of.
func (w *world) entered() map[string]int {
	w.t.Helper()
	roots := map[string]int{}
	for _, item := range w.tables.Items(w.t, fake.Finder) {
		var each struct {
			SK string `dynamodbav:"sk"`
		}
		if err := attributevalue.UnmarshalMap(item, &each); err != nil {
			w.t.Fatal(err)
		}
		if each.SK != "message" {
			roots[each.SK]++
		}
	}
	return roots
}

func TestTheSelectedMessagesAreEntered(t *testing.T) {
	for name, test := range map[string]struct {
		in   request
		want []int
	}{
		"all":                      {request{}, []int{0, 1, 2, 3, 4}},
		"of an institution":        {request{Owner: "south"}, []int{3, 4}},
		"of nobody":                {request{Owner: "east"}, nil},
		"from a time on":           {request{From: noon.Add(2 * time.Minute)}, []int{2, 3, 4}},
		"before a time":            {request{To: noon.Add(2 * time.Minute)}, []int{0, 1}},
		"after a message":          {request{After: &place{"north", id(1)}}, []int{2, 3, 4}},
		"after an institution":     {request{After: &place{"north", id(9)}}, []int{3, 4}},
		"after one of another one": {request{Owner: "south", After: &place{"north", id(1)}}, []int{3, 4}},
	} {
		w := newWorld(t)
		for n, owner := range []string{"north", "north", "north", "south", "south"} {
			w.put(n, owner, hub.ER7, admission(n))
		}
		w.put(5, "south", "x12/edi", "ISA")
		w.put(6, "south", hub.ER7, "a line of text")
		want, entries := map[string]int{}, 0
		for _, n := range test.want {
			want[id(n).String()], entries = 2, entries+2
		}
		for range 2 { // the second run changes nothing
			done := w.run(t.Context(), test.in)
			if diff := cmp.Diff(want, w.entered()); diff != "" || done != (report{Messages: len(want), Entries: entries}) {
				t.Errorf("%s: %+v\n%s", name, done, diff)
			}
		}
	}
}

// TestARunWhoseTimeIsOverSaysWhereToGoOn gives each run time for one window.
func TestARunWhoseTimeIsOverSaysWhereToGoOn(t *testing.T) {
	w := newWorld(t)
	const messages = 3*maxWindow + 10
	for n := range messages {
		w.put(n, []string{"north", "south"}[n/(2*maxWindow)], hub.ER7, admission(n))
	}
	over, cancel := context.WithDeadline(t.Context(), time.Now().Add(reserve+time.Millisecond)) // of which the reserve is taken
	defer cancel()
	time.Sleep(2 * time.Millisecond)
	runs, in := 0, request{}
	for {
		done := w.run(over, in)
		if runs++; runs > 10 {
			t.Fatal("it does not end")
		}
		if done.After == nil {
			break
		}
		in.After = done.After
	}
	if got := len(w.entered()); got != messages || runs < 3 {
		t.Errorf("%d messages in %d runs, want %d", got, runs, messages)
	}
}

func TestEntriesUnderAnEarlierKeyAreRemoved(t *testing.T) {
	w := newWorld(t)
	w.put(0, "north", hub.ER7, admission(0))
	w.run(t.Context(), request{})
	w.indexer.Keys = derive.New("another key", w.kms)
	w.run(t.Context(), request{})
	if got := w.entered(); got[id(0).String()] != 2 {
		t.Errorf("%v", got)
	}
}

func TestAMessageThatWasForgottenIsNotEntered(t *testing.T) {
	w := newWorld(t)
	w.put(0, "north", hub.ER7, admission(0))
	if err := w.indexer.Table.Forget(t.Context(), id(0), noon); err != nil {
		t.Fatal(err)
	}
	if done := w.run(t.Context(), request{}); done.Messages != 0 || len(w.entered()) != 0 {
		t.Errorf("%+v, %v", done, w.entered())
	}
}

func TestARunThatFailsIsAnErrorAndShowsNothing(t *testing.T) {
	w := newWorld(t)
	w.put(0, canary.Owner, hub.ER7, string(canary.Message()))
	outage := errors.New("outage")
	w.tables.Before = func(context.Context, string) error { return outage }
	if _, err := w.reindex(t.Context(), request{}); !errors.Is(err, outage) {
		t.Errorf("%v", err)
	}
	canary.Check(t, "the log", w.log.String())
	if _, err := w.reindex(t.Context(), request{From: noon, To: noon}); err == nil {
		t.Error("a span without a moment is accepted")
	}
}
