package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/staginger7"
	"hl7lake/lambdas/internal/telemetry"
)

const owner = "st-elsewhere"

// root is a UUIDv7 of 2026-11-22T20:32:42.448Z.
var root = uuid.MustParse("01a204f6-07d0-7ce3-a84e-ee08b2a143f8")

var start = time.Date(2026, 11, 22, 20, 32, 43, 0, time.UTC)

// readSide is messages in front of fakes, as Lambda runs it.
type readSide struct {
	tables  *fake.Tables
	buckets *fake.Buckets
	log     bytes.Buffer
	query   string // of the next request
}

func newReadSide(t testing.TB) *readSide {
	return &readSide{tables: fake.NewTables(t), buckets: &fake.Buckets{}}
}

// get asks for path as a user who may read the messages of reads.
func (r *readSide) get(t testing.TB, path, reads string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	return r.getAs(t, path, map[string]string{"sub": "user-1", "token_use": "id", "custom:read": reads})
}

// getAs asks for path with a token of the claims.
func (r *readSide) getAs(t testing.TB, path string, claims map[string]string) events.APIGatewayV2HTTPResponse {
	t.Helper()
	logger := telemetry.NewLogger(&r.log)
	h := handler{
		logger:   logger,
		catalog:  catalog.Table{Name: fake.Catalog, DB: r.tables},
		received: received.Table{Name: fake.Received, DB: r.tables},
		lake:     lake{bucket: fake.Lake, objects: r.buckets, presigner: r.buckets},
		now:      func() time.Time { return start },
	}
	request := events.APIGatewayV2HTTPRequest{RawPath: path, RawQueryString: r.query}
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
	}
	response, err := problem.Answer(logger, h.get)(t.Context(), request)
	if err != nil {
		t.Fatalf("Lambda would see %v", err)
	}
	return response
}

// file writes what the writer writes about e, seconds after start.
func (r *readSide) file(t testing.TB, e hub.Event, seconds int) catalog.Entry {
	t.Helper()
	return fake.File(t, r.tables, r.buckets, e, start.Add(time.Duration(seconds)*time.Second))
}

func ingested(body string) hub.Event {
	return hub.Event{
		Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root,
		Owner: owner, Type: "ADT^A01", Charset: "iso-8859-1", Body: []byte(body),
	}
}

func staged(body string) hub.Event {
	e := hub.Derive(ingested(""), staginger7.Connector(), hub.Staged, hub.JSON)
	e.Body = []byte(body)
	return e
}

func refused(reason hub.Reason) hub.Event {
	e := hub.Derive(ingested(""), staginger7.Connector(), hub.Error, hub.ER7)
	e.Body, e.Reason = []byte("Hello"), reason
	return e
}

// by makes e the work of another connector, or of another version of it.
func by(e hub.Event, name string, version int) hub.Event {
	e.Connector = hub.Connector{Name: name, Version: version}
	e.ID = hub.Derive(ingested(""), e.Connector, e.Name, e.Kind).ID
	return e
}

// patient is what another connector makes of the message.
func patient(body string, version int) hub.Event {
	e := by(staged(body), "patients", version)
	e.Kind = "fhir-r4/json"
	return e
}

// claims is a message of a kind that no code of the lake knows.
func claims(body string) hub.Event {
	e := ingested(body)
	e.Kind, e.Type, e.Charset = "x12/edi", hub.UnknownType, ""
	return e
}

