package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"hl7lake/client"
	"hl7lake/local/template"
)

// reconciled is what a run of the function reports.
type reconciled struct {
	Settled, Republished, Waiting, Missing, Unpublished, Abandoned, Failed int
	OldestUnstagedSeconds                                                  int
	Complete                                                               bool
}

// reconcile invokes the function for messages of any age. The age that it
// reports depends on the test's speed and is left out.
func (l *lake) reconcile(t *testing.T) reconciled {
	t.Helper()
	out, err := l.lambda().Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(functionOf(t, "lambdas/reconcile")), Payload: []byte(`{"overdueSeconds":0}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError != nil {
		t.Fatalf("reconcile fails: %s", out.Payload)
	}
	var r reconciled
	if err := json.Unmarshal(out.Payload, &r); err != nil {
		t.Fatal(err)
	}
	r.OldestUnstagedSeconds = 0
	return r
}

// functionOf is the name of the function that runs a package.
func functionOf(t *testing.T, program string) string {
	t.Helper()
	assembly, err := template.Load("../snapshots/dev")
	if err != nil {
		t.Fatal(err)
	}
	for _, function := range assembly.OfType("AWS::Lambda::Function") {
		if function.Metadata["hl7lake:package"] == program {
			return function.PhysicalID
		}
	}
	t.Fatalf("no function runs %s", program)
	return ""
}

func wantReconciled(t *testing.T, what string, got, want reconciled) {
	t.Helper()
	want.Complete = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// unsettled counts what the received table's index of unsettled claims holds.
func (l *lake) unsettled(t *testing.T) int {
	t.Helper()
	var table string
	names, err := l.dynamodb().ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names.TableNames {
		if strings.Contains(name, "Received") {
			table = name
		}
	}
	out, err := l.dynamodb().Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, IndexName: aws.String("unsettled")})
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
	wantReconciled(t, "stuck", l.reconcile(t), reconciled{Republished: 1})
	if h := ended(t, c, receipt.ID); h.Status != client.Staged {
		t.Errorf("ended as %s", h.Status)
	}
	if n := l.unsettled(t); n != 1 {
		t.Errorf("%d claims are unsettled, want 1", n)
	}
	wantReconciled(t, "staged", l.reconcile(t), reconciled{Settled: 1})
	wantReconciled(t, "settled", l.reconcile(t), reconciled{})
	if n := l.unsettled(t); n != 0 {
		t.Errorf("%d claims are unsettled, want none", n)
	}
}

func TestReconcileSettlesWhatCameToItsEndAndReportsWhatTheLakeDoesNotHold(t *testing.T) {
	l, outage := broken(t)
	c := l.client(t, l.admin(t))
	l.dead(t, c) // accepted, and in dead-letter queues only
	wantReconciled(t, "dead", l.reconcile(t), reconciled{Missing: 1})
	outage.over.Store(true)
	l.accepted(t, c, admission(1), []byte("a line of text"))
	wantReconciled(t, "dead beside others", l.reconcile(t), reconciled{Missing: 1, Settled: 2})
	l.redrive(t, false)
	// Those two are young, so each run looks at them again.
	eventually(t, "the dead letter is staged", func() bool { return l.reconcile(t) == reconciled{Settled: 3, Complete: true} })
	if all := len(l.keys(t, client.Ingestion)); all != 3 {
		t.Errorf("the lake holds %d messages, want 3", all)
	}
}

// forget takes a zone's entry of a message out of the catalog, as a table that
// was restored from yesterday lacks it.
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

// lose has the catalog forget of a large message that it is staged, and of one
// that is no HL7 that it was ever sent, and has reconcile bring back both.
func (l *lake) lose(t *testing.T, c *client.Client) {
	t.Helper()
	ids := l.accepted(t, c, document(1<<20+1), []byte("a third line of text"))
	before := l.histories(t, c, ids)
	l.forget(t, before[0], client.Staging)
	l.forget(t, before[1], client.Ingestion)
	if got := l.reconcile(t); got.Republished != 2 || got.Missing != 0 || got.Failed != 0 {
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
