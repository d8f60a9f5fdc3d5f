package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/internal/testing/canary"
	"hl7lake/operate"
)

// held returns how many object versions and claim checks of a message exist.
func (l *lake) held(t *testing.T, id string, history client.History) (count int) {
	t.Helper()
	for _, step := range history.Steps {
		out, err := l.s3().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &step.Bucket, Prefix: &step.Key})
		if err != nil {
			t.Fatal(err)
		}
		count += len(out.Versions) + len(out.DeleteMarkers)
	}
	checks, err := l.s3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(l.output(t, client.OutputClaimCheck)), Prefix: aws.String(id + "/")})
	if err != nil {
		t.Fatal(err)
	}
	return count + len(checks.Contents)
}

func TestAForgottenMessageLeavesItsRecordAndMayBeSentAgain(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	for name, body := range map[string][]byte{
		"staged": admission(1), "an error": []byte("a line of text"), "with claim checks": document(1 << 20), "more than an answer holds": document(4<<20 + 1),
	} {
		id := l.accepted(t, c, body)[0]
		before := l.histories(t, c, []string{id})[0]
		held := l.held(t, id, before)
		dry, err := l.operator(t).Forget(t.Context(), id, "wrong-patient", true)
		if err != nil || dry.Done || dry.Objects != held || l.held(t, id, before) != held {
			t.Errorf("%s: the dry run: %+v of %d, %v", name, dry, held, err)
		}
		if again := l.mustDo(t, er7(token(t, tokens), body)); again.status != http.StatusConflict {
			t.Errorf("%s: sent after the dry run, answered %d", name, again.status)
		}

		done, err := l.operator(t).Forget(t.Context(), id, "wrong-patient", false)
		want := operate.Forgotten{ID: id, Owner: scenario.Institution, Reason: "wrong-patient", Objects: held, Released: true, Done: true}
		if done != want || err != nil {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		if left := l.held(t, id, before); left != 0 {
			t.Errorf("%s: %d objects are left", name, left)
		}
		l.wantForgotten(t, c, id, before)

		again := l.mustDo(t, er7(token(t, tokens), body))
		if again.status != http.StatusCreated || again.answer(t).ID == id {
			t.Errorf("%s: sent again, answered %d %s", name, again.status, again.body)
			continue
		}
		ended(t, c, again.answer(t).ID)
		if back, err := c.ER7(t.Context(), again.answer(t).ID); err != nil || string(back) != string(body) {
			t.Errorf("%s: the new message is %d bytes, %v", name, len(back), err)
		}

		// A second call changes nothing, and does not touch the new message.
		twice, err := l.operator(t).Forget(t.Context(), id, "mistake", false)
		if err != nil || twice.Objects != 0 || twice.Released {
			t.Errorf("%s: forgotten twice: %+v, %v", name, twice, err)
		}
		l.wantForgotten(t, c, id, before)
		if third := l.mustDo(t, er7(token(t, tokens), body)); third.status != http.StatusConflict || third.answer(t).ID != again.answer(t).ID {
			t.Errorf("%s: sent a third time, answered %d %s", name, third.status, third.body)
		}
		if r := l.replay(t, operate.Selection{IDs: []string{id}}, false)[id]; r.Done || !errors.Is(r.Err, operate.ErrForgotten) {
			t.Errorf("%s: replayed: %+v", name, r)
		}
	}
	if all := l.replay(t, operate.Selection{Errors: true}, true); len(all) != 1 {
		t.Errorf("of all errors %d would be replayed, want the one that was not forgotten", len(all))
	}
}

// wantForgotten checks that content is gone, and that the record says why.
func (l *lake) wantForgotten(t *testing.T, c *client.Client, id string, before client.History) {
	t.Helper()
	_, err := c.ER7(t.Context(), id)
	if problem, ok := errors.AsType[*client.Problem](err); !ok || problem.Status != http.StatusGone {
		t.Errorf("the content of %s: %v", id, err)
	}
	after := l.histories(t, c, []string{id})[0]
	if after.Status != before.Status || len(after.Steps) != len(before.Steps) {
		t.Errorf("the history was %+v and is %+v", before, after)
	}
	for _, step := range after.Steps {
		if step.Forgotten.IsZero() || step.ForgottenReason != "wrong-patient" {
			t.Errorf("the record says %s, %q", step.Forgotten, step.ForgottenReason)
		}
	}
	root, err := attributevalue.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.dynamodb().Query(t.Context(), &dynamodb.QueryInput{
		TableName: aws.String(l.output(t, client.OutputCatalog)), KeyConditionExpression: aws.String("#root = :root"),
		ExpressionAttributeNames: map[string]string{"#root": "root"}, ExpressionAttributeValues: map[string]types.AttributeValue{":root": root},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range out.Items {
		if _, has := item["control_id_sha256"]; has {
			t.Error("the catalog keeps the hash of the control id")
		}
	}
}

// TestWhatIsFiledAfterAMessageWasForgottenIsNotShownAndIsFound has a replay under way,
// in another character set, while its message is forgotten: its result has another id
// than what was there before.
func TestWhatIsFiledAfterAMessageWasForgottenIsNotShownAndIsFound(t *testing.T) {
	l := start(t)
	tokens := l.admin(t)
	c := l.client(t, tokens)
	body := admission(1)
	id := l.accepted(t, c, body)[0]
	before := l.histories(t, c, []string{id})[0]
	if _, err := l.operator(t).Forget(t.Context(), id, "wrong-patient", false); err != nil {
		t.Fatal(err)
	}
	l.publishWith(t, id, "ADT^A01", aws.String("read-in=iso-8859-2"), body)
	eventually(t, "the replay is filed", func() bool {
		after := l.histories(t, c, []string{id})[0]
		return len(after.Steps) == len(before.Steps)+1 && l.held(t, id, after) == 2
	})
	for part, read := range map[string]func(context.Context, string) ([]byte, error){"er7": c.ER7, "json": c.JSON} {
		_, err := read(t.Context(), id)
		if problem, ok := errors.AsType[*client.Problem](err); !ok || problem.Status != http.StatusGone {
			t.Errorf("%s: %v", part, err)
		}
	}
	if found := l.remains(t); found != 2 {
		t.Errorf("%d objects are found to remain, want the message and its JSON", found)
	}
	if _, err := l.operator(t).Forget(t.Context(), id, "wrong-patient", false); err != nil {
		t.Fatal(err)
	}
	if found := l.remains(t); found != 0 {
		t.Errorf("forgotten again, %d objects remain", found)
	}
}

// remains counts what a verification finds of forgotten messages.
func (l *lake) remains(t *testing.T) int {
	t.Helper()
	counts, err := l.operator(t).Verify(t.Context(), func(operate.Discrepancy) {})
	if err != nil {
		t.Fatal(err)
	}
	return counts.Faults[operate.Remains]
}

// TestADeadLetterOfAForgottenMessageIsNotFiledOnceMore has a message that reached the
// lake while its first deliveries are in dead-letter queues.
func TestADeadLetterOfAForgottenMessageIsNotFiledOnceMore(t *testing.T) {
	l, outage := broken(t)
	c := l.client(t, l.admin(t))
	id := l.dead(t, c)
	if _, err := l.operator(t).Forget(t.Context(), id, "mistake", false); !errors.Is(err, operate.ErrNoMessage) {
		t.Errorf("of what the lake does not hold: %v", err)
	}
	outage.over.Store(true)
	l.publish(t, id, "ADT^A01", canary.Message())
	before := ended(t, c, id)
	if done, err := l.operator(t).Forget(t.Context(), id, "mistake", false); err != nil || !done.Released {
		t.Fatalf("%+v, %v", done, err)
	}
	wantOutcomes(t, l.redrive(t, true), "TriggerFailed would be", "WriterUndelivered would be")
	wantOutcomes(t, l.redrive(t, false), "TriggerFailed forgotten", "WriterUndelivered forgotten")
	wantOutcomes(t, l.redrive(t, false))
	if left := l.held(t, id, before); left != 0 {
		t.Errorf("%d objects are there again", left)
	}
}
