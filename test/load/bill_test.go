package load_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/internal/testing/altered"
	"hl7lake/internal/testing/running"
	"hl7lake/internal/testing/testbed"
	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/store"
	"hl7lake/operate"
)

const million = 1_000_000

// feed is the rate of a million messages a day, in messages a second. It decides which
// share of them is traced.
const feed = million / (24. * 60 * 60)

// runsADay is how often reconcile runs.
const runsADay = 24 * 4

// What a million messages may cost, in USD: everything, and what is counted, of the lake
// and of its tables. The rest is for the time that functions take, in the fastest of a
// few runs. docs/bill.md has the bill.
const (
	budget              = 20
	countedBudget       = 19
	countedTablesBudget = 0.6
)

// quiet is what the time of the functions costs for a message, in USD, if nothing else
// keeps the machine busy.
const quiet = 0.4 / million

// TestAMillionMessagesCostWhatTheirTableSays is about a lake without Finder, whose price
// is told apart (bill_finder_test.go). It sends messages one at a time, so that no
// function waits for a processor that another one has.
func TestAMillionMessagesCostWhatTheirTableSays(t *testing.T) {
	l := startMetered(t)
	idle := l.spent(t, func(t *testing.T) { l.reconcile(t) })
	warmUp(t, l.sender, 1)
	message := l.message(t).And(l.look(t, idle))
	lake := message.Times(million).Sampled(bill.Sampling(feed)).And(idle.Times(runsADay))
	if counted := lake.USD() - durations(lake); counted > countedBudget {
		t.Errorf("a million messages cost %.2f USD that are counted, without their tables; the budget is %d", counted, countedBudget)
	}
	tables := l.tables(t)
	if counted := tables.USD() - durations(tables); counted > countedTablesBudget {
		t.Errorf("the tables of a million messages cost %.2f USD that are counted; the budget is %.2f", counted, countedTablesBudget)
	}
	whole, timed := lake.USD()+tables.USD(), durations(lake)+durations(tables)
	switch {
	case timed > quiet*million: // the machine is busy with other work, and this is not the time of the lake
		t.Logf("a million messages cost %.2f USD on this busy machine, %.2f of them for time", whole, timed)
	case whole > budget:
		t.Errorf("a million messages cost %.2f USD, %.2f of them for the tables; the budget is %d", whole, tables.USD(), budget)
	}
	for _, part := range []bill.Bill{lake, tables} {
		var table strings.Builder
		if err := part.WriteMarkdown(&table); err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + table.String())
	}
}

// metered is a lake in this process, whose meter can be read.
type metered struct {
	*lake
	running *local.Lake
	sender  *sender
}

func startMetered(t *testing.T) *metered {
	t.Helper()
	return startHere(t, local.Options{Durability: store.Durable, Assembly: altered.Without(t, "../snapshots/dev", "Finder")})
}

// startHere runs a lake in this process until the test ends.
func startHere(t *testing.T, o local.Options, tests ...testbed.Options) *metered {
	t.Helper()
	o.Dir, o.Addr = t.TempDir(), "127.0.0.1:0"
	started, connection := running.Lake(t, o, tests...)
	l := &lake{Connection: connection}
	l.addEngines(t)
	return &metered{lake: l, running: started, sender: &sender{lake: l}}
}

// message is the bill of one message, from its post to its JSON, in the fastest of a few
// runs.
func (l *metered) message(t *testing.T) (quietest bill.Bill) {
	t.Helper()
	const messages, runs = 200, 5
	for run := range runs {
		one := l.spent(t, func(t *testing.T) { l.feed(t, messages) }).Times(1. / messages)
		wantEach(t, one, map[bill.Charge]float64{
			bill.APIRequest: 1, bill.LambdaRequest: 5, bill.Publish: 2, bill.Delivery: 3, bill.StatesRequest: 1,
			bill.Put: 2, bill.Get: 0, bill.Read: 0, bill.Trace: 1,
		})
		wantWrites(t, one.Quantity(bill.Write))
		if run == 0 || durations(one) < durations(quietest) {
			quietest = one
		}
		if durations(quietest) < quiet {
			break
		}
	}
	return quietest
}

// look is the bill for reconcile's look at one message that has ended, in a run that
// looks at all. idle is the bill of a run without a message.
func (l *metered) look(t *testing.T, idle bill.Bill) bill.Bill {
	t.Helper()
	var messages int
	all := l.spent(t, func(t *testing.T) { messages = l.reconcile(t) })
	look := all.Less(idle).Times(1 / float64(messages))
	wantEach(t, look, map[bill.Charge]float64{bill.Write: 0, bill.Put: 0, bill.Publish: 0})
	if reads := look.Quantity(bill.Read); reads < 1 || reads > 1.1 {
		t.Errorf("reconcile reads %v units for each message, want 1 for its history and a little for its place in the index", reads)
	}
	return look
}

// wantWrites expects five writes for a message, and for about twenty one of its
// institution's allowance and one of its share of staging: chance decides how many runs
// begin with units left, and how many instances share the messages.
func wantWrites(t *testing.T, each float64) {
	t.Helper()
	if each < 5.08 || each > 5.2 {
		t.Errorf("%v write units for each message, want 5.1", each)
	}
}

func wantEach(t *testing.T, of bill.Bill, want map[bill.Charge]float64) {
	t.Helper()
	for charge, each := range want {
		if got := of.Quantity(charge); got < each-1e-9 || got > each+1e-9 {
			t.Errorf("%s: %v for each message, want %v", charge, got, each)
		}
	}
}

// durations is the part of a bill that depends on how fast this machine is.
func durations(b bill.Bill) (usd float64) {
	for _, line := range b.Lines {
		if isDuration(line) {
			usd += line.USD
		}
	}
	return usd
}

func isDuration(line bill.Line) bool {
	return line.Charge == bill.LambdaGBSecond || line.Charge == bill.StatesGBSecond
}

// feed sends messages, one at a time, and waits until all are JSON.
func (l *metered) feed(t *testing.T, messages int) {
	t.Helper()
	begin := time.Now()
	if _, err := l.sender.send(t.Context(), messages, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := l.allStaged(t.Context(), begin, messages); err != nil {
		t.Fatal(err)
	}
}

// operator may do with the lake what an administrator may.
func (l *metered) operator(t *testing.T) *operate.Operator {
	t.Helper()
	operator, err := operate.New(l.Connection, aws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

// reconcile makes the function look at everything received so far, because it is young,
// and returns how many messages have ended.
func (l *metered) reconcile(t *testing.T) (settled int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	found, err := l.operator(t).Reconcile(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	return found.Settled
}

// spent returns the bill of what was done.
func (l *metered) spent(t *testing.T, do func(*testing.T)) bill.Bill {
	t.Helper()
	before := settledBill(t, l.running)
	do(t)
	return settledBill(t, l.running).Less(before)
}

// settledBill waits until nothing is under way and returns the bill.
func settledBill(t *testing.T, running *local.Lake) bill.Bill {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		pending, err := running.Pending()
		if err != nil {
			t.Fatal(err)
		}
		if pending == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events are still under way", pending)
		}
	}
	b, err := running.Bill()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
