package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/tables"
)

// noon is when the tests' first messages are accepted.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// world is a lake with its catalog, and the tables' bucket beside it.
type world struct {
	*s3.Client
	catalog *fake.Tables
	twin    *derive.Deriver // nil in a world without a twin
	t       *testing.T
}

func newWorld(t *testing.T) world {
	return world{Client: fake.NewStorage(t, "lake", "tables"), catalog: fake.NewTables(t), t: t}
}

// id returns the id of a message that was accepted at a time; n distinguishes those of
// one time.
func id(at time.Time, n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("%s-7000-8000-%012d", hub.IDAt(at), n))
}

func key(source string, root uuid.UUID) string {
	return catalog.Key{Zone: catalog.Ingestion, Kind: hub.KindOf(contract.ProtocolHL7v2, contract.FormatER7), Owner: source,
		Date: hub.Received(root).Format(time.DateOnly), ID: root}.String()
}

// accept stores a message, and returns its id.
func (w world) accept(source string, at time.Time, n int) uuid.UUID {
	w.t.Helper()
	root := id(at, n)
	body := fmt.Sprintf("MSH|^~\\&|A|B|||2026||ORU^R01|%d|P|2.5\rPID|1||%d\rOBX|1|NM|GLU||%d\r", n, n, n)
	if n%5 == 4 {
		body = "no message"
	}
	w.enter(w.put(hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: source, Type: "ORU^R01", Body: []byte(body)}))
	return root
}

// put stores an event's object as the writer does, and returns the entry that the writer
// makes then.
func (w world) put(e hub.Event) catalog.Entry {
	w.t.Helper()
	entry := catalog.NewEntry(e, "lake", noon)
	_, err := w.PutObject(w.t.Context(), &s3.PutObjectInput{Bucket: &entry.Bucket, Key: &entry.Key, Body: bytes.NewReader(e.Body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return entry
}

// enter records an entry in the catalog.
func (w world) enter(entry catalog.Entry) {
	w.t.Helper()
	item, err := attributevalue.MarshalMap(entry)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.catalog.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(fake.Catalog), Item: item}); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) handler(objects objectStore, now time.Time) handler {
	edition := tables.Version
	if w.twin != nil {
		edition += " key"
	}
	return handler{
		logger: slog.New(slog.DiscardHandler),
		tabulator: tabulator{
			lake:       lake{sent.Lake{Bucket: "lake", Objects: objects, Catalog: catalog.Table{Name: fake.Catalog, DB: w.catalog}}, edition},
			tables:     bucket{"tables", objects},
			pseudonyms: w.twin,
		},
		now: func() time.Time { return now },
	}
}

// run is one invocation that must succeed.
func (w world) run(now time.Time, in request) report {
	w.t.Helper()
	done, err := w.handler(w.Client, now).tabulate(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return done
}

// roots returns those of a table's rows, by the source in the files' names, sorted.
func (w world) roots(table string) map[string][]string {
	w.t.Helper()
	roots := map[string][]string{}
	w.rows(table, func(source string, _ *tables.Reader, row []any) {
		roots[source] = append(roots[source], row[0].(string))
	})
	for _, of := range roots {
		slices.Sort(of)
	}
	return roots
}

// rows calls yield with each row of a table, and the source in the name of its file.
func (w world) rows(table string, yield func(source string, r *tables.Reader, row []any)) {
	w.t.Helper()
	out, err := w.ListObjectsV2(w.t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tables"), Prefix: aws.String(table + "/")})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, object := range out.Contents {
		_, source, _ := strings.Cut(*object.Key, "/source=")
		source, _, _ = strings.Cut(source, "/")
		got, err := w.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: aws.String("tables"), Key: object.Key})
		if err != nil {
			w.t.Fatal(err)
		}
		content, err := io.ReadAll(got.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		r, err := tables.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			w.t.Fatal(err)
		}
		for row, err := range r.Rows() {
			if err != nil {
				w.t.Fatal(err)
			}
			yield(source, r, row)
		}
	}
}

