package load_test

// This file is about what Finder adds to the bill.

import (
	"slices"
	"strings"
	"testing"

	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/store"
)

// countedFinderBudget is what Finder may add to a million messages in USD, without the time
// of its function. docs/bill.md has its bill.
const countedFinderBudget = 4.5

// identifiers is how many different ones a sent message has: two of the patient, one of
// the account and of the visit, and its control id.
const identifiers = 5

// TestFinderAddsWhatItsTableSays sends the same messages to a lake without Finder and to
// one with it, and compares what is counted. Of the time, it takes that of Finder's
// function.
func TestFinderAddsWhatItsTableSays(t *testing.T) {
	const messages = 200
	fed := func(t *testing.T, l *metered) bill.Bill {
		warmUp(t, l.sender, 1)
		return l.spent(t, func(t *testing.T) { l.feed(t, messages) }).Times(1. / messages)
	}
	without := fed(t, startMetered(t))
	with := fed(t, startHere(t, local.Options{Durability: store.Durable}))
	took := with
	took.Lines = slices.DeleteFunc(slices.Clone(with.Lines), func(line bill.Line) bool { return !isDuration(line) || line.Detail != "index" })
	added := timeless(with).Less(timeless(without))
	wantEach(t, added, map[bill.Charge]float64{
		bill.LambdaRequest: 1, bill.Read: 1, bill.Delivery: 1, bill.Publish: 0, bill.Put: 0, bill.Get: 0,
	})
	// An entry for each identifier and the item of the message. Chance decides how the
	// two lakes count what institutions take of their shares, see wantWrites.
	if writes := added.Quantity(bill.Write); writes < identifiers+1-0.15 || writes > identifiers+1+0.15 {
		t.Errorf("%v write units for each message, want %d", writes, identifiers+1)
	}
	if keys := added.Quantity(bill.KMSRequest) * messages; keys > institutions {
		t.Errorf("KMS is asked %v times, want at most once for each of %d institutions", keys, institutions)
	}
	million := added.And(took).Times(million)
	if counted := million.USD() - durations(million); counted > countedFinderBudget {
		t.Errorf("Finder adds %.2f USD that are counted; the budget is %.2f", counted, countedFinderBudget)
	}
	var table strings.Builder
	if err := million.WriteMarkdown(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}