// announce makes the received table know an id, as ingest does.
func (r *readSide) announce(t *testing.T) uuid.UUID {
	t.Helper()
	table := received.Table{Name: fake.Received, DB: r.tables}
	claim, err := table.Acquire(t.Context(), owner, hub.ER7, []byte("MSH"), time.Now().Add(time.Minute), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Finish(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	return claim.ID
}

func TestAHistoryTellsAMessagesWholeWayOldestFirst(t *testing.T) {
	r := newReadSide(t)
	raw := r.file(t, ingested("MSH|^~\\&|"), 1)
	failed := r.file(t, refused(hub.Reason{Code: "bad-delimiters", Segment: 1, Path: "MSH-2"}), 2)
	second := r.file(t, by(staged("{}"), "staging-er7", 99), 3)
	response := r.get(t, "/messages/"+root.String(), owner)
	want := `{"id":"01a204f6-07d0-7ce3-a84e-ee08b2a143f8","status":"staged","ended":true,"owner":"st-elsewhere","protocol":"hl7v2","format":"er7","type":"ADT^A01","charset":"iso-8859-1","received":"2026-11-22T20:32:42.448Z","history":[` +
		`{"zone":"ingestion","id":"` + raw.ID + `","bucket":"lake","key":"` + raw.Key + `","version_id":"v1","sha256":"` + raw.SHA256 + `","size":9,"protocol":"hl7v2","format":"er7","written":"2026-11-22T20:32:44.000Z","attempts":1},` +
		`{"zone":"error","id":"` + failed.ID + `","parent":"` + raw.ID + `","bucket":"lake","key":"` + failed.Key + `","version_id":"v2","sha256":"` + failed.SHA256 + `","size":5,"protocol":"hl7v2","format":"er7","connector":"staging-er7","version":` + strconv.Itoa(staginger7.Version) + `,"written":"2026-11-22T20:32:45.000Z","attempts":1,` +
		`"reason":{"code":"bad-delimiters","segment":1,"path":"MSH-2","offset":0}},` +
		`{"zone":"staging","id":"` + second.ID + `","parent":"` + raw.ID + `","bucket":"lake","key":"` + second.Key + `","version_id":"v3","sha256":"` + second.SHA256 + `","size":2,"protocol":"hl7v2","format":"json","connector":"staging-er7","version":99,"written":"2026-11-22T20:32:46.000Z","attempts":1}]}`
	if diff := cmp.Diff(want, response.Body); response.StatusCode != 200 || diff != "" {
		t.Errorf("%d %s", response.StatusCode, diff)
	}
}

func TestTheStatusIsTheFurthestThatAMessageCame(t *testing.T) {
	for _, test := range []struct {
		name   string
		filed  []hub.Event
		status string
	}{
		{"ingested", []hub.Event{ingested("MSH")}, "ingested"},
		{"staged", []hub.Event{ingested("MSH"), staged("{}")}, "staged"},
		{"staged before the message is filed", []hub.Event{staged("{}")}, "staged"},
		{"error", []hub.Event{ingested("MSH"), refused(hub.Reason{Code: "x"})}, "error"},
		{"made into something else, and not JSON yet", []hub.Event{ingested("MSH"), patient("{}", 1)}, "ingested"},
		{"another connector's error", []hub.Event{ingested("MSH"), by(refused(hub.Reason{Code: "x"}), "patients", 1)}, "ingested"},
		{"an error, though another connector made something", []hub.Event{ingested("MSH"), patient("{}", 1), refused(hub.Reason{Code: "x"})}, "error"},
		{"of another kind", []hub.Event{claims("ISA")}, "ingested"},
		{"of another kind, staged by whoever knows it", []hub.Event{claims("ISA"), patient("{}", 1)}, "staged"},
		{"of another kind, an error", []hub.Event{claims("ISA"), by(refused(hub.Reason{Code: "x"}), "patients", 1)}, "error"},
		{"staged though a repeated attempt timed out", []hub.Event{ingested("MSH"), staged("{}"), refused(hub.Reason{Code: "timeout"})}, "staged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReadSide(t)
			for i, e := range test.filed {
				r.file(t, e, i)
			}
			var got history.History
			if err := json.Unmarshal([]byte(r.get(t, "/messages/"+root.String(), owner).Body), &got); err != nil || got.Status != test.status {
				t.Errorf("got %q %v, want %q", got.Status, err, test.status)
			}
		})
	}
}

func TestAnAcceptedMessageIsFoundBeforeTheCatalogHasIt(t *testing.T) {
	r := newReadSide(t)
	id := r.announce(t)
	response := r.get(t, "/messages/"+id.String(), owner)
	want := `{"id":"` + id.String() + `","status":"accepted","ended":false,"owner":"st-elsewhere","received":"` + hub.Received(id).Format(hub.TimeLayout) + `","history":[]}`
	if diff := cmp.Diff(want, response.Body); response.StatusCode != 200 || diff != "" {
		t.Errorf("%d %s", response.StatusCode, diff)
	}
	for _, part := range []string{"/er7", "/json"} {
		response := r.get(t, "/messages/"+id.String()+part, owner)
		if response.StatusCode != 404 || response.Headers["Retry-After"] != "1" || !strings.Contains(response.Body, "not-yet") {
			t.Errorf("%s: %d %s", part, response.StatusCode, response.Body)
		}
	}
}

func TestAMessageOfAKindThatNobodyKnowsIsServedAsItCame(t *testing.T) {
	r := newReadSide(t)
	r.file(t, claims("ISA*00~\n"), 1)
	for _, test := range []struct {
		part   string
		status int
		want   string
	}{
		{"/content", 200, ""}, {"/er7", 404, "not-er7"}, {"/json", 404, "not-er7"}, {"/content/patients", 404, "no-result"},
		{"/content/Patients", 404, "not-found"}, {"/content/", 404, "not-found"}, {"/content/a/b", 404, "not-found"}, {"/other", 404, "not-found"},
	} {
		response := r.get(t, "/messages/"+root.String()+test.part, owner)
		if response.StatusCode != test.status || !strings.Contains(response.Body, test.want) {
			t.Errorf("%s: %d %s", test.part, response.StatusCode, response.Body)
		}
		if test.status == 200 {
			content, _ := base64.StdEncoding.DecodeString(response.Body)
			if string(content) != "ISA*00~\n" || response.Headers["Content-Type"] != "application/octet-stream" {
				t.Errorf("%s: %q, %v", test.part, content, response.Headers)
			}
		}
	}
}

// TestAnEntryOfBeforeConnectorsHadNamesIsShownAsStagingER7s is about catalogs of before
// decision 11.
func TestAnEntryOfBeforeConnectorsHadNamesIsShownAsStagingER7s(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	former := r.file(t, staged("{}"), 2)
	former.Connector, former.Version, former.Parser = "", 0, "1"
	item, err := attributevalue.MarshalMap(former)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(fake.Catalog), Item: item}); err != nil {
		t.Fatal(err)
	}
	shown := r.get(t, "/messages/"+root.String(), owner).Body
	if !strings.Contains(shown, `"status":"staged","ended":true`) || !strings.Contains(shown, `"connector":"staging-er7","version":1`) {
		t.Error(shown)
	}
	for _, part := range []string{"/json", "/content/staging-er7"} {
		if response := r.get(t, "/messages/"+root.String()+part, owner); response.StatusCode != 200 {
			t.Errorf("%s: %d %s", part, response.StatusCode, response.Body)
		}
	}
}

