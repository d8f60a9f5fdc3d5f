package bill_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/local/bill"
)

// charged is what one use of the meter adds to each charge.
func charged(use func(*bill.Meter)) map[bill.Charge]float64 {
	var m bill.Meter
	use(&m)
	all := map[bill.Charge]float64{}
	for _, line := range m.Bill().Lines {
		all[line.Charge] += line.Quantity
	}
	return all
}

func TestUnitsAreCountedAsAWSRoundsThem(t *testing.T) {
	const kb = 1024
	for name, test := range map[string]struct {
		use  func(*bill.Meter)
		want map[bill.Charge]float64
	}{
		"an empty request":          {func(m *bill.Meter) { m.APICall(0) }, map[bill.Charge]float64{bill.APIRequest: 1}},
		"a request of unknown size": {func(m *bill.Meter) { m.APICall(-1) }, map[bill.Charge]float64{bill.APIRequest: 1}},
		"a request of 512 KB":       {func(m *bill.Meter) { m.APICall(512 * kb) }, map[bill.Charge]float64{bill.APIRequest: 1}},
		"one byte more":             {func(m *bill.Meter) { m.APICall(512*kb + 1) }, map[bill.Charge]float64{bill.APIRequest: 2}},
		"a message of 64 KB":        {func(m *bill.Meter) { m.Published(64 * kb) }, map[bill.Charge]float64{bill.Publish: 1}},
		"a message of 256 KB":       {func(m *bill.Meter) { m.Published(256 * kb) }, map[bill.Charge]float64{bill.Publish: 4}},
		"a deletion":                {func(m *bill.Meter) { m.Queued(0) }, map[bill.Charge]float64{bill.QueueRequest: 1}},
		"a queued message of 65 KB": {func(m *bill.Meter) { m.Queued(65 * kb) }, map[bill.Charge]float64{bill.QueueRequest: 2}},
		"a short execution": {func(m *bill.Meter) { m.Executed("", time.Millisecond) },
			map[bill.Charge]float64{bill.StatesRequest: 1, bill.StatesGBSecond: 0.1 / 16}},
		"an execution of 101 ms": {func(m *bill.Meter) { m.Executed("", 101*time.Millisecond) },
			map[bill.Charge]float64{bill.StatesRequest: 1, bill.StatesGBSecond: 0.2 / 16}},
		"a millisecond begun": {func(m *bill.Meter) { m.Invoked(bill.Invocation{MemoryMB: 512, Duration: 1500 * time.Microsecond}) },
			map[bill.Charge]float64{bill.LambdaRequest: 1, bill.LambdaGBSecond: 0.001}},
		"an event of 256 KB": {func(m *bill.Meter) { m.Invoked(bill.Invocation{AsyncSize: 256 * kb}) }, map[bill.Charge]float64{bill.LambdaRequest: 1}},
		"an event of 400 KB": {func(m *bill.Meter) { m.Invoked(bill.Invocation{AsyncSize: 400 * kb}) }, map[bill.Charge]float64{bill.LambdaRequest: 4}},
		"a traced request":   {func(m *bill.Meter) { m.Invoked(bill.Invocation{Traced: true}) }, map[bill.Charge]float64{bill.LambdaRequest: 1, bill.Trace: 1}},
		"two lines of a log": {func(m *bill.Meter) { m.Logged("f", 200, 2) }, map[bill.Charge]float64{bill.LogByte: 252}},
	} {
		if diff := cmp.Diff(test.want, charged(test.use)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryChargeHasAPrice(t *testing.T) {
	charges := []bill.Charge{
		bill.APIRequest, bill.LambdaRequest, bill.LambdaGBSecond, bill.Publish, bill.Delivery, bill.QueueRequest, bill.Write, bill.Read,
		bill.Put, bill.Get, bill.StatesRequest, bill.StatesGBSecond, bill.LogByte, bill.Trace, bill.KMSRequest,
	}
	var m bill.Meter
	for _, c := range charges {
		m.Add(c, "", 1)
	}
	var priced []bill.Charge
	for _, line := range m.Bill().Lines {
		priced = append(priced, line.Charge)
		if (line.USD == 0) != (line.Charge == bill.Delivery) || line.Service == "" || line.Unit == "" {
			t.Errorf("the price of %s: %+v", line.Charge, line)
		}
	}
	if diff := cmp.Diff(charges, priced); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestABillIsOfWhatWasUsedSince(t *testing.T) {
	var m bill.Meter
	m.Add(bill.Put, "", 3)
	m.Add(bill.Write, "", 5)
	before := m.Bill()
	m.Add(bill.Put, "", 2)
	since := m.Bill().Less(before).Times(1000)
	if got := since.Quantity(bill.Put); got != 2000 {
		t.Errorf("%v puts", got)
	}
	if got := since.USD(); math.Abs(got-0.01) > 1e-12 {
		t.Errorf("%v USD, want 0.01", got)
	}
}

func TestTwoBillsAreOne(t *testing.T) {
	var a, b bill.Meter
	a.Add(bill.Put, "", 3)
	a.Add(bill.LambdaRequest, "f", 1)
	b.Add(bill.Put, "", 2)
	b.Add(bill.LambdaRequest, "g", 1)
	both := a.Bill().And(b.Bill())
	if puts, requests := both.Quantity(bill.Put), both.Quantity(bill.LambdaRequest); puts != 5 || requests != 2 || len(both.Lines) != 3 {
		t.Errorf("%+v", both.Lines)
	}
}

func TestXRayRecordsTheFirstOfASecondAndOneInTwentyOfTheRest(t *testing.T) {
	for perSecond, want := range map[float64]float64{0.1: 1, 1: 1, 2: 0.525, 101: 6.0 / 101} {
		if got := bill.Sampling(perSecond); math.Abs(got-want) > 1e-12 {
			t.Errorf("of %v a second: %v, want %v", perSecond, got, want)
		}
	}
	var m bill.Meter
	m.Add(bill.Trace, "", 1000)
	m.Add(bill.Put, "", 1000)
	if b := m.Bill().Sampled(0.25); b.Quantity(bill.Trace) != 250 || b.Quantity(bill.Put) != 1000 {
		t.Errorf("sampled: %+v", b)
	}
}

func TestATableSumsUpEachService(t *testing.T) {
	var m bill.Meter
	m.Add(bill.Put, "", 2_000_000)
	m.Add(bill.LambdaRequest, "a", 1_000_000)
	m.Add(bill.LambdaRequest, "b", 1_000_000)
	var text strings.Builder
	if err := m.Bill().WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	const want = `| service | what | quantity | USD |
|---|---|--:|--:|
| Lambda | request: a | 1,000,000 | 0.20 |
| Lambda | request: b | 1,000,000 | 0.20 |
| *Lambda* | | | *0.40* |
| S3 | PUT, COPY, POST or LIST request | 2,000,000 | 10.00 |
| **total** | | | **10.40** |
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
