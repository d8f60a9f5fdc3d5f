package load_test

import (
	"strings"
	"testing"
	"time"

	"hl7lake/client"
	"hl7lake/local"
	"hl7lake/local/bill"
	"hl7lake/local/store"
)

const million = 1_000_000

// feed is the rate, in messages a second, of a million messages in a day. It
// decides which share of them is traced.
const feed = million / (24. * 60 * 60)

// What a million messages may cost, in USD: what is counted, and what depends on
// how quick this machine is. docs/bill.md has the bill, and what would make it
// smaller.
const (
	countedBudget  = 24
	durationBudget = 10
)

// TestAMillionMessagesCostWhatTheirTableSays sends messages one at a time, so
// that no function waits for a processor that another one has.
func TestAMillionMessagesCostWhatTheirTableSays(t *testing.T) {
	const messages = 200
	running, err := local.Start(t.Context(), local.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Durable})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	outputs, err := running.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	key := running.Credentials()
	l := &lake{Connection: client.Connection{
		Outputs: outputs, Endpoint: running.URL(),
		Credentials: &client.Key{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey},
	}}
	l.addAdmin(t)
	s := &sender{lake: l}
	warmUp(t, s, 1)
	before := settledBill(t, running)
	begin := time.Now()
	if _, err := s.send(t.Context(), messages, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := l.allStaged(t.Context(), begin, messages); err != nil {
		t.Fatal(err)
	}
	used := settledBill(t, running).Less(before)

	for _, want := range []struct {
		charge bill.Charge
		each   float64
	}{
		{bill.APIRequest, 1}, {bill.LambdaRequest, 6}, {bill.Publish, 2}, {bill.Delivery, 3}, {bill.StatesRequest, 1},
		{bill.Put, 2}, {bill.Get, 0}, {bill.Write, 8}, {bill.Read, 0}, {bill.Trace, 1},
	} {
		if got := used.Quantity(want.charge) / messages; got != want.each {
			t.Errorf("%s: %v for each message, want %v", want.charge, got, want.each)
		}
	}
	all := used.Times(million / messages).Sampled(bill.Sampling(feed))
	var durations float64
	for _, line := range all.Lines {
		if line.Charge == bill.LambdaGBSecond || line.Charge == bill.StatesGBSecond {
			durations += line.USD
		}
	}
	if counted := all.USD() - durations; counted > countedBudget || durations > durationBudget {
		t.Errorf("a million messages cost %.2f USD and %.2f USD for the time that they take; the budgets are %d and %d",
			counted, durations, countedBudget, durationBudget)
	}
	var table strings.Builder
	if err := all.WriteMarkdown(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
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
