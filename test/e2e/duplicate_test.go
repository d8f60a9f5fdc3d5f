package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
)

// admission returns another message for each n.
func admission(n int) []byte {
	return fmt.Appendf(nil, "MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ADT^A01|%d|T|2.5.1\rPID|1||%[1]d^^^HERE^MR||Sample^Sue\r", n)
}

func er7(authorization string, body []byte) request {
	return request{method: http.MethodPost, path: "/er7", contentType: "application/hl7-v2", token: authorization, body: body}
}

// answer is the body of a 201 or 409.
type answer struct{ Status, ID string }

func (r response) answer(t *testing.T) (a answer) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("the answer %d %q: %v", r.status, r.body, err)
	}
	return a
}

func TestAHundredEqualPostsAtOnceBecomeOneMessage(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	post := er7(token(t, tokens), admission(1))
	var mu sync.Mutex
	statuses, ids := map[int]int{}, map[string]bool{}
	var senders sync.WaitGroup
	for range 100 {
		senders.Go(func() {
			for { // as a sender does: 503 and 429 say to send again
				r, err := l.do(t.Context(), post)
				if err != nil {
					t.Error(err)
					return
				}
				if r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests {
					wait, err := strconv.Atoi(r.header.Get("Retry-After"))
					if err != nil {
						t.Errorf("%d without Retry-After: %q", r.status, r.header)
						return
					}
					time.Sleep(time.Duration(wait) * time.Second)
					continue
				}
				var told answer
				if err := json.Unmarshal([]byte(r.body), &told); err != nil {
					t.Errorf("the answer %d %q: %v", r.status, r.body, err)
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[r.status]++
				ids[told.ID] = true
				return
			}
		})
	}
	senders.Wait()
	if statuses[http.StatusCreated] != 1 || statuses[http.StatusConflict] != 99 {
		t.Errorf("answers by status: %v", statuses)
	}
	if len(ids) != 1 {
		t.Errorf("the senders were told %d ids", len(ids))
	}
	for id := range ids {
		ended(t, l.client(t, tokens), id)
	}
	for _, zone := range []client.Zone{client.Ingestion, client.Staging} {
		if keys := l.keys(t, zone); len(keys) != 1 {
			t.Errorf("%s holds %d objects", zone, len(keys))
		}
	}
	versions, err := l.s3().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: aws.String(l.output(t, client.OutputLake))})
	if err != nil {
		t.Fatal(err)
	}
	if len(versions.Versions) != 2 { // the message and its JSON
		t.Errorf("the lake holds %d versions of objects", len(versions.Versions))
	}
}

// TestTheSameMessageByTwoWaysIsOneByTheFirstOnesBytes sends a message at the same time as
// an engine, a file and a script would. One is accepted, and the lake keeps its bytes.
func TestTheSameMessageByTwoWaysIsOneByTheFirstOnesBytes(t *testing.T) {
	l := start(t)
	c := l.client(t, l.admin(t))
	tidy := admission(1)
	ways := [][]byte{
		tidy,
		bytes.ReplaceAll(tidy, []byte("\r"), []byte("\n")),
		bytes.ReplaceAll(tidy, []byte("\r"), []byte("\r\n")),
		fmt.Appendf(nil, "\x0b%s\x1c\r", tidy),
		append([]byte("\ufeff"), tidy...),
		bytes.TrimSuffix(tidy, []byte("\r")),
	}
	receipts := make([]client.Receipt, len(ways))
	var senders sync.WaitGroup
	for i, body := range ways {
		senders.Go(func() {
			var err error
			if receipts[i], err = c.Send(t.Context(), client.Message{Body: body}); err != nil {
				t.Errorf("way %d: %v", i, err)
			}
		})
	}
	senders.Wait()
	first := slices.IndexFunc(receipts, func(r client.Receipt) bool { return r.Status == http.StatusCreated })
	if first < 0 {
		t.Fatalf("none was accepted: %+v", receipts)
	}
	for i, r := range receipts {
		if r.ID != receipts[first].ID || r.Duplicate != (i != first) || (r.Detail != "") != (i != first) {
			t.Errorf("way %d was told %+v, the first, %d, %s", i, r, first, receipts[first].ID)
		}
	}
	ended(t, c, receipts[first].ID)
	kept, err := c.ER7(t.Context(), receipts[first].ID)
	if err != nil || !bytes.Equal(kept, ways[first]) {
		t.Errorf("kept is %q, %v; accepted was %q", kept, err, ways[first])
	}
	for _, zone := range []client.Zone{client.Ingestion, client.Staging} {
		if keys := l.keys(t, zone); len(keys) != 1 {
			t.Errorf("%s holds %d objects", zone, len(keys))
		}
	}
}