func TestAConnectorThatHasNoResultIsToldOf(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	r.file(t, by(refused(hub.Reason{Code: "x"}), "patients", 1), 2)
	for part, want := range map[string]string{"/content/patients": "not-staged", "/content/other": "no-result", "/content/staging-er7": "not-yet"} {
		if response := r.get(t, "/messages/"+root.String()+part, owner); response.StatusCode != 404 || !strings.Contains(response.Body, want) {
			t.Errorf("%s: %d %s", part, response.StatusCode, response.Body)
		}
	}
}

func TestContentIsServedByteForByte(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH|^~\\&|M\xfcller\r"), 1)
	r.file(t, staged("{\"a\":1}\n"), 2)
	r.file(t, by(staged("{\"a\":10}\n"), "staging-er7", 10), 3)
	r.file(t, by(staged("{\"a\":9}\n"), "staging-er7", 9), 4)
	r.file(t, patient("{\"b\":2}\n", 2), 5)
	r.file(t, patient("{\"b\":1}\n", 1), 6)
	for _, test := range []struct{ part, contentType, want string }{
		{"/er7", "application/hl7-v2; charset=iso-8859-1", "MSH|^~\\&|M\xfcller\r"},
		{"/content", "application/hl7-v2; charset=iso-8859-1", "MSH|^~\\&|M\xfcller\r"},
		{"/json", "application/json", "{\"a\":10}\n"}, // of the latest version
		{"/content/staging-er7", "application/json", "{\"a\":10}\n"},
		{"/content/patients", "application/json", "{\"b\":2}\n"},
	} {
		response := r.get(t, "/messages/"+root.String()+test.part, owner)
		content, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil || !response.IsBase64Encoded || response.StatusCode != 200 || string(content) != test.want {
			t.Errorf("%s: %d %q %v", test.part, response.StatusCode, content, err)
		}
		if got := response.Headers["Content-Type"]; got != test.contentType || response.Headers["Cache-Control"] != "no-store" {
			t.Errorf("%s: %v", test.part, response.Headers)
		}
	}
}

