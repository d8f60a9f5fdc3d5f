package load_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"hl7lake/local/bill"
)

const (
	// hoursADay is how often a day the tables of an institution are made.
	hoursADay = 24
	// keysInAList is how many keys one list of objects has.
	keysInAList = 1000
	// lateDays is how far back the nightly run of tabulate lists.
	lateDays = 15
)

// tables is the bill of the tables of a million messages that come in a day.
//
// It is measured with two runs over the hour in which the test runs. The second one reads
// the messages of the first again, and more. So the difference in what is counted is what
// a message costs, and the rest is what an hour costs, however many messages it has. The
// time of the second run is put down to its messages, which is too much: an hour in
// production has far more of them. Both runs list few keys, so the lists of a million are
// added.
func (l *metered) tables(t *testing.T) bill.Bill {
	t.Helper()
	const more = 200
	for {
		hour := time.Now().Truncate(time.Hour)
		l.tabulate(t) // starts the function and makes the files, which the others replace
		l.feed(t, more)
		small, before := l.tabulate(t)
		l.feed(t, more)
		large, after := l.tabulate(t)
		if !hour.Equal(time.Now().Truncate(time.Hour)) {
			continue // some of them are in the next hour
		}
		if after != before+more {
			t.Fatalf("the runs read %d and %d messages, want %d more", before, after, more)
		}
		each := timeless(large).Less(timeless(small)).Times(1. / more)
		wantEach(t, each, map[bill.Charge]float64{bill.Get: 1, bill.Put: 0, bill.Write: 0, bill.Read: 0, bill.Publish: 0, bill.LambdaRequest: 0})
		anHour := timeless(small).Less(each.Times(float64(before)))
		took := large.Less(timeless(large)).Times(1 / float64(after))
		return each.And(took).Times(million).And(anHour.Times(hoursADay)).And(lists())
	}
}

// timeless returns a bill without the parts that depend on the speed of this machine.
func timeless(b bill.Bill) bill.Bill {
	b.Lines = slices.DeleteFunc(slices.Clone(b.Lines), isDuration)
	return b
}

// lists is the bill for the lists of keys, of messages and of their JSON: of each hour
// twice, to find it and to make it, and of the last days each night.
func lists() bill.Bill {
	var m bill.Meter
	m.Add(bill.Put, "", 2*(2+lateDays)*million/keysInAList)
	return m.Bill()
}

// tabulate brings the tables up to date. It returns the bill, and how many messages were
// read.
func (l *metered) tabulate(t *testing.T) (spent bill.Bill, messages int) {
	t.Helper()
	operator := l.operator(t)
	spent = l.spent(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		done, err := operator.Tabulate(ctx)
		if err != nil || !done.Complete {
			t.Fatalf("%+v, %v", done, err)
		}
		messages = done.Messages
	})
	return spent, messages
}