// holds checks that the tables have each message once, and no other.
func (w world) holds(want map[string][]uuid.UUID) {
	w.t.Helper()
	messages, observations := map[string][]string{}, map[string][]string{}
	for source, of := range want {
		for _, root := range of {
			messages[source] = append(messages[source], root.String())
			if text := root.String(); (text[len(text)-1]-'0')%5 != 4 {
				observations[source] = append(observations[source], text)
			}
		}
		slices.Sort(messages[source])
		slices.Sort(observations[source])
	}
	if diff := cmp.Diff(messages, w.roots("messages")); diff != "" {
		w.t.Errorf("messages, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(observations, w.roots("observations")); diff != "" {
		w.t.Errorf("observations, -want +got:\n%s", diff)
	}
}

func TestEveryMessageIsARowOfItsInstitutionAndHour(t *testing.T) {
	w := newWorld(t)
	want := map[string][]uuid.UUID{}
	for n := range 12 {
		for _, source := range []string{"north", "south"} {
			want[source] = append(want[source], w.accept(source, noon.Add(time.Duration(n)*25*time.Minute), n))
		}
	}
	now := noon.Add(6 * time.Hour)
	if done := w.run(now, request{}); done.Messages != 24 || done.Hours != 10 || !done.Complete {
		t.Errorf("%+v", done)
	}
	w.holds(want)
	if done := w.run(now.Add(time.Hour), request{}); done.Hours != 0 {
		t.Errorf("nothing new, and tables were made: %+v", done)
	}
	want["north"] = append(want["north"], w.accept("north", now.Add(90*time.Minute), 3))
	if done := w.run(now.Add(2*time.Hour), request{}); done.Hours != 1 || done.Messages != 1 {
		t.Errorf("one new message: %+v", done)
	}
	w.holds(want)
}

func TestWhatComesLateOrIsDeletedIsSeenByTheNightlyRun(t *testing.T) {
	w := newWorld(t)
	first, second := w.accept("north", noon, 0), w.accept("north", noon.Add(time.Hour), 1)
	now := noon.Add(30 * time.Hour)
	w.run(now, request{})
	late := w.accept("north", noon.Add(time.Minute), 2)
	w.run(now, request{})
	w.holds(map[string][]uuid.UUID{"north": {first, second}})
	w.run(now, request{Late: true})
	w.holds(map[string][]uuid.UUID{"north": {first, second, late}})
	for _, root := range []uuid.UUID{late, second} { // one of two, and all of an hour
		if _, err := w.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("lake"), Key: aws.String(key("north", root))}); err != nil {
			t.Fatal(err)
		}
	}
	w.run(now, request{Late: true})
	w.holds(map[string][]uuid.UUID{"north": {first}})
}

func TestARunOnAScheduleReadsAnHourOnceItHasSettled(t *testing.T) {
	w := newWorld(t)
	first := w.accept("north", noon.Add(30*time.Minute), 0)
	for _, now := range []time.Time{noon.Add(40 * time.Minute), noon.Add(74 * time.Minute)} {
		if done := w.run(now, request{Settled: true}); done.Hours != 0 || !done.Complete {
			t.Errorf("at %v: %+v", now, done)
		}
	}
	w.holds(map[string][]uuid.UUID{})
	w.accept("north", noon.Add(61*time.Minute), 1) // of the next hour
	if done := w.run(noon.Add(76*time.Minute), request{Settled: true}); done.Hours != 1 || done.Messages != 1 {
		t.Errorf("%+v", done)
	}
	w.holds(map[string][]uuid.UUID{"north": {first}})
	late := w.accept("north", noon.Add(31*time.Minute), 2)
	w.run(noon.Add(80*time.Minute), request{Settled: true, Late: true})
	w.holds(map[string][]uuid.UUID{"north": {first, late}})
}