func TestWhatTooLargeForAnAnswerIsFoundInS3(t *testing.T) {
	for _, test := range []struct{ size, status int }{{maxInline, 200}, {maxInline + 1, 303}} {
		r := newReadSide(t)
		entry := r.file(t, ingested(strings.Repeat("x", test.size)), 1)
		response := r.get(t, "/messages/"+root.String()+"/er7", owner)
		if response.StatusCode != test.status {
			t.Fatalf("%d bytes: %d", test.size, response.StatusCode)
		}
		want := "https://lake.example/" + entry.Key + "?type=application/hl7-v2; charset=iso-8859-1"
		if got := response.Headers["Location"]; test.status == 303 && got != want {
			t.Errorf("sent to %s, want %s", got, want)
		}
	}
}

func TestContentThatIsNoLongerThereIsGoneAndItsHistoryRemains(t *testing.T) {
	for _, size := range []int{9, maxInline + 1} {
		r := newReadSide(t)
		for n, e := range []hub.Event{ingested(strings.Repeat("x", size)), staged(strings.Repeat("y", size))} {
			entry := r.file(t, e, n)
			r.buckets.Remove("lake/" + entry.Key)
		}
		for _, part := range []string{"/er7", "/json"} {
			response := r.get(t, "/messages/"+root.String()+part, owner)
			if response.StatusCode != 410 || response.Headers["Content-Type"] != "application/problem+json" || !strings.Contains(response.Body, `"code":"gone"`) {
				t.Errorf("%d bytes, %s: %d %s", size, part, response.StatusCode, response.Body)
			}
		}
		if response := r.get(t, "/messages/"+root.String(), owner); response.StatusCode != 200 || !strings.Contains(response.Body, `"status":"staged"`) {
			t.Errorf("the history: %d %s", response.StatusCode, response.Body)
		}
		if response := r.get(t, "/messages/"+root.String()+"/er7", "another"); response.StatusCode != 404 {
			t.Errorf("to a stranger: %d %s", response.StatusCode, response.Body)
		}
	}
}

func TestAnObjectThatS3DoesNotTellOfIsNotCalledGone(t *testing.T) {
	for operation, size := range map[string]int{"GetObject": 9, "HeadObject": maxInline + 1} {
		r := newReadSide(t)
		r.file(t, ingested(strings.Repeat("x", size)), 1)
		for code, status := range map[string]int{"AccessDenied": 403, "NoSuchBucket": 404, "InternalError": 500} {
			r.buckets.Before = func(_ context.Context, asked string) error {
				if asked == operation {
					return fake.Refusal("S3", operation, code, status)
				}
				return nil
			}
			if response := r.get(t, "/messages/"+root.String()+"/er7", owner); response.StatusCode != 503 {
				t.Errorf("%s: %d %s", code, response.StatusCode, response.Body)
			}
		}
	}
}

