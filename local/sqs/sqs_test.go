package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"hl7lake/internal/testing/answer"
	"hl7lake/local/sqs"
	"hl7lake/local/store"
	"hl7lake/local/wire"
)

const (
	name = "hl7lake-test-undelivered"
	dead = "hl7lake-test-dead"
)

func allow(context.Context, string, string, map[string]string) error { return nil }

// open returns a service with two queues. The first redrives to the second. If a test
// opens it in a bubble, the test must close it.
func open(t *testing.T, path string) (*sqs.Service, *store.Store) {
	t.Helper()
	kept, err := store.Open(path, store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	s := sqs.New(kept, allow, "http://127.0.0.1:4566")
	for name, text := range map[string]string{
		name: `{"MessageRetentionPeriod":1209600,"KmsMasterKeyId":"k","RedrivePolicy":{"deadLetterTargetArn":"` + sqs.ARN(dead) + `","maxReceiveCount":3}}`,
		dead: `{"ReceiveMessageWaitTimeSeconds":20}`,
	} {
		var q sqs.Queue
		if err := json.Unmarshal([]byte(text), &q); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(name, q); err != nil {
			t.Fatal(err)
		}
	}
	return s, kept
}

func closeStore(t *testing.T, kept *store.Store) {
	if err := kept.Close(); err != nil {
		t.Error(err)
	}
}

// client is the SDK's, talking to a new service.
func client(t *testing.T) *awssqs.Client {
	t.Helper()
	s, kept := open(t, filepath.Join(t.TempDir(), "db"))
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		closeStore(t, kept)
	})
	return awssqs.New(awssqs.Options{
		Region: wire.Region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1, HTTPClient: answer.Whole{},
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
}

func url(name string) *string { return aws.String("http://127.0.0.1:4566/123456789012/" + name) }

// call calls the service without a network, as the SDK would.
func call(t *testing.T, s *sqs.Service, operation string, input map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(string(text)))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	output := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &output); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 {
		output["error"] = output["__type"]
	}
	return output
}

