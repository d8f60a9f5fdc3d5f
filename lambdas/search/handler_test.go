package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/finder"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/telemetry"
)

// world is the function with what it works on.
type world struct {
	handler
	t       *testing.T
	tables  *fake.Tables
	buckets *fake.Buckets
	log     *bytes.Buffer
}

// newWorld has the keys of these versions, the newest first, or one that is called old.
func newWorld(t *testing.T, keys ...string) *world {
	w := &world{t: t, tables: fake.NewTables(t), buckets: &fake.Buckets{}, log: &bytes.Buffer{}}
	w.handler = handler{
		logger: telemetry.NewLogger(w.log), catalog: catalog.Table{Name: fake.Catalog, DB: w.tables},
		index: finder.Index{Name: fake.Finder, DB: w.tables}, kinds: finder.Kinds(finder.Places()),
	}
	if len(keys) == 0 {
		keys = []string{"old"}
	}
	for _, key := range keys {
		w.keys = append(w.keys, derive.New(key, &fake.KMS{}))
	}
	return w
}

// id returns the id of the nth message.
func id(n int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("019ac1d8-%04x-7c52-a4e5-3d0c8b1f6a77", n))
}

// put enters a message with an identifier of a patient, under a version of the key, and
// files it.
func (w *world) put(n int, owner, key, value string, authorities ...string) {
	w.t.Helper()
	derived, err := derive.New(key, &fake.KMS{}).Key(w.t.Context(), finder.Label(owner))
	if err != nil {
		w.t.Fatal(err)
	}
	entries := finder.Key(derived).Entries([]finder.Identifier{{Kind: finder.Patient, Value: value, Authorities: authorities}})
	if _, err := (finder.Table{Name: fake.Finder, DB: w.tables}).Enter(w.t.Context(), id(n), entries); err != nil {
		w.t.Fatal(err)
	}
	sent := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: id(n), Root: id(n), Owner: owner, Type: "ADT^A01", Body: []byte("MSH")}
	fake.File(w.t, w.tables, w.buckets, sent, time.Now())
}

// request is what API Gateway makes of a request by a reader of institutions.
func request(body string, reads ...string) events.APIGatewayV2HTTPRequest {
	claims := map[string]string{"token_use": "id", "sub": "who"}
	for i, name := range reads {
		claims[[]string{"custom:read", "custom:read2"}[i]] = name
	}
	r := events.APIGatewayV2HTTPRequest{RawPath: "/messages/search", Body: body}
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims},
	}
	return r
}

