package allowance_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/allowance"
)

// draft is how many units an instance takes at once.
const draft = 20

// table is a received table that counts its writes.
type table struct {
	*fake.Tables
	writes int
}

func newTable(t testing.TB) *table {
	counted := &table{Tables: fake.NewTables(t)}
	counted.Before = func(context.Context, string) error { counted.writes++; return nil }
	return counted
}

func (t *table) instance(l allowance.Limit) *allowance.Buckets {
	return allowance.New(fake.Received, t.Tables, l)
}

// exceeded reports whether b refuses a message of that many bytes. Any other error fails
// the test.
func exceeded(t interface {
	Context() context.Context
	Fatal(...any)
}, b *allowance.Buckets, owner string, size int) (wait time.Duration, is bool) {
	err := b.Take(t.Context(), owner, size)
	var over *allowance.ExceededError
	if err != nil && !errors.As(err, &over) {
		t.Fatal(err)
	}
	if over == nil {
		return 0, false
	}
	return over.RetryAfter, true
}

// taken returns how many messages of a size are accepted in a row.
func taken(t testing.TB, b *allowance.Buckets, owner string, size int) (n int) {
	t.Helper()
	for {
		if _, is := exceeded(t, b, owner, size); is {
			return n
		}
		if n++; n > 10_000 {
			t.Fatal("there is no end")
		}
	}
}

func TestAnInstitutionMayPostItsBurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTable(t).instance(allowance.Limit{PerSecond: 50, Burst: 100})
		if n := taken(t, b, "a", 2000); n != 100 {
			t.Errorf("%d at once", n)
		}
		time.Sleep(500 * time.Millisecond)
		if n := taken(t, b, "a", 2000); n != 25 {
			t.Errorf("%d after half a second", n)
		}
		time.Sleep(time.Hour)
		if n := taken(t, b, "a", 2000); n != 100 {
			t.Errorf("%d after an hour", n)
		}
	})
}

func TestWhatIsToldOfTheWaitIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTable(t).instance(allowance.Limit{PerSecond: 10, Burst: 100})
		taken(t, b, "a", 2000)
		for _, size := range []int{1, 3 << 20} {
			wait, is := exceeded(t, b, "a", size)
			if !is || wait <= 0 || wait > 10*time.Second {
				t.Fatalf("%d bytes: %v, %v", size, wait, is)
			}
			time.Sleep(wait - time.Millisecond)
			if _, is := exceeded(t, b, "a", size); !is {
				t.Errorf("%d bytes need not have waited for %v", size, wait)
			}
			time.Sleep(2 * time.Millisecond)
			if _, is := exceeded(t, b, "a", size); is {
				t.Errorf("%d bytes are refused after %v", size, wait)
			}
		}
	})
}

func TestOneInstitutionTakesNothingFromAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTable(t).instance(allowance.Limit{PerSecond: 10, Burst: 40})
		taken(t, b, "a", 2000)
		if n := taken(t, b, "b", 2000); n != 40 {
			t.Errorf("%d beside a flood", n)
		}
	})
}

func TestALargeMessageTakesUnitsBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for size, want := range map[int]int{0: 120, 1: 120, 64 << 10: 120, 64<<10 + 1: 60, 640 << 10: 12, 6 << 20: 1, 60 << 20: 1} {
			b := newTable(t).instance(allowance.Limit{PerSecond: 10, Burst: 120})
			if n := taken(t, b, "a", size); n != want {
				t.Errorf("%d bytes: %d messages, want %d", size, n, want)
			}
		}
	})
}

func TestAFloodIsRefusedWithoutWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTable(t)
		b := db.instance(allowance.Limit{PerSecond: 10, Burst: 100})
		taken(t, b, "a", 2000)
		before := db.writes
		for range 1000 {
			if _, is := exceeded(t, b, "a", 2000); !is {
				t.Fatal("let through")
			}
		}
		if db.writes != before {
			t.Errorf("%d writes", db.writes-before)
		}
	})
}

// The bill of a million messages has room for this many.
func TestATwentiethOfAWriteIsMadeForAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTable(t)
		b := db.instance(allowance.Limit{PerSecond: 200, Burst: 400})
		for range 1000 {
			time.Sleep(86 * time.Millisecond) // a million a day
			if _, is := exceeded(t, b, "a", 2000); is {
				t.Fatal("refused")
			}
		}
		if db.writes != 1000/draft {
			t.Errorf("%d writes for 1000 messages", db.writes)
		}
	})
}

func TestABurstThatComesToManyInstancesPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTable(t)
		var instances []*allowance.Buckets
		for range 100 {
			instances = append(instances, db.instance(allowance.Limit{PerSecond: 200, Burst: 400}))
		}
		for second := range 5 * 60 {
			for n := range 50 {
				if _, is := exceeded(t, instances[(50*second+37*n)%len(instances)], "a", 2000); is {
					t.Fatalf("message %d of second %d is refused", n, second)
				}
			}
			time.Sleep(time.Second)
		}
	})
}

func TestInstancesThatDrawTogetherDoNotRefuseWhatThereIs(t *testing.T) {
	db := fake.NewTables(t)
	for round := range 20 {
		owner := fmt.Sprint("owner-", round)
		var taking sync.WaitGroup
		for range 60 {
			b := allowance.New(fake.Received, db, allowance.Limit{PerSecond: 200, Burst: 400})
			taking.Go(func() {
				if err := b.Take(t.Context(), owner, 2000); err != nil {
					t.Error(err)
				}
			})
		}
		taking.Wait()
	}
}

func TestWhatAnInstanceDrewLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newTable(t)
		limit := allowance.Limit{PerSecond: 1, Burst: 40}
		old := db.instance(limit)
		if _, is := exceeded(t, old, "a", 1); is {
			t.Fatal("refused")
		}
		time.Sleep(2 * time.Minute) // full again
		if n := taken(t, db.instance(limit), "a", 1); n != 40 {
			t.Errorf("another instance took %d", n)
		}
		if n := taken(t, old, "a", 1); n != 0 {
			t.Errorf("%d units of two minutes ago", n)
		}
	})
}

func TestAnOutageOfTheTableIsNotAnExceededAllowance(t *testing.T) {
	db := newTable(t)
	db.Before = func(context.Context, string) error { return errors.New("outage") }
	err := db.instance(allowance.Limit{PerSecond: 1, Burst: 40}).Take(t.Context(), "a", 1)
	var over *allowance.ExceededError
	if err == nil || errors.As(err, &over) {
		t.Errorf("got %v", err)
	}
}

// Whatever many instances do in whatever order, what is accepted in any period is at most
// what the bucket held and gained, and in the long run all of it can be used.
func TestManyInstancesTogetherStayWithinTheLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		instances := rapid.IntRange(1, 6).Draw(rt, "instances")
		limit := allowance.Limit{PerSecond: float64(rapid.IntRange(1, 300).Draw(rt, "rate")), Burst: float64(rapid.IntRange(20, 500).Draw(rt, "burst"))}
		pauses := rapid.SliceOfN(rapid.IntRange(0, 300), 1, 400).Draw(rt, "pauses")
		choices := rapid.SliceOfN(rapid.IntRange(0, instances-1), len(pauses), len(pauses)).Draw(rt, "who")
		synctest.Test(t, func(t *testing.T) {
			db := newTable(t)
			var all []*allowance.Buckets
			for range instances {
				all = append(all, db.instance(limit))
			}
			start, passed := time.Now(), 0
			for n, pause := range pauses {
				time.Sleep(time.Duration(pause) * time.Millisecond)
				if _, is := exceeded(t, all[choices[n]], "a", 1); !is {
					passed++
				}
				if most := limit.Burst + limit.PerSecond*time.Since(start).Seconds() + 1; float64(passed) > most {
					rt.Fatalf("%d passed in %v, at most %v may", passed, time.Since(start), most)
				}
				if unused := float64(2 * draft * instances); n == len(pauses)-1 && passed < len(pauses) && float64(passed) < limit.Burst-unused {
					rt.Fatalf("%d of %d passed", passed, len(pauses))
				}
			}
		})
	})
}

func TestALimitIsTwoNumbers(t *testing.T) {
	if l, err := allowance.ParseLimit("200", "400.5"); err != nil || l != (allowance.Limit{PerSecond: 200, Burst: 400.5}) {
		t.Error(l, err)
	}
	if l, err := allowance.ParseLimit("200", "200"); err != nil || l != (allowance.Limit{PerSecond: 200, Burst: 200}) {
		t.Error(l, err)
	}
	for _, bad := range [][2]string{{"", "1"}, {"1", ""}, {"0", "1"}, {"1", "-1"}, {"NaN", "1"}, {"1", "Inf"}, {"many", "1"}} {
		if l, err := allowance.ParseLimit(bad[0], bad[1]); err == nil {
			t.Errorf("%v is %v", bad, l)
		}
	}
}