func TestRebuildMakesTheChosenHoursAnew(t *testing.T) {
	w := newWorld(t)
	roots := []uuid.UUID{w.accept("north", noon, 0), w.accept("north", noon.Add(time.Hour), 1), w.accept("north", noon.Add(2*time.Hour), 2)}
	w.run(noon.Add(5*time.Hour), request{})
	done := w.run(noon.Add(5*time.Hour), request{From: noon.Add(30 * time.Minute), To: noon.Add(2 * time.Hour)})
	if done.Hours != 2 || done.Messages != 2 {
		t.Errorf("%+v", done)
	}
	w.holds(map[string][]uuid.UUID{"north": roots})
	if _, err := w.handler(w.Client, noon).tabulate(t.Context(), request{From: noon}); err == nil {
		t.Error("a rebuild without an end is no request")
	}
}

// fragile is S3 whose n-th write fails, before or after it is done, as if a function was
// killed there.
type fragile struct {
	objectStore
	mu    sync.Mutex
	left  int
	after bool
}

var errKilled = errors.New("killed")

func (f *fragile) PutObject(ctx context.Context, in *s3.PutObjectInput, options ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left >= 0 {
		return f.objectStore.PutObject(ctx, in, options...)
	}
	if f.left == -1 && f.after {
		if _, err := f.objectStore.PutObject(ctx, in, options...); err != nil {
			return nil, err
		}
	}
	return nil, errKilled
}

func TestARunThatIsKilledAtAnyWriteLosesAndDoublesNothing(t *testing.T) {
	for _, after := range []bool{false, true} {
		for writes := range 16 {
			w := newWorld(t)
			want := map[string][]uuid.UUID{"north": {w.accept("north", noon, 0)}}
			now := noon.Add(5 * time.Hour)
			w.run(now.Add(-4*time.Hour-50*time.Minute), request{})
			want["north"] = append(want["north"], w.accept("north", noon.Add(time.Minute), 1), w.accept("north", noon.Add(time.Hour), 2))
			_, err := w.handler(&fragile{objectStore: w.Client, left: writes, after: after}, now).tabulate(t.Context(), request{})
			if err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			w.run(now, request{})
			w.holds(want)
		}
	}
}

// slow is S3 that calls between before the first message is read, so that another run
// comes between the list and the write.
type slow struct {
	objectStore
	once    sync.Once
	between func()
}

func (s *slow) GetObject(ctx context.Context, in *s3.GetObjectInput, options ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	if strings.HasPrefix(*in.Key, contract.ZoneIngestion) {
		s.once.Do(s.between)
	}
	return s.objectStore.GetObject(ctx, in, options...)
}

func TestARunThatListedEarlierReplacesNothingOfOneThatListedLater(t *testing.T) {
	for _, before := range []bool{false, true} { // whether there are tables already
		w := newWorld(t)
		roots := []uuid.UUID{w.accept("north", noon, 0)}
		now := noon.Add(5 * time.Hour)
		if before {
			w.run(noon.Add(10*time.Minute), request{})
			roots = append(roots, w.accept("north", noon.Add(time.Second), 1))
		}
		other := &slow{objectStore: w.Client, between: func() {
			roots = append(roots, w.accept("north", noon.Add(time.Minute), 2))
			w.run(noon.Add(20*time.Minute), request{})
		}}
		done, err := w.handler(other, now).tabulate(t.Context(), request{})
		if err != nil || done.Conflicts != 1 {
			t.Errorf("%+v, %v: want one conflict", done, err)
		}
		w.holds(map[string][]uuid.UUID{"north": roots})
		w.run(now, request{})
		w.holds(map[string][]uuid.UUID{"north": roots})
	}
}

func TestTheSameMessagesMakeTheSameFiles(t *testing.T) {
	files := func() map[string]string {
		w := newWorld(t)
		for n := range 40 {
			w.accept("north", noon.Add(time.Duration(n)*time.Second), n)
		}
		w.run(noon.Add(3*time.Hour), request{})
		all := map[string]string{}
		out, err := w.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tables")})
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range out.Contents {
			all[*object.Key] = *object.ETag
		}
		return all
	}
	first, second := files(), files()
	if diff := cmp.Diff(first, second); diff != "" || len(first) < 5 {
		t.Errorf("of %v, -first +second:\n%s", slices.Sorted(maps.Keys(first)), diff)
	}
}