// receive returns the bodies and receipt handles of what can be received.
func receive(t *testing.T, s *sqs.Service, queue string, more ...any) (bodies, handles []string) {
	t.Helper()
	input := map[string]any{"QueueUrl": *url(queue), "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
	for i := 0; i < len(more); i += 2 {
		input[more[i].(string)] = more[i+1]
	}
	messages, _ := call(t, s, "ReceiveMessage", input)["Messages"].([]any)
	for _, m := range messages {
		bodies = append(bodies, m.(map[string]any)["Body"].(string))
		handles = append(handles, m.(map[string]any)["ReceiptHandle"].(string))
	}
	return bodies, handles
}

func TestAMessageIsSentReceivedAndDeletedWithItsAttributes(t *testing.T) {
	c, ctx := client(t), t.Context()
	attributes := map[string]types.MessageAttributeValue{
		"ErrorCode": {DataType: aws.String("Number"), StringValue: aws.String("200")},
		"Raw":       {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
		"Text":      {DataType: aws.String("String"), StringValue: aws.String("grün")},
	}
	sent, err := c.SendMessage(ctx, &awssqs.SendMessageInput{QueueUrl: url(name), MessageBody: aws.String("MSH|^~\\&|\r"), MessageAttributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	received, err := c.ReceiveMessage(ctx, &awssqs.ReceiveMessageInput{QueueUrl: url(name), MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(received.Messages) != 1 {
		t.Fatalf("got %+v, %v", received, err)
	}
	m := received.Messages[0]
	if *m.MessageId != *sent.MessageId || *m.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes || string(m.MessageAttributes["Raw"].BinaryValue) != "\x00\x01\xff" {
		t.Errorf("got %+v", m)
	}
	if m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("got %v", m.Attributes)
	}
	if _, err := c.DeleteMessage(ctx, &awssqs.DeleteMessageInput{QueueUrl: url(name), ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	counts, err := c.GetQueueAttributes(ctx, &awssqs.GetQueueAttributesInput{QueueUrl: url(name), AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || counts.Attributes["ApproximateNumberOfMessages"] != "0" || counts.Attributes["ApproximateNumberOfMessagesNotVisible"] != "0" {
		t.Errorf("got %v, %v", counts, err)
	}
}

// The digests are those that moto computes for the same message.
func TestTheDigestsAreThoseThatSDKsExpect(t *testing.T) {
	sent, err := client(t).SendMessage(t.Context(), &awssqs.SendMessageInput{QueueUrl: url(name), MessageBody: aws.String("hé"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"ErrorCode": {DataType: aws.String("Number"), StringValue: aws.String("200")},
			"Raw":       {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1, 255}},
			"Text":      {DataType: aws.String("String.x"), StringValue: aws.String("grün")},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if got := *sent.MD5OfMessageBody + " " + *sent.MD5OfMessageAttributes; got != "33fcd01258e6ba07ef405dc9e721f3a7 e60122184ceff445a9a33f7515b8f3a9" {
		t.Errorf("got %s", got)
	}
}

func TestEachOperationAsksForItsOwnPermission(t *testing.T) {
	kept, err := store.Open(filepath.Join(t.TempDir(), "db"), store.Fleeting)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, kept)
	var asked string
	s := sqs.New(kept, func(_ context.Context, action, resource string, _ map[string]string) error {
		asked = action + " " + resource
		return &wire.Error{Status: 403, Code: "AccessDenied"}
	}, "")
	for operation, action := range map[string]string{
		"SendMessage": "sqs:SendMessage", "SendMessageBatch": "sqs:SendMessage", "ReceiveMessage": "sqs:ReceiveMessage",
		"DeleteMessage": "sqs:DeleteMessage", "DeleteMessageBatch": "sqs:DeleteMessage", "PurgeQueue": "sqs:PurgeQueue",
		"ChangeMessageVisibility": "sqs:ChangeMessageVisibility", "GetQueueAttributes": "sqs:GetQueueAttributes", "GetQueueUrl": "sqs:GetQueueUrl",
	} {
		output := call(t, s, operation, map[string]any{"QueueUrl": *url(name), "QueueName": name})
		if want := action + " " + sqs.ARN(name); asked != want || output["error"] != "AccessDenied" {
			t.Errorf("%s asked for %s and answered %v", operation, asked, output)
		}
	}
	if err := s.Send(t.Context(), sqs.ARN(name), "x", nil); err == nil || asked != "sqs:SendMessage "+sqs.ARN(name) {
		t.Errorf("Send asked for %s: %v", asked, err)
	}
}

func TestABatchTellsWhichEntriesFailed(t *testing.T) {
	c := client(t)
	output, err := c.SendMessageBatch(t.Context(), &awssqs.SendMessageBatchInput{QueueUrl: url(name), Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("one")},
		{Id: aws.String("b"), MessageBody: aws.String("\x01")},
	}})
	if err != nil || len(output.Successful) != 1 || len(output.Failed) != 1 || *output.Failed[0].Code != "InvalidMessageContents" {
		t.Errorf("got %+v, %v", output, err)
	}
	_, err = c.SendMessageBatch(t.Context(), &awssqs.SendMessageBatchInput{QueueUrl: url(name), Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("one")}, {Id: aws.String("a"), MessageBody: aws.String("two")},
	}})
	var repeated *types.BatchEntryIdsNotDistinct
	if !errors.As(err, &repeated) {
		t.Errorf("got %v", err)
	}
}

func TestAQueueThatIsNotThereIsSaidSoByType(t *testing.T) {
	_, err := client(t).ReceiveMessage(t.Context(), &awssqs.ReceiveMessageInput{QueueUrl: url("nowhere")})
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

func TestAReceivedMessageComesBackAfterItsVisibilityTimeout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		s, kept := open(t, path)
		defer closeStore(t, kept)
		if err := s.Send(t.Context(), sqs.ARN(name), "one", map[string]string{"why": "test"}); err != nil {
			t.Fatal(err)
		}
		_, handles := receive(t, s, name)
		if again, _ := receive(t, s, name); len(again) != 0 {
			t.Fatalf("%q is received while it is hidden", again)
		}
		if got := call(t, s, "ChangeMessageVisibility", map[string]any{"QueueUrl": *url(name), "ReceiptHandle": handles[0], "VisibilityTimeout": 90}); got["error"] != nil {
			t.Fatal(got)
		}
		time.Sleep(89 * time.Second)
		if again, _ := receive(t, s, name); len(again) != 0 {
			t.Fatalf("%q is received while it is hidden", again)
		}
		time.Sleep(time.Second)
		if again, _ := receive(t, s, name); len(again) != 1 {
			t.Fatalf("got %q", again)
		}
		call(t, s, "DeleteMessage", map[string]any{"QueueUrl": *url(name), "ReceiptHandle": handles[0]})
		time.Sleep(30 * time.Second)
		if again, _ := receive(t, s, name); len(again) != 1 {
			t.Errorf("the handle of an earlier receive deleted the message")
		}
	})
}

func TestAMessageThatIsReceivedTooOftenGoesToTheDeadLetters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		s, kept := open(t, path)
		defer closeStore(t, kept)
		if err := s.Send(t.Context(), sqs.ARN(name), "one", nil); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if bodies, _ := receive(t, s, name, "VisibilityTimeout", 1); len(bodies) != 1 {
				t.Fatalf("got %q", bodies)
			}
			time.Sleep(time.Second)
		}
		if bodies, _ := receive(t, s, name); len(bodies) != 0 {
			t.Errorf("got %q a fourth time", bodies)
		}
		if bodies, _ := receive(t, s, dead); len(bodies) != 1 {
			t.Errorf("the dead letters are %q", bodies)
		}
	})
}