func TestOneInstitutionNeitherBlocksNorProbesAnother(t *testing.T) {
	l := start(t)
	ours := l.admin(t)
	theirs := l.user(t, client.User{Email: "other@example.org", Read: client.Institutions{"other"}, Write: "other"})
	first := l.mustDo(t, er7(token(t, ours), admission(1)))
	second := l.mustDo(t, er7(token(t, theirs), admission(1)))
	if first.status != http.StatusCreated || second.status != http.StatusCreated {
		t.Fatalf("answered %d and %d: %s", first.status, second.status, second.body)
	}
	id := first.answer(t).ID
	for _, path := range []string{"/messages/" + id, "/messages/" + id + "/er7", "/messages/" + id + "/json"} {
		stranger := l.mustDo(t, request{method: http.MethodGet, path: path, token: token(t, theirs)})
		nobody := l.mustDo(t, request{method: http.MethodGet, path: "/messages/" + uuid.NewString() + path[len("/messages/")+36:], token: token(t, theirs)})
		if stranger.status != http.StatusNotFound || stranger.body != nobody.body {
			t.Errorf("%s tells a stranger %d %s, and of what does not exist %d %s", path, stranger.status, stranger.body, nobody.status, nobody.body)
		}
	}
}

// claim writes a claim of the institution on a body into the table of received messages,
// as an interrupted ingest leaves it.
func (l *lake) claim(t *testing.T, body []byte, id string, lease time.Time) {
	t.Helper()
	sum := sha256.Sum256(append([]byte(scenario.Institution+"\x00"), body...))
	_, err := l.dynamodb().PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String(l.output(t, client.OutputReceived)),
		Item: map[string]types.AttributeValue{
			"pk":     &types.AttributeValueMemberS{Value: hex.EncodeToString(sum[:])},
			"id":     &types.AttributeValueMemberS{Value: id},
			"owner":  &types.AttributeValueMemberS{Value: scenario.Institution},
			"lease":  &types.AttributeValueMemberN{Value: strconv.FormatInt(lease.UnixMilli(), 10)},
			"expiry": &types.AttributeValueMemberN{Value: strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnInterruptedClaimIsTakenOverWithItsID(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	l.claim(t, admission(1), id.String(), time.Now().Add(-time.Second))
	r := l.mustDo(t, er7(token(t, tokens), admission(1)))
	if r.status != http.StatusCreated || r.answer(t).ID != id.String() {
		t.Fatalf("answered %d %s, want 201 with %s", r.status, r.body, id)
	}
	if history := ended(t, l.client(t, tokens), id.String()); history.Status != client.Staged {
		t.Errorf("ended as %s", history.Status)
	}
}

func TestAClaimThatAnotherHoldsIsAnsweredWithRetryAfter(t *testing.T) {
	l := start(t)
	l.claim(t, admission(1), uuid.Must(uuid.NewV7()).String(), time.Now().Add(time.Minute))
	r := l.mustDo(t, er7(token(t, l.admin(t)), admission(1)))
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
		t.Errorf("answered %d %q %s", r.status, r.header.Get("Retry-After"), r.body)
	}
}

func TestAnAcceptedMessageIsFindableBeforeTheCatalogHasIt(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	for n := range 20 {
		id := l.mustDo(t, er7(token(t, tokens), admission(n))).answer(t).ID
		history := l.mustDo(t, request{method: http.MethodGet, path: "/messages/" + id, token: token(t, tokens)})
		if history.status != http.StatusOK {
			t.Fatalf("message %d, just accepted, is answered %d %s", n, history.status, history.body)
		}
	}
}
