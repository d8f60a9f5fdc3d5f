package e2e_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/operate"
)

// reconcile looks at messages of any age. The ages that it reports depend on the test's
// speed and are left out.
func (l *lake) reconcile(t *testing.T) operate.Reconciled {
	t.Helper()
	found, err := l.operator(t).Reconcile(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	found.OldestUnstagedSeconds = 0
	for i := range found.MissingMessages {
		found.MissingMessages[i].AgeSeconds = 0
	}
	return found
}

func wantReconciled(t *testing.T, what string, got, want operate.Reconciled) {
	t.Helper()
	want.Complete = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// unsettled counts the claims in the received table's index of unsettled claims.
func (l *lake) unsettled(t *testing.T) int {
	t.Helper()
	out, err := l.dynamodb().Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(l.output(t, client.OutputReceived)), IndexName: aws.String("unsettled")})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Items)
}

func TestAMessageThatTheTriggerNeverGotIsPublishedAgain(t *testing.T) {
	l, outage := broken(t, "Trigger")
	c := l.client(t, l.admin(t))
	receipt, err := c.Send(t.Context(), client.Message{Body: admission(1)})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is in the lake", func() bool {
		h, err := c.History(t.Context(), receipt.ID)
		return err == nil && h.Status == client.Ingested
	})
	outage.over.Store(true)
	wantReconciled(t, "stuck", l.reconcile(t), operate.Reconciled{Republished: 1})
	if h := ended(t, c, receipt.ID); h.Status != client.Staged {
		t.Errorf("ended as %s", h.Status)
	}
	if n := l.unsettled(t); n != 1 {
		t.Errorf("%d claims are unsettled, want 1", n)
	}
	wantReconciled(t, "staged", l.reconcile(t), operate.Reconciled{Settled: 1})
	wantReconciled(t, "settled", l.reconcile(t), operate.Reconciled{})
	if n := l.unsettled(t); n != 0 {
		t.Errorf("%d claims are unsettled, want none", n)
	}
}

func TestReconcileSettlesWhatCameToItsEndAndReportsWhatTheLakeDoesNotHold(t *testing.T) {
	l, outage := broken(t)
	c := l.client(t, l.admin(t))
	id := l.dead(t, c) // accepted, and only in dead-letter queues
	missing := []operate.MissingMessage{{ID: id, Owner: scenario.Institution}}
	wantReconciled(t, "dead", l.reconcile(t), operate.Reconciled{Missing: 1, MissingMessages: missing})
	outage.over.Store(true)
	l.accepted(t, c, admission(1), []byte("a line of text"))
	wantReconciled(t, "dead beside others", l.reconcile(t), operate.Reconciled{Missing: 1, Settled: 2, MissingMessages: missing})
	l.redrive(t, false)
	// Those two are young, so each run looks at them again.
	eventually(t, "the dead letter is staged", func() bool { return l.reconcile(t).Settled == 3 })
	if all := len(l.keys(t, client.Ingestion)); all != 3 {
		t.Errorf("the lake holds %d messages, want 3", all)
	}
}

// forget deletes the entry of a message in a zone from the catalog. A table that was
// restored from yesterday lacks it in the same way.
func (l *lake) forget(t *testing.T, h client.History, zone client.Zone) {
	t.Helper()
	step, ok := h.Find(zone)
	if !ok {
		t.Fatalf("%s has nothing in %s", h.ID, zone)
	}
	_, err := l.dynamodb().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String(l.output(t, client.OutputCatalog)),
		Key: map[string]types.AttributeValue{
			"root": &types.AttributeValueMemberS{Value: h.ID},
			"sk":   &types.AttributeValueMemberS{Value: string(zone) + "#" + step.ID},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lose makes the catalog forget that a large message is staged, and that one that is not
// HL7 was ever sent. Reconcile must bring back both.
func (l *lake) lose(t *testing.T, c *client.Client) {
	t.Helper()
	ids := l.accepted(t, c, document(1<<20+1), []byte("a third line of text"))
	before := l.histories(t, c, ids)
	l.forget(t, before[0], client.Staging)
	l.forget(t, before[1], client.Ingestion)
	if got := l.reconcile(t); got.Republished != 2 || got.Missing != 0 {
		t.Errorf("reconcile reports %+v", got)
	}
	for i, id := range ids {
		after := ended(t, c, id)
		if after.Status != before[i].Status || len(after.Steps) != len(before[i].Steps) {
			t.Errorf("was %+v, is %+v", before[i], after)
		}
	}
}

func TestWhatTheCatalogForgotIsRecordedAgain(t *testing.T) {
	l := start(t)
	l.lose(t, l.client(t, l.admin(t)))
}