func TestAReceiverWaitsForTheNextMessage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		s, kept := open(t, path)
		defer closeStore(t, kept)
		begin := time.Now()
		if bodies, _ := receive(t, s, dead, "WaitTimeSeconds", 5); len(bodies) != 0 || time.Since(begin) != 5*time.Second {
			t.Errorf("got %q after %s", bodies, time.Since(begin))
		}
		var sender sync.WaitGroup
		sender.Go(func() {
			time.Sleep(3 * time.Second)
			if err := s.Send(t.Context(), sqs.ARN(dead), "late", nil); err != nil {
				t.Error(err)
			}
		})
		begin = time.Now()
		if bodies, _ := receive(t, s, dead, "WaitTimeSeconds", 20); len(bodies) != 1 || time.Since(begin) != 3*time.Second {
			t.Errorf("got %q after %s", bodies, time.Since(begin))
		}
		sender.Wait()
	})
}

func TestMessagesSurviveARestartUntilTheirRetentionIsOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	synctest.Test(t, func(t *testing.T) {
		s, kept := open(t, path)
		for i := range 12 {
			if err := s.Send(t.Context(), sqs.ARN(name), fmt.Sprint(i), nil); err != nil {
				t.Fatal(err)
			}
		}
		_, handles := receive(t, s, name)
		call(t, s, "DeleteMessage", map[string]any{"QueueUrl": *url(name), "ReceiptHandle": handles[0]})
		closeStore(t, kept)

		s, kept = open(t, path)
		if bodies, _ := receive(t, s, name); len(bodies) != 2 {
			t.Errorf("%q can be received, want the two that were not hidden", bodies)
		}
		time.Sleep(time.Minute)
		counts := call(t, s, "GetQueueAttributes", map[string]any{"QueueUrl": *url(name), "AttributeNames": []string{"ApproximateNumberOfMessages"}})
		if got := counts["Attributes"].(map[string]any)["ApproximateNumberOfMessages"]; got != "11" {
			t.Errorf("%v messages are there, want 11", got)
		}
		time.Sleep(14 * 24 * time.Hour)
		if bodies, _ := receive(t, s, name); len(bodies) != 0 {
			t.Errorf("%q outlived the retention", bodies)
		}
		closeStore(t, kept)
	})
}
