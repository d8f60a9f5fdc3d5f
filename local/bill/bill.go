// Package bill counts what AWS would charge for, and prices it. The local services tell a
// Meter what they did. A Bill is what that costs by the price table in prices.json, at
// list price, without the free tiers, in the one region that the table names.
//
// Requests, publishes, request units and the functions' own log bytes are counted as AWS
// counts them, and are exact. Three things are estimates:
//
//   - Durations are those of this machine, from the moment that an instance is
//     handed its event until it answers, rounded up as AWS rounds. A function
//     waits for S3 and DynamoDB longer on AWS, and computes longer at a small
//     memory size; on a machine that is busy it waits here. Starts of instances
//     are left out: a steady feed keeps its instances warm.
//   - What Lambda itself logs about each request is counted by the length of
//     lines made to its schema.
//   - The share of traces that is recorded, see Sampling.
//
// It leaves out what grows with time and not with messages (storage, the users of the
// user pool, alarms, keys), data sent out to the internet, and what is not run here:
// CloudTrail's data events and the workflow's own log. Tests of the templates hold that a
// message without a fault makes none of these.
package bill

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// item is a charge and who caused it.
type item struct {
	charge Charge
	detail string
}

// Meter counts. Its zero value is ready; it is safe for concurrent use. A nil
// Meter counts nothing.
type Meter struct {
	mu         sync.Mutex
	quantities map[item]float64
}

// Add counts a quantity of something with a price. detail says whose it is, such as a
// function's name, and may be empty.
func (m *Meter) Add(c Charge, detail string, quantity float64) {
	if m == nil || quantity == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quantities == nil {
		m.quantities = map[item]float64{}
	}
	m.quantities[item{c, detail}] += quantity
}

// Bill prices what was counted so far.
func (m *Meter) Bill() Bill {
	m.mu.Lock()
	defer m.mu.Unlock()
	return newBill(maps.Clone(m.quantities))
}

// Bill is what was used and what it costs.
type Bill struct {
	Region string `json:"region"` // of the prices
	Date   string `json:"date"`   // of the prices, YYYY-MM-DD
	Lines  []Line `json:"lines"`  // in the order of the price table
}

// Line is what one party used of one thing with a price.
type Line struct {
	Charge   Charge  `json:"charge"`
	Service  string  `json:"service"`
	Unit     string  `json:"unit"`
	Detail   string  `json:"detail,omitempty"` // whose it is; may be empty
	Quantity float64 `json:"quantity"`
	USD      float64 `json:"usd"`
}

func newBill(quantities map[item]float64) Bill {
	table := readPrices()
	b := Bill{Region: table.Region, Date: table.Date}
	for _, price := range table.Prices {
		var lines []Line
		for used, quantity := range quantities {
			if used.charge == price.Charge {
				lines = append(lines, Line{price.Charge, price.Service, price.Unit, used.detail, quantity, quantity * price.USD / price.Per})
			}
		}
		slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Detail, b.Detail) })
		b.Lines = append(b.Lines, lines...)
	}
	return b
}

// Times returns the bill of n times the same.
func (b Bill) Times(factor float64) Bill {
	b.Lines = slices.Clone(b.Lines)
	for i := range b.Lines {
		b.Lines[i].Quantity *= factor
		b.Lines[i].USD *= factor
	}
	return b
}

// And returns the bill of both.
func (b Bill) And(other Bill) Bill {
	quantities := map[item]float64{}
	for _, line := range slices.Concat(b.Lines, other.Lines) {
		quantities[item{line.Charge, line.Detail}] += line.Quantity
	}
	return newBill(quantities)
}

// Less returns the bill of what was used after an earlier one.
func (b Bill) Less(earlier Bill) Bill {
	quantities := map[item]float64{}
	for _, line := range b.Lines {
		quantities[item{line.Charge, line.Detail}] = line.Quantity
	}
	for _, line := range earlier.Lines {
		quantities[item{line.Charge, line.Detail}] -= line.Quantity
	}
	maps.DeleteFunc(quantities, func(_ item, quantity float64) bool { return quantity == 0 })
	return newBill(quantities)
}

// Sampled returns the bill if only a share of the traces, from 0 to 1, is recorded.
func (b Bill) Sampled(share float64) Bill {
	b.Lines = slices.Clone(b.Lines)
	for i, line := range b.Lines {
		if line.Charge == Trace {
			b.Lines[i].Quantity *= share
			b.Lines[i].USD *= share
		}
	}
	return b
}

// Sampling returns the share of requests that X-Ray records by its default rule in a feed
// of that many messages a second: the first of each second and one in twenty of the rest
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html).
func Sampling(perSecond float64) float64 {
	if perSecond <= 1 {
		return 1
	}
	return (1 + (perSecond-1)*0.05) / perSecond
}

// USD returns the total.
func (b Bill) USD() (total float64) {
	for _, line := range b.Lines {
		total += line.USD
	}
	return total
}

// Quantity returns how much of a charge was used, by all.
func (b Bill) Quantity(c Charge) (total float64) {
	for _, line := range b.Lines {
		if line.Charge == c {
			total += line.Quantity
		}
	}
	return total
}