// ask answers a request.
func (w *world) ask(r events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	w.t.Helper()
	answer, err := problem.Answer(w.logger, w.search)(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// found returns the ids in an answer, and its cursor.
func (w *world) found(answer events.APIGatewayV2HTTPResponse) (ids []uuid.UUID, cursor string) {
	w.t.Helper()
	var got page
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || answer.StatusCode != 200 || answer.Headers["Cache-Control"] != "no-store" {
		w.t.Fatalf("%d %s %v", answer.StatusCode, answer.Body, err)
	}
	for _, row := range got.Messages {
		ids = append(ids, row.ID)
	}
	return ids, got.Cursor
}

func TestMessagesOfTheReadersInstitutionsAreFoundNewestFirst(t *testing.T) {
	w := newWorld(t)
	w.put(1, "north", "old", "4711", "X")
	w.put(2, "south", "old", "4711")
	w.put(3, "north", "old", "4711", "Y")
	w.put(4, "east", "old", "4711")
	for body, want := range map[string][]uuid.UUID{
		`{"kind":"patient","value":"4711"}`:                                    {id(3), id(2), id(1)},
		`{"kind":"patient","value":" 4711 ","owner":"north"}`:                  {id(3), id(1)},
		`{"kind":"patient","value":"4711","authority":"X"}`:                    {id(1)},
		`{"kind":"patient","value":"4711","authority":"Z"}`:                    nil,
		`{"kind":"patient","value":"471"}`:                                     nil,
		`{"kind":"visit","value":"4711"}`:                                      nil,
		`{"kind":"patient","value":"4711","cursor":"` + cursorOf(id(3)) + `"}`: {id(2), id(1)},
	} {
		if got, cursor := w.found(w.ask(request(body, "north", "south"))); !slices.Equal(got, want) || cursor != "" {
			t.Errorf("%s: %v %q, want %v", body, got, cursor, want)
		}
	}
	encoded := request(base64.StdEncoding.EncodeToString([]byte(`{"kind":"patient","value":"4711"}`)), "south")
	encoded.IsBase64Encoded = true
	if got, _ := w.found(w.ask(encoded)); !slices.Equal(got, []uuid.UUID{id(2)}) {
		t.Errorf("in base64: %v", got)
	}
}

func TestPagesHoldEachMessageOnce(t *testing.T) {
	w := newWorld(t, "new", "old")
	var want []uuid.UUID
	for n := range 45 {
		owner, key := []string{"north", "south"}[n%2], []string{"old", "new"}[n/2%2]
		w.put(n, owner, key, "4711")
		if n%5 == 0 { // during a rebuild, it has entries under both keys
			w.put(n, owner, "new", "4711")
		}
		want = append([]uuid.UUID{id(n)}, want...)
	}
	for _, limit := range []int{1, 7, 45, 100} {
		var all []uuid.UUID
		cursor, pages := "", 0
		for {
			got, next := w.found(w.ask(request(fmt.Sprintf(`{"kind":"patient","value":"4711","limit":%d,"cursor":"%s"}`, limit, cursor), "north", "south")))
			if len(got) > limit {
				t.Fatalf("%d on a page of %d", len(got), limit)
			}
			all, pages = append(all, got...), pages+1
			if cursor = next; cursor == "" || pages > 100 {
				break
			}
		}
		if !slices.Equal(all, want) {
			t.Errorf("in pages of %d: %v", limit, all)
		}
	}
}

// TestThePageOfAFrequentValueIsBounded has more messages of other authorities than a page
// looks at.
func TestThePageOfAFrequentValueIsBounded(t *testing.T) {
	w := newWorld(t)
	w.put(0, "north", "old", "1", "X")
	for n := range maxRounds*perRound + 1 {
		w.put(n+1, "north", "old", "1", "Y")
	}
	ids, cursor := w.found(w.ask(request(`{"kind":"patient","value":"1","authority":"X"}`, "north")))
	if len(ids) != 0 || cursor == "" {
		t.Errorf("%v, cursor %q", ids, cursor)
	}
	ids, cursor = w.found(w.ask(request(`{"kind":"patient","value":"1","authority":"X","cursor":"`+cursor+`"}`, "north")))
	if !slices.Equal(ids, []uuid.UUID{id(0)}) || cursor != "" {
		t.Errorf("behind it: %v, cursor %q", ids, cursor)
	}
}

func TestARefusalSaysWhatIsWrongAndNothingOfTheRequest(t *testing.T) {
	for name, test := range map[string]struct {
		body  string
		reads []string
		want  string
	}{
		"nothing to read":          {`{"kind":"patient","value":"Zeisig"}`, nil, "404 not-found"},
		"another institution":      {`{"kind":"patient","value":"Zeisig","owner":"south"}`, []string{"north"}, "404 not-found"},
		"no JSON":                  {`Zeisig`, []string{"north"}, "400 bad-search"},
		"two objects":              {`{"kind":"patient","value":"Zeisig"}{}`, []string{"north"}, "400 bad-search"},
		"an unknown member":        {`{"kind":"patient","value":"Zeisig","Zeisig":1}`, []string{"north"}, "400 bad-search"},
		"another type":             {`{"kind":"patient","value":["Zeisig"]}`, []string{"north"}, "400 bad-search"},
		"an unknown kind":          {`{"kind":"Zeisig","value":"Zeisig"}`, []string{"north"}, "400 bad-search"},
		"no value":                 {`{"kind":"patient","value":"  "}`, []string{"north"}, "400 bad-search"},
		"no owner's name":          {`{"kind":"patient","value":"Zeisig","owner":"Zeisig/"}`, []string{"north"}, "400 bad-search"},
		"too many":                 {`{"kind":"patient","value":"Zeisig","limit":501}`, []string{"north"}, "400 bad-search"},
		"none":                     {`{"kind":"patient","value":"Zeisig","limit":0}`, []string{"north"}, "400 bad-search"},
		"a cursor of another kind": {`{"kind":"patient","value":"Zeisig","cursor":"Zeisig"}`, []string{"north"}, "400 bad-search"},
		"too large":                {`{"kind":"patient","value":"` + strings.Repeat("Zeisig", maxBody/6) + `"}`, []string{"north"}, "413 too-large"},
	} {
		w := newWorld(t)
		answer := w.ask(request(test.body, test.reads...))
		var got struct{ Code string }
		if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || fmt.Sprintf("%d %s", answer.StatusCode, got.Code) != test.want {
			t.Errorf("%s: %d %s, %v", name, answer.StatusCode, answer.Body, err)
		}
		canary.Check(t, name+": the answer", answer)
		canary.Check(t, name+": the log", w.log.String())
	}
}

func TestASearchIsRecordedWithoutWhatWasSearchedFor(t *testing.T) {
	w := newWorld(t)
	w.put(1, "north", "old", "Zeisig-mrn", "Zeisig-authority")
	body := `{"kind":"patient","value":"Zeisig-mrn","authority":"Zeisig-authority"}`
	if got, _ := w.found(w.ask(request(body, "north"))); len(got) != 1 {
		t.Fatalf("%v", got)
	}
	log := w.log.String()
	canary.Check(t, "the log", log)
	for _, member := range []string{`"action":"search"`, `"outcome":"done"`, `"who":"who"`, `"reads":"north"`, `"kind":"patient"`, `"found":1`, `"audit":true`} {
		if !strings.Contains(log, member) {
			t.Errorf("the record lacks %s: %s", member, log)
		}
	}
}

func TestAMessageThatTheCatalogDoesNotHaveOrThatWasForgottenIsLeftOut(t *testing.T) {
	w := newWorld(t)
	w.put(1, "north", "old", "4711")
	w.put(2, "north", "old", "4711")
	w.put(3, "north", "old", "4711")
	forgotten, err := w.catalog.History(t.Context(), id(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Forget(t.Context(), w.tables, fake.Catalog, forgotten, "mistake", time.Now()); err != nil {
		t.Fatal(err)
	}
	derived, err := w.keys[0].Key(t.Context(), finder.Label("north"))
	if err != nil {
		t.Fatal(err)
	}
	entries := finder.Key(derived).Entries([]finder.Identifier{{Kind: finder.Patient, Value: "4711"}})
	if _, err := (finder.Table{Name: fake.Finder, DB: w.tables}).Enter(t.Context(), id(4), entries); err != nil {
		t.Fatal(err)
	}
	if got, cursor := w.found(w.ask(request(`{"kind":"patient","value":"4711"}`, "north"))); !slices.Equal(got, []uuid.UUID{id(3), id(1)}) || cursor != "" {
		t.Errorf("%v %q", got, cursor)
	}
}
