package operate

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/internal/testing/answer"
	"hl7lake/internal/testing/fake"
)

// forgetter is an operator of a lake with one message, which has the given entries. S3
// answers with the lock in headers. deleted is what was to be deleted.
func forgetter(t *testing.T, entries []catalog.Entry, lock http.Header) (o *Operator, deleted *[]string) {
	t.Helper()
	deleted = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete:
			*deleted = append(*deleted, r.URL.Path)
		case r.URL.Query().Has("versions"):
			key := r.URL.Query().Get("prefix")
			fmt.Fprintf(w, `<ListVersionsResult><Version><Key>%[1]s</Key><VersionId>v</VersionId></Version>`+
				`<Version><Key>%[1]s.other</Key><VersionId>v</VersionId></Version></ListVersionsResult>`, key)
		case r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, ".json"):
			for name, values := range lock {
				w.Header()[http.CanonicalHeaderKey(name)] = values
			}
		case r.URL.Path == "/checks" || r.URL.Path == "/checks/":
			fmt.Fprint(w, `<ListBucketResult></ListBucketResult>`)
		}
	}))
	t.Cleanup(server.Close)
	tables := fake.NewTables(t)
	for _, entry := range entries {
		item, err := attributevalue.MarshalMap(entry)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tables.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(fake.Catalog), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	objects := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, RetryMaxAttempts: 1, HTTPClient: answer.Whole{}, Credentials: client.StaticCredentials("a", "b"),
	})
	return &Operator{
		objects: objects,
		catalog: catalog.Table{Name: fake.Catalog, DB: tables},
		route:   replay.Route{Bucket: "lake", Objects: objects, Hub: hub.Topic{ClaimCheck: hub.ClaimCheck{Bucket: "checks"}}},
	}, deleted
}

// filed returns the entries of a message that has ended.
func filed(root uuid.UUID) []catalog.Entry {
	message := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "st-elsewhere", Type: "ADT^A01"}
	return []catalog.Entry{
		catalog.NewEntry(message, "lake", time.Now()), catalog.NewEntry(hub.Derive(message, hub.Connector{Name: "staging-er7", Version: 2}, hub.Staged, hub.JSON), "lake", time.Now()),
	}
}

func TestNothingIsDeletedOfAMessageOfWhichOneObjectIsLocked(t *testing.T) {
	root := uuid.Must(uuid.NewV7())
	entries := filed(root)
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for name, test := range map[string]struct {
		lock http.Header
		want *LockedError
	}{
		"locked":              {http.Header{"X-Amz-Object-Lock-Mode": {"GOVERNANCE"}, "X-Amz-Object-Lock-Retain-Until-Date": {until.Format(time.RFC3339)}}, &LockedError{entries[1].Key, until, false}},
		"held":                {http.Header{"X-Amz-Object-Lock-Legal-Hold": {"ON"}}, &LockedError{entries[1].Key, time.Time{}, true}},
		"both":                {http.Header{"X-Amz-Object-Lock-Legal-Hold": {"ON"}, "X-Amz-Object-Lock-Retain-Until-Date": {until.Format(time.RFC3339)}}, &LockedError{entries[1].Key, until, true}},
		"locked until lately": {http.Header{"X-Amz-Object-Lock-Retain-Until-Date": {"2020-01-01T00:00:00Z"}}, nil},
		"held no longer":      {http.Header{"X-Amz-Object-Lock-Legal-Hold": {"OFF"}}, nil},
		"neither":             {nil, nil},
	} {
		o, deleted := forgetter(t, entries, test.lock)
		dry := test.want == nil // the rest is tested in test/e2e
		got, err := o.Forget(t.Context(), root.String(), "court-order", dry)
		locked, _ := errors.AsType[*LockedError](err)
		if diff := cmp.Diff(test.want, locked); diff != "" || got.Done || len(*deleted) > 0 {
			t.Errorf("%s: %v, %+v, deleted %v: %s", name, err, got, *deleted, diff)
		}
		if test.want == nil && (err != nil || got.Objects != len(entries)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestWhatIsUnderWayOrUnknownIsNotForgotten(t *testing.T) {
	root := uuid.Must(uuid.NewV7())
	for name, test := range map[string]struct {
		id      string
		entries []catalog.Entry
		reason  ForgetReason
		want    error
	}{
		"its JSON is not made yet": {root.String(), filed(root)[:1], "mistake", ErrUnderWay},
		"only its JSON is filed":   {root.String(), filed(root)[1:], "mistake", ErrUnderWay},
		"another message":          {uuid.Must(uuid.NewV7()).String(), filed(root), "mistake", ErrNoMessage},
		"no id":                    {"mistake", filed(root), "mistake", ErrNoMessage},
		"a reason in words":        {root.String(), filed(root), "Doe, Jane", ErrReason},
		"no reason":                {root.String(), filed(root), "", ErrReason},
	} {
		o, deleted := forgetter(t, test.entries, nil)
		if got, err := o.Forget(t.Context(), test.id, test.reason, false); !errors.Is(err, test.want) || got.Done || len(*deleted) > 0 {
			t.Errorf("%s: %v, %+v, deleted %v", name, err, got, *deleted)
		}
	}
}
