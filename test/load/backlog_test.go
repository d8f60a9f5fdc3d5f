package load_test

import (
	"strings"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/fault"
	"hl7lake/local/store"
	"hl7lake/operate"
)

// The backlog's figures: staging has few executions, and each takes a time in which the
// processors are free, as on AWS. The backlog alone would fill it for five seconds, as
// long as another institution posts.
const (
	executions  = 6
	execution   = 100 * time.Millisecond
	stored      = 100 // messages of the institution with the backlog
	replays     = 3   // of each
	stagedShare = 10  // messages a second that one institution may have staged at once
)

// TestABacklogOfOneInstitutionInStagingLeavesAnotherItsLatency measures how long one
// institution's messages take until they are JSON, first alone and then while
// another's are replayed, more of them than it may have staged at once. All of the
// backlog is staged in the end, and none of it is a dead letter. The test then takes
// the share away and sees that the backlog would be felt.
func TestABacklogOfOneInstitutionInStagingLeavesAnotherItsLatency(t *testing.T) {
	leavesLatency(t, share{stagedShare, 2 * stagedShare}, backlogOf)
}

// backlogOf measures a lake in which an institution may have so much staged at once.
func backlogOf(t *testing.T, staged share) (usual, beside latency) {
	t.Helper()
	l := startHere(t, local.Options{
		Durability: store.Fleeting, EventsPerInstance: *shared, Assembly: assembly(t, unlimited(), staged, executions),
	}, testbed.Options{Faults: func(p fault.Point) fault.Fault {
		if p.Call == fault.Invocation && strings.Contains(p.Function, "Parse") {
			return fault.Fault{Kind: fault.Stall, Delay: execution}
		}
		return fault.Fault{}
	}})
	warmUp(t, l.sender, institutions)
	begin := time.Now()
	for range stored {
		if _, err := l.engines[0].Send(t.Context(), client.Message{Body: message(int(l.sender.sent.Add(1)))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.allStaged(t.Context(), begin, stored); err != nil {
		t.Fatal(err)
	}
	usual = l.sender.trickle(t, func() {})
	l.replay(t, institution(0))
	beside = l.sender.trickle(t, func() {})
	used := settledBill(t, l.running) // when all of the backlog is staged
	t.Logf("%.0f requests to the queue, three for each message that was deferred", used.Quantity(bill.QueueRequest))
	if dead := l.deadLetters(t); dead > 0 {
		t.Errorf("%d messages are dead letters", dead)
	}
	return usual, beside
}

// replay has all messages of an institution staged again, several times each.
func (l *metered) replay(t *testing.T, owner string) {
	t.Helper()
	operator := l.operator(t)
	for range replays {
		err := operator.Replay(t.Context(), operate.Selection{Owner: owner}, false, func(r operate.Replayed) {
			if r.Err != nil {
				t.Error(r.Err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// deadLetters counts what lies in the dead-letter queues.
func (l *metered) deadLetters(t *testing.T) (n int) {
	t.Helper()
	if err := l.operator(t).Redrive(t.Context(), operate.RedriveOptions{DryRun: true}, func(operate.DeadLetter) { n++ }); err != nil {
		t.Fatal(err)
	}
	return n
}
