package operate

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/internal/testing/canary"
	"hl7lake/internal/testing/fake"
)

const (
	attributes   = `{"id":{"Type":"String","Value":"1"},"owner":{"Type":"String","Value":"a"}}`
	notification = `{"Type":"Notification","MessageId":"m","Subject":"read-in=utf-8","Message":"MSH|","Timestamp":"2026-11-22T20:32:42.448Z","MessageAttributes":` + attributes + `}`
)

func TestADeadLetterIsOpenedInBothOfItsForms(t *testing.T) {
	event := hub.Wire{Attributes: map[string]string{"id": "1", "owner": "a"}, Subject: "read-in=utf-8", Body: "MSH|"}
	record := func(requestPayload, errorType string) string {
		return `{"version":"1.0","requestContext":{"condition":"RetriesExhausted"},"requestPayload":` + requestPayload +
			`,"responsePayload":{"errorType":"` + errorType + `","errorMessage":"Doe, Jane"}}`
	}
	for _, test := range []struct {
		name, body string
		want       []hub.Wire
		cause      string
	}{
		{"SNS's own", notification, []hub.Wire{event}, "not delivered"},
		{"Lambda's record", record(`{"Records":[{"EventSource":"aws:sns","Sns":`+notification+`}]}`, "Fault"), []hub.Wire{event}, "Fault"},
		{"a batch", record(`{"Records":[{"Sns":`+notification+`},{"Sns":`+notification+`}]}`, "Runtime.ExitError"), []hub.Wire{event, event}, "Runtime.ExitError"},
		{"an error with words for a name", record(`{"Records":[{"Sns":`+notification+`}]}`, "no patient Jane"), []hub.Wire{event}, ""},
	} {
		got, cause, err := open(test.body)
		for i := range got {
			got[i].Published = event.Published
		}
		if diff := cmp.Diff(test.want, got); diff != "" || cause != test.cause || err != nil {
			t.Errorf("%s: %q, %v %s", test.name, cause, err, diff)
		}
	}
}

func TestWhatIsNoDeadLetterIsNotOpenedAndNotQuoted(t *testing.T) {
	quoted, err := json.Marshal(string(canary.Message()))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		"", "MSH|^~\\&|", "null", "[]", "{}", `{"Type":"UnsubscribeConfirmation"}`, `{"requestPayload":{"Records":[]}}`,
		`{"requestPayload":` + string(quoted) + `}`, `{"Type":"Notification","Timestamp":` + string(quoted) + `}`, string(canary.Message()),
	} {
		wires, cause, err := open(body)
		if wires != nil || cause != "" || err == nil {
			t.Errorf("%.40s: opened as %v, %q", body, wires, cause)
			continue
		}
		canary.Check(t, "the error", err.Error())
	}
}

func FuzzNoDeadLetterBreaksARedrive(f *testing.F) {
	f.Add(notification)
	f.Add(`{"requestPayload":{"Records":[{"Sns":` + notification + `}]},"responsePayload":{"errorType":"Fault"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		wires, _, err := open(body)
		if (err == nil) != (len(wires) > 0) {
			t.Errorf("%d events, %v", len(wires), err)
		}
		for _, wire := range wires {
			_, _ = wire.Event() // it may not be an event, and is then left in its queue
		}
	})
}

func TestALetterThatComesBackWithinTheFirstMillisecondIsNotRedrivenAgain(t *testing.T) {
	begin := time.UnixMilli(1_000).Add(400 * time.Microsecond)
	for since, want := range map[int64]bool{999: false, 1_000: true, 1_001: true} {
		if got := cameBack(time.UnixMilli(since), begin); got != want {
			t.Errorf("a letter of millisecond %d came back: %t", since, got)
		}
	}
}

func TestTheQueuesAreFoundByTheNameOfTheStackWithTheHub(t *testing.T) {
	outputs := client.Outputs{"hl7lake-dev-core": {client.OutputHub: "arn"}, "hl7lake-dev-front-door": {client.OutputAPI: "url"}}
	if got, err := stackPrefix(outputs); got != "hl7lake-dev-" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, wrong := range []client.Outputs{{}, {"core": {client.OutputHub: "arn"}}, {"hl7lake-dev": {client.OutputHub: "arn"}}} {
		if got, err := stackPrefix(wrong); err == nil {
			t.Errorf("%v: got %q", wrong, got)
		}
	}
}

// TestARedrivenEventsOldClaimCheckIsPutAnew redrives events whose claim checks were
// written just now, as if days had passed.
func TestARedrivenEventsOldClaimCheckIsPutAnew(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "" {
			_, _ = io.WriteString(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	credentials := client.StaticCredentials("a", "b")
	root := uuid.Must(uuid.NewV7())
	name := "checks/" + root.String() + "/" + root.String()
	for _, test := range []struct {
		days    int
		denied  string // the operation that the operator may not perform
		renewed bool
		want    Outcome
	}{
		{0, "", false, Redriven}, {2, "", true, Redriven}, {2, "GetObject", false, Redriven}, {2, "PutObject", false, NotSent},
	} {
		buckets, topic := &fake.Buckets{}, &fake.Topic{}
		check := hub.ClaimCheck{Bucket: "checks", Objects: buckets}
		event := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: root, Root: root, Owner: "a", Type: "ADT^A01", Body: make([]byte, 1<<20)}
		if err := (hub.Topic{ARN: "hub", Publisher: topic, ClaimCheck: check}).Publish(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		before := buckets.Written(name)
		time.Sleep(time.Millisecond)
		buckets.Before = func(_ context.Context, operation string) error {
			if operation == test.denied {
				return fake.Refusal("S3", operation, "AccessDenied", http.StatusForbidden)
			}
			return nil
		}
		r := &redrive{
			Operator: &Operator{
				route: replay.Route{Hub: hub.Topic{ARN: "hub", ClaimCheck: check,
					Publisher: sns.New(sns.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials})}},
				queues: sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials}),
			},
			url: "queue", begin: time.Now().Add(time.Second).AddDate(0, 0, test.days),
		}
		wires := []hub.Wire{hub.FromSNS(topic.Deliveries().Records[0].SNS)}
		got, err := r.publish(t.Context(), types.Message{ReceiptHandle: aws.String("handle")}, time.Now(), wires)
		if renewed := buckets.Written(name).After(before); got != test.want || (err != nil) != (test.want == NotSent) || renewed != test.renewed {
			t.Errorf("after %d days, may not %q: %s, %v, put anew: %t", test.days, test.denied, got, err, renewed)
		}
	}
}