func TestAnErrorHasNoJSONAndSaysSo(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("Hello"), 1)
	r.file(t, refused(hub.Reason{Code: "no-header"}), 2)
	response := r.get(t, "/messages/"+root.String()+"/json", owner)
	if response.StatusCode != 404 || !strings.Contains(response.Body, "not-staged") || response.Headers["Retry-After"] != "" {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

func TestAStrangerLearnsNothing(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	r.file(t, staged("{}"), 2)
	accepted := r.announce(t)
	unknown := r.get(t, "/messages/01a204f6-07d0-7ce3-a84e-ee08b2a143f9", owner)
	if unknown.StatusCode != 404 {
		t.Fatalf("an unknown id: %d %s", unknown.StatusCode, unknown.Body)
	}
	id := root.String()
	for _, test := range []struct{ name, path, reads string }{
		{"another institution", "/messages/" + id, "another"},
		{"another institution's ER7", "/messages/" + id + "/er7", "another"},
		{"another institution's JSON", "/messages/" + id + "/json", "another"},
		{"no claim", "/messages/" + id, ""},
		{"a part of the name", "/messages/" + id, "st-"},
		{"several names", "/messages/" + id, "another,st-elsewhere"},
		{"another case", "/messages/" + id, "St-Elsewhere"},
		{"accepted for another", "/messages/" + accepted.String(), "another"},
		{"accepted, without a claim", "/messages/" + accepted.String(), ""},
		{"braces", "/messages/{" + id + "}", owner},
		{"another institution's derived id", "/messages/" + staged("").ID.String(), "another"},
		{"a derived id, without a claim", "/messages/" + staged("").ID.String(), ""},
		{"a derived id that nothing has", "/messages/" + by(staged(""), "nobody", 1).ID.String(), owner},
		{"no id", "/messages/", owner},
		{"no UUID", "/messages/1", owner},
		{"another institution's view", "/messages/" + id + "/view", "another"},
		{"another institution's value", "/messages/" + id + "/value", "another"},
		{"another part", "/messages/" + id + "/pdf", owner},
		{"a slash too many", "/messages/" + id + "/", owner},
		{"two slashes too many", "/messages/" + id + "/er7/", owner},
		{"another path", "/er7", owner},
	} {
		if diff := cmp.Diff(unknown, r.get(t, test.path, test.reads)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestAnyIDOfAMessageLeadsToIt asks by the message's own id, by those of two results and
// of an error, and in capitals.
func TestAnyIDOfAMessageLeadsToIt(t *testing.T) {
	r := newReadSide(t)
	other := ingested("MSH|other") // accepted in the same millisecond
	other.ID = uuid.MustParse("01a204f6-07d0-7aaa-a84e-ee08b2a143f8")
	other.Root = other.ID
	r.file(t, other, 1)
	r.file(t, ingested("MSH|"), 1)
	older, newer := by(staged(`{"n":1}`), "staging-er7", 1), by(staged(`{"n":2}`), "staging-er7", 2)
	failed := refused(hub.Reason{Code: "x"})
	for _, e := range []hub.Event{older, newer, failed} {
		r.file(t, e, 2)
	}
	whole := r.get(t, "/messages/"+root.String(), owner)
	for name, id := range map[string]uuid.UUID{"the message's own": root, "the older JSON's": older.ID, "the newer JSON's": newer.ID, "the error's": failed.ID} {
		for _, written := range []string{id.String(), strings.ToUpper(id.String())} {
			r.log.Reset()
			if diff := cmp.Diff(whole, r.get(t, "/messages/"+written, owner)); diff != "" {
				t.Errorf("%s, %s: %s", name, written, diff)
			}
			if !strings.Contains(r.log.String(), `"id":"`+root.String()+`"`) {
				t.Errorf("%s: recorded as %s", name, r.log.String())
			}
		}
	}
	for name, test := range map[string]struct {
		id   uuid.UUID
		part string
		want string
	}{
		"the newest":               {root, "/json", `{"n":2}`},
		"the older itself":         {older.ID, "/json", `{"n":1}`},
		"the older by connector":   {older.ID, "/content/staging-er7", `{"n":1}`},
		"the newer itself":         {newer.ID, "/json", `{"n":2}`},
		"the message of a result":  {older.ID, "/er7", "MSH|"},
		"the message of an error":  {failed.ID, "/content", "MSH|"},
		"the JSON beside an error": {failed.ID, "/json", `{"n":2}`},
	} {
		content, err := base64.StdEncoding.DecodeString(r.get(t, "/messages/"+test.id.String()+test.part, owner).Body)
		if string(content) != test.want || err != nil {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

func TestANamedStageIsNoPartOfThePath(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	if response := r.get(t, "/v1/messages/"+root.String()+"/er7", owner); response.StatusCode != 200 {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

func TestAnObjectThatIsNotTheCataloguedOneIsNotServed(t *testing.T) {
	r := newReadSide(t)
	entry := r.file(t, ingested("MSH"), 1)
	entry.SHA256 = strings.Repeat("0", 64)
	item, err := attributevalue.MarshalMap(entry)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new(fake.Catalog), Item: item}); err != nil {
		t.Fatal(err)
	}
	if response := r.get(t, "/messages/"+root.String()+"/er7", owner); response.StatusCode != 503 || strings.Contains(response.Body, "TVNI") {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

func TestAnOutageIsA503(t *testing.T) {
	r := newReadSide(t)
	r.tables.Before = func(context.Context, string) error {
		return fake.Refusal("DynamoDB", "Query", "ProvisionedThroughputExceededException", 400)
	}
	if response := r.get(t, "/messages/"+root.String(), owner); response.StatusCode != 503 || response.Headers["Retry-After"] == "" {
		t.Errorf("%d %s", response.StatusCode, response.Body)
	}
}

func TestNoPatientDataIsLoggedNorInAHistory(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested(string(canary.Message())), 1)
	r.file(t, staged(string(canary.Message())), 2)
	canary.Check(t, "the history", r.get(t, "/messages/"+root.String(), owner))
	r.get(t, "/messages/"+root.String()+"/er7", owner)
	r.get(t, "/messages/"+root.String()+"/json", owner)
	canary.Check(t, "the log", r.log.String())
}

func FuzzNoPathMakesTheLakeFail(f *testing.F) {
	f.Add("/messages/"+root.String()+"/er7", owner)
	f.Add("/messages//messages/\x00", "\xff")
	f.Fuzz(func(t *testing.T, path, reads string) {
		response := newReadSide(t).get(t, path, reads)
		if response.StatusCode != 404 {
			t.Errorf("%d %s", response.StatusCode, response.Body)
		}
	})
}

func TestEveryReadIsRecorded(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	id := root.String()
	for _, path := range []string{"/messages/" + id, "/messages/" + id + "/er7", "/messages/" + id + "/json", "/messages/" + canary.ControlID} {
		r.get(t, path, owner)
	}
	r.get(t, "/messages/"+id+"/er7", "another")
	want := []map[string]any{
		{"action": "read", "outcome": "done", "who": "user-1", "reads": owner, "id": id, "part": "history"},
		{"action": "read", "outcome": "done", "who": "user-1", "reads": owner, "id": id, "part": "er7"},
		{"action": "read", "outcome": "not-yet", "who": "user-1", "reads": owner, "id": id, "part": "json"},
		{"action": "read", "outcome": "not-found", "who": "user-1", "reads": owner},
		{"action": "read", "outcome": "not-found", "who": "user-1", "reads": "another", "id": id, "part": "er7"},
	}
	got := fake.Lines(t, r.log.String(), "audit", "action", "outcome", "who", "reads", "id", "part")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	canary.Check(t, "the log", r.log.String())
}

func TestAMachineReadsWhatItsScopeNames(t *testing.T) {
	r := newReadSide(t)
	r.file(t, ingested("MSH"), 1)
	for scope, status := range map[string]int{"lake/read." + owner: 200, "lake/read.another": 404, "lake/write." + owner: 404, "": 404} {
		claims := map[string]string{"sub": "machine-1", "token_use": "access", "scope": scope, "custom:read": owner}
		if got := r.getAs(t, "/messages/"+root.String(), claims); got.StatusCode != status {
			t.Errorf("%q: %d, want %d", scope, got.StatusCode, status)
		}
	}
}
