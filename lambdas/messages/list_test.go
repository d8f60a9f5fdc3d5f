package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

// listSide is messages in front of the local lake's S3 and DynamoDB.
type listSide struct {
	objectStore
	storage  *s3.Client
	tables   *fake.Tables
	requests atomic.Int64 // for candidates
	lookups  atomic.Int64 // of the catalog
	log      bytes.Buffer
	random   *rand.Rand
	now      time.Time
}

func newListSide(t testing.TB) *listSide {
	storage := fake.NewStorage(t, fake.Lake)
	l := &listSide{objectStore: storage, storage: storage, tables: fake.NewTables(t), random: rand.New(rand.NewPCG(1, 2)), now: start.Add(24 * time.Hour)}
	return l
}

// ListObjectsV2 counts the requests.
func (l *listSide) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, options ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	l.requests.Add(1)
	return l.objectStore.ListObjectsV2(ctx, in, options...)
}

// Query counts the lookups and the requests for errors, for the catalog.
func (l *listSide) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if in.IndexName != nil {
		l.requests.Add(1)
	} else {
		l.lookups.Add(1)
	}
	return l.tables.Query(ctx, in, options...)
}

// counted counts the queries of a table.
type counted struct {
	received.DynamoDB
	queries *atomic.Int64
}

func (c counted) Query(ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	c.queries.Add(1)
	return c.DynamoDB.Query(ctx, in, options...)
}

// id returns a new id of the given time, as an ingest makes it.
func (l *listSide) id(at time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|7<<12|l.random.Uint64N(1<<12))
	binary.BigEndian.PutUint64(id[8:], 1<<63|l.random.Uint64N(1<<62))
	return id
}

// store leaves an event's body in the lake, and nothing in the catalog.
func (l *listSide) store(t testing.TB, e hub.Event) {
	t.Helper()
	_, err := l.storage.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new(fake.Lake), Key: new(catalog.KeyOf(e).String()), Body: strings.NewReader("MSH")})
	if err != nil {
		t.Fatal(err)
	}
}

// file leaves what the writer leaves of an event.
func (l *listSide) file(t testing.TB, e hub.Event) {
	t.Helper()
	l.store(t, e)
	l.record(t, catalog.NewEntry(e, fake.Lake, hub.Received(e.Root)))
}

// record puts an entry into the catalog.
func (l *listSide) record(t testing.TB, entry catalog.Entry) {
	t.Helper()
	item, err := attributevalue.MarshalMap(entry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(fake.Catalog), Item: item}); err != nil {
		t.Fatal(err)
	}
}

// message returns a new message of owner.
func (l *listSide) message(of string, at time.Time) hub.Event {
	id := l.id(at)
	return hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: id, Root: id, Owner: of, Type: "ADT^A01"}
}

// ask asks for a page as a user who may read the messages of the institutions.
func (l *listSide) ask(t testing.TB, parameters string, reads ...string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	claims := map[string]string{"sub": "user-1", "token_use": "id"}
	for i, name := range reads {
		claims["custom:read"+[]string{"", "2", "3", "4"}[i]] = name
	}
	return l.askAs(t, parameters, claims)
}

// askAs asks for a page with a token of the claims.
func (l *listSide) askAs(t testing.TB, parameters string, claims map[string]string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	return l.askFor(t, "/messages", parameters, claims)
}

// askFor asks for what is at a path with a token of the claims.
func (l *listSide) askFor(t testing.TB, path, parameters string, claims map[string]string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	logger := telemetry.NewLogger(&l.log)
	h := handler{
		logger:   logger,
		catalog:  catalog.Table{Name: fake.Catalog, DB: l},
		received: received.Table{Name: fake.Received, DB: counted{l.tables, &l.requests}},
		lake:     lake{bucket: fake.Lake, objects: l},
		now:      func() time.Time { return l.now },
	}
	request := events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: parameters}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
	}
	response, err := problem.Answer(logger, h.get)(t.Context(), request)
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response
}

// page asks for a page that must be answered.
func (l *listSide) page(t testing.TB, parameters string, reads ...string) page {
	t.Helper()
	response := l.ask(t, parameters, reads...)
	var got page
	if err := json.Unmarshal([]byte(response.Body), &got); err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %d %s %v", parameters, response.StatusCode, response.Body, err)
	}
	return got
}

// all asks for page after page, and returns the ids of all messages and the number of
// pages. Each page must stay within the bounds that its code names.
func (l *listSide) all(t testing.TB, parameters string, reads ...string) (ids []uuid.UUID, pages int) {
	t.Helper()
	for cursor := ""; ; {
		l.requests.Store(0)
		l.lookups.Store(0)
		got := l.page(t, parameters+cursor, reads...)
		if pages++; pages > 1000 {
			t.Fatal("the pages do not end")
		}
		if requests, lookups := l.requests.Load(), l.lookups.Load(); requests > maxRequests || lookups > maxLimit {
			t.Errorf("page %d cost %d requests and %d queries", pages, requests, lookups)
		}
		for _, m := range got.Messages {
			ids = append(ids, m.ID)
		}
		if got.Cursor == "" {
			return ids, pages
		}
		cursor = "&cursor=" + got.Cursor
	}
}

