package fault_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/local"
	"hl7lake/local/template"
)

// document returns a message of exactly size bytes whose JSON is a little larger.
func document(size int) []byte {
	message := []byte("MSH|^~\\&|APP|HERE|LAKE|THERE|20260102030405||ORU^R01|1|T|2.5.1\rOBX|1|ED|X^Document||")
	return append(message, bytes.Repeat([]byte("QUJD"), size/4+1)[:size-len(message)]...)
}

// keep sends a document of the size, and reports whether it came back unchanged and
// became JSON.
func (l *lake) keep(ctx context.Context, s sender, size int) (id string, err error) {
	m := &message{sender: s, body: document(size), hl7: true}
	if err := l.send(ctx, m); err != nil {
		return "", err
	}
	history, err := m.follow(ctx)
	if err != nil {
		return "", err
	}
	if history.Status != "staged" {
		return "", fmt.Errorf("%d bytes ended as %s", size, history.Status)
	}
	back, err := s.lake.ER7(ctx, history.ID)
	if err == nil && !bytes.Equal(back, m.body) {
		err = fmt.Errorf("%d bytes came back as %d others", size, len(back))
	}
	return history.ID, err
}

// checked counts the bodies of a message that travelled as a claim check.
func (l *lake) checked(ctx context.Context, id string) (n int, err error) {
	buckets, err := l.s3().ListBuckets(ctx, &s3.ListBucketsInput{})
	if err != nil {
		return 0, err
	}
	for _, bucket := range buckets.Buckets {
		objects, err := l.s3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket.Name, Prefix: aws.String(id + "/")})
		if err != nil {
			return 0, err
		}
		n += len(objects.Contents)
	}
	return n, nil
}

// TestMessagesAtTheLimitsOfTheirTransportAreKept looks for the sizes at which one more
// byte makes a body travel another way, and sends messages on both sides through the
// lake.
func TestMessagesAtTheLimitsOfTheirTransportAreKept(t *testing.T) {
	t.Parallel()
	l, _ := start(t, nil)
	s, err := l.sender(t.Context(), "cell-0001")
	if err != nil {
		t.Fatal(err)
	}
	// The JSON exceeds the limit first, then the message on its way to the workflow's
	// second step, then the message itself.
	const least, most = 250_000, 255_000
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for checks := 1; checks <= 3; checks++ {
		limit := least + sort.Search(most-least, func(n int) bool {
			id, err := l.keep(ctx, s, least+n)
			if err != nil {
				t.Fatal(err)
			}
			n, err = l.checked(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return n >= checks
		})
		if limit <= least || limit >= most {
			t.Errorf("no limit between %d and %d bytes", least, most)
		}
		t.Logf("%d bytes: with one more, %d bodies travel as a claim check", limit-1, checks)
	}
}

// TestTheLargestBodyThatTheAPITakesIsKept finds that size with bodies that are refused
// without being stored.
func TestTheLargestBodyThatTheAPITakesIsKept(t *testing.T) {
	t.Parallel()
	l, _ := start(t, nil)
	s, err := l.sender(t.Context(), "cell-0001")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const least, most = 4_600_000, 4_750_000 // bytes: Lambda's 6 MB hold the body in base64
	size := least + sort.Search(most-least, func(n int) bool {
		told := l.postInTurn(ctx, s, bytes.Repeat([]byte(" "), least+n+1))
		switch told.Status {
		case http.StatusBadRequest:
			return false
		case http.StatusRequestEntityTooLarge:
			return true
		}
		t.Fatalf("a blank body of %d bytes is answered %+v", least+n+1, told)
		return false
	})
	if _, err := l.keep(ctx, s, size); err != nil {
		t.Errorf("the largest message, %d bytes: %v", size, err)
	}
	if told := l.postInTurn(ctx, s, document(size+1)); told.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("one byte more is answered %d %s", told.Status, told.Body)
	}
	t.Logf("the largest message has %d bytes", size)
}

// TestWhatExpiresOutlivesEveryDeadLetter: a letter may be the last thing that refers to a
// body in the claim-check bucket.
func TestWhatExpiresOutlivesEveryDeadLetter(t *testing.T) {
	assembly, err := local.Load("../snapshots/prod")
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * 60 * 60
	var kept, retries int // seconds
	for _, queue := range assembly.OfType("AWS::SQS::Queue") {
		kept = max(kept, number(t, queue, "MessageRetentionPeriod"))
	}
	for _, invoke := range assembly.OfType("AWS::Lambda::EventInvokeConfig") {
		retries = max(retries, number(t, invoke, "MaximumEventAgeInSeconds"))
	}
	found := false
	for _, bucket := range assembly.OfType("AWS::S3::Bucket") {
		text, err := bucket.JSON()
		if err != nil {
			t.Fatal(err)
		}
		_, after, expires := strings.Cut(string(text), `"ExpirationInDays":`)
		if !expires || strings.HasPrefix(bucket.LogicalID, "Answers") { // Athena's answers, to which no letter refers
			continue
		}
		found = true
		var days int
		if _, err := fmt.Sscanf(after, "%d", &days); err != nil || days*day <= kept+retries {
			t.Errorf("%s expires after %d days (%v), a letter about its content may be %d seconds old", bucket.LogicalID, days, err, kept+retries)
		}
	}
	if !found || kept == 0 {
		t.Error("nothing expires, or there are no dead letters: this test is about other templates")
	}
}

func number(t *testing.T, r *template.Resource, property string) int {
	t.Helper()
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	_, after, given := strings.Cut(string(text), `"`+property+`":`)
	n := 0
	if _, err := fmt.Sscanf(after, "%d", &n); given && err != nil {
		t.Fatal(err)
	}
	return n
}