func newest(ids []uuid.UUID) []uuid.UUID {
	return slices.SortedFunc(slices.Values(ids), func(a, b uuid.UUID) int { return compare(b, a) })
}

func TestAListTellsOfEachMessageWhatItsHistoryTells(t *testing.T) {
	l := newListSide(t)
	var want []string
	for i, test := range []struct {
		kind    hub.Kind
		results []hub.Name
		rest    string
	}{
		{"x12/edi", nil, `"protocol":"x12","format":"edi","type":"ADT^A01","state":"ingested","ended":true}`},
		{hub.ER7, nil, `"protocol":"hl7v2","format":"er7","type":"ADT^A01","state":"ingested","ended":false}`},
		{hub.ER7, []hub.Name{hub.Staged}, `"protocol":"hl7v2","format":"er7","type":"ADT^A01","state":"staged","ended":true,"connectors":["staging-er7"]}`},
		{hub.ER7, []hub.Name{hub.Error}, `"protocol":"hl7v2","format":"er7","type":"ADT^A01","state":"error","ended":true,"reason":"bad-delimiters","connectors":["staging-er7"]}`},
		{hub.ER7, []hub.Name{hub.Error, hub.Staged}, `"protocol":"hl7v2","format":"er7","type":"ADT^A01","state":"staged","ended":true,"connectors":["staging-er7"]}`},
	} {
		m := l.message(owner, start.Add(-time.Duration(i)*time.Hour))
		m.Kind = test.kind
		l.file(t, m)
		for _, name := range test.results {
			result := hub.Derive(m, staginger7.Connector(), name, hub.JSON)
			result.Reason = hub.Reason{Code: "bad-delimiters"}
			l.file(t, result)
		}
		want = append(want, `{"id":"`+m.ID.String()+`","owner":"st-elsewhere","received":"`+hub.Received(m.ID).Format(hub.TimeLayout)+`",`+test.rest)
	}
	uncatalogued := l.message(owner, start.Add(-time.Hour*24*300))
	l.store(t, uncatalogued)
	want = append(want, `{"id":"`+uncatalogued.ID.String()+`","owner":"st-elsewhere","received":"`+hub.Received(uncatalogued.ID).Format(hub.TimeLayout)+`",`+
		`"protocol":"hl7v2","format":"er7","state":"accepted","ended":false}`)
	response := l.ask(t, "", owner)
	if diff := cmp.Diff(`{"messages":[`+strings.Join(want, ",")+`]}`, response.Body); response.StatusCode != 200 || diff != "" {
		t.Errorf("%d %s", response.StatusCode, diff)
	}
	if response.Headers["Cache-Control"] != "no-store" {
		t.Errorf("headers: %v", response.Headers)
	}
}

func TestAListHoldsWhatItsFiltersAskFor(t *testing.T) {
	l := newListSide(t)
	first, second, third, other := l.message(owner, start), l.message(owner, start.Add(time.Minute)), l.message("lakeside", start.Add(time.Hour)), l.message("elsewhere", start)
	second.Type, third.Kind = "ORU^R01", "x12/edi"
	for _, m := range []hub.Event{first, second, third, other} {
		l.file(t, m)
	}
	l.file(t, hub.Derive(second, staginger7.Connector(), hub.Staged, hub.JSON))
	l.file(t, hub.Derive(third, hub.Connector{Name: "claims", Version: 1}, hub.Error, hub.JSON))
	at := func(m hub.Event) string { return url.QueryEscape(hub.Received(m.ID).Format(hub.TimeLayout)) }
	for parameters, want := range map[string][]uuid.UUID{
		"":                                       {third.ID, second.ID, first.ID},
		"owner=" + owner:                         {second.ID, first.ID},
		"type=ORU%5ER01":                         {second.ID},
		"state=ingested":                         {first.ID},
		"state=staged":                           {second.ID},
		"state=error":                            {third.ID},
		"state=error&owner=" + owner:             nil,
		"connector=claims":                       {third.ID},
		"connector=staging-er7":                  {second.ID},
		"protocol=x12":                           {third.ID},
		"protocol=hl7v2":                         {second.ID, first.ID},
		"protocol=unheard-of":                    nil,
		"from=" + at(second):                     {third.ID, second.ID},
		"to=" + at(second):                       {first.ID},
		"from=" + at(first) + "&to=" + at(third): {second.ID, first.ID},
		"from=2031-01-01T00:00:00Z":              nil,
		"to=1969-01-01T00:00:00Z":                nil,
	} {
		if got, _ := l.all(t, parameters, owner, "lakeside"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", parameters, got, want)
		}
	}
}

func TestAListThatCannotBeAnsweredIsRefused(t *testing.T) {
	l := newListSide(t)
	for _, test := range []struct {
		parameters string
		reads      []string
		status     int
		want       string
	}{
		{"", nil, 404, "not-found"},
		{"owner=" + owner, nil, 404, "not-found"},
		{"owner=elsewhere", []string{owner}, 404, "not-found"},
		{"owner=a/b", []string{owner}, 400, "The parameter owner is the name of an institution."},
		{"limit=0", []string{owner}, 400, "The parameter limit is a number from 1 to 500."},
		{"limit=501", []string{owner}, 400, "limit"},
		{"limit=", []string{owner}, 400, "limit"},
		{"limit=1&limit=2", []string{owner}, 400, "each at most once"},
		{"state=done", []string{owner}, 400, "state"},
		{"state=", []string{owner}, 400, "state"},
		{"type=", []string{owner}, 400, "type"},
		{"connector=A", []string{owner}, 400, "connector"},
		{"protocol=a/b", []string{owner}, 400, "protocol"},
		{"from=yesterday", []string{owner}, 400, "from"},
		{"to=2026-11-22", []string{owner}, 400, "to"},
		{"cursor=AAAA", []string{owner}, 400, "cursor"},
		{"cursor=" + cursor{}.String(), []string{owner}, 400, "cursor"},
		{"cursor=" + cursor{width: maxWidth + 1}.String(), []string{owner}, 400, "cursor"},
		{"patient=" + canary.ControlID, []string{owner}, 400, "The parameters are"},
		{"type=%zz", []string{owner}, 400, "bad-query"},
	} {
		response := l.ask(t, test.parameters, test.reads...)
		if response.StatusCode != test.status || !strings.Contains(response.Body, test.want) || response.Headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s for %v: %d %s", test.parameters, test.reads, response.StatusCode, response.Body)
		}
		canary.Check(t, test.parameters, response.Body)
	}
	canary.Check(t, "the log", l.log.String())
}

func TestEachListIsRecordedWithTheNumberOfItsMessages(t *testing.T) {
	l := newListSide(t)
	l.file(t, l.message(owner, start))
	l.page(t, "", owner)
	if line := l.log.String(); !strings.Contains(line, `"audit":true,"action":"list","outcome":"done","who":"user-1","reads":"st-elsewhere","operates":"","listed":1`) {
		t.Error(line)
	}
}

// TestPagesHoldEachMessageOnceInOrder asks for pages of random sizes of random messages,
// while others arrive.
func TestPagesHoldEachMessageOnceInOrder(t *testing.T) {
	for seed := range uint64(10) {
		l := newListSide(t)
		l.random = rand.New(rand.NewPCG(seed, 0))
		var want []uuid.UUID
		at := start
		for range 1 + l.random.IntN(150) {
			// Spans from the same millisecond to some months.
			at = at.Add(-time.Duration(l.random.Uint64() >> (9 + l.random.IntN(55))).Truncate(time.Millisecond))
			m := l.message([]string{owner, "lakeside"}[l.random.IntN(2)], at)
			m.Kind = []hub.Kind{hub.ER7, "x12/edi"}[l.random.IntN(2)]
			l.store(t, m)
			want = append(want, m.ID)
		}
		var got []uuid.UUID
		for cursor := ""; ; {
			page := l.page(t, "limit="+strconv.Itoa(1+l.random.IntN(40))+cursor, owner, "lakeside")
			for _, m := range page.Messages {
				got = append(got, m.ID)
			}
			if page.Cursor == "" {
				break
			}
			cursor = "&cursor=" + page.Cursor
			l.store(t, l.message(owner, start.Add(time.Duration(l.random.IntN(1e6))*time.Millisecond)))
			l.store(t, l.message("elsewhere", at))
		}
		if diff := cmp.Diff(newest(want), got[max(0, len(got)-len(want)):]); diff != "" || len(got) > len(want) {
			t.Fatalf("seed %d: %d messages, want %d %s", seed, len(got), len(want), diff)
		}
	}
}

func TestAListCoversSomeProtocolsAndSaysThatThereAreOthers(t *testing.T) {
	l := newListSide(t)
	for i := range maxProtocols + 1 {
		m := l.message(owner, start.Add(time.Duration(i)*time.Minute))
		if i > 0 {
			m.Kind = hub.KindOf(fmt.Sprintf("a%d", i), "edi")
		}
		l.store(t, m)
		if got, want := l.page(t, "", owner), min(i+1, maxProtocols); len(got.Messages) != want || got.OtherProtocols != (i == maxProtocols) {
			t.Errorf("%d protocols: %d messages, others: %v", i+1, len(got.Messages), got.OtherProtocols)
		}
	}
}
