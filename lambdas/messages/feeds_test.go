package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// midday is when the feeds of these tests are looked at: a quarter past twelve.
var midday = time.Date(2026, 11, 22, 12, 15, 0, 0, time.UTC)

// newFeedSide returns messages in front of a bucket whose institutions sent at the times,
// and which is looked at at midday.
func newFeedSide(t *testing.T, sent map[string][]time.Time) (*listSide, *shelves) {
	l, held := newListSide(t), &shelves{}
	for owner, times := range sent {
		for _, at := range times {
			held.keys = append(held.keys, catalog.KeyOf(l.message(owner, at)).String())
		}
	}
	slices.Sort(held.keys)
	l.objectStore, l.now = held, midday
	return l, held
}

// every returns times from a time on, until another one.
func every(distance time.Duration, from, to time.Time) (times []time.Time) {
	for ; from.Before(to); from = from.Add(distance) {
		times = append(times, from)
	}
	return times
}

// feedsOf asks for the feeds that a user who reads the institutions sees.
func (l *listSide) feedsOf(t *testing.T, reads ...string) []feed {
	t.Helper()
	claims := map[string]string{"sub": "user-1", "token_use": "id"}
	for i, name := range reads {
		claims["custom:read"+[]string{"", "2", "3", "4"}[i]] = name
	}
	response := l.askFor(t, "/feeds", "", claims)
	var got feeds
	if err := json.Unmarshal([]byte(response.Body), &got); err != nil || response.StatusCode != 200 || got.Now != midday.Format(hub.TimeLayout) {
		t.Fatalf("%d %s %v", response.StatusCode, response.Body, err)
	}
	return got.Feeds
}

func TestAFeedCountsItsHoursAndSaysWhatIsUsual(t *testing.T) {
	day := 24 * time.Hour
	l, _ := newFeedSide(t, map[string][]time.Time{
		owner: slices.Concat(
			every(time.Minute, midday.Add(-8*day), midday.Add(-2*day)), // 60 an hour on six of the seven days
			every(30*time.Minute, midday.Add(-24*time.Hour), midday.Add(-3*time.Hour)),
			[]time.Time{midday.Add(-20 * time.Minute), midday.Add(-2 * time.Second), midday.Add(time.Second)},
		),
		"lakeside": {midday.Add(-time.Hour)},
	})
	got := l.feedsOf(t, owner, "lakeside", "nowhere")
	if len(got) != 3 || got[0].Owner != "lakeside" || got[1].Owner != "nowhere" || got[2].Owner != owner {
		t.Fatalf("%+v", got)
	}
	var counts []int
	for _, h := range got[2].Hours {
		counts = append(counts, h.Count)
	}
	// The hours of the clock: from 13 o'clock of the day before to the running one.
	want := []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 1, 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	if first, last := got[2].Hours[0].From, got[2].Hours[23].From; first != "2026-11-21T13:00:00.000Z" || last != "2026-11-22T12:00:00.000Z" {
		t.Errorf("from %s to %s", first, last)
	}
	if diff := cmp.Diff(&usual{PerHour: 360.0 / 7, Days: 7}, got[2].Usual); diff != "" {
		t.Error(diff)
	}
	if got[2].Last != "2026-11-22T12:14:58.000Z" || got[2].SilentMinutes != 0 || got[2].Silent {
		t.Errorf("%+v", got[2])
	}
	if f := got[0]; f.Usual != nil || f.Silent || f.SilentMinutes != 60 || f.Hours[22].Count != 1 {
		t.Errorf("an institution that began today: %+v", f)
	}
	if f := got[1]; f.Usual != nil || f.Silent || f.Last != "" || len(f.Hours) != 24 {
		t.Errorf("an institution that never sent: %+v", f)
	}
}

func TestAFeedIsSilentIfNothingCameForMuchLongerThanUsual(t *testing.T) {
	for _, test := range []struct {
		distance, silence time.Duration
		silent            bool
	}{
		{10 * time.Second, 9 * time.Minute, false},
		{10 * time.Second, 11 * time.Minute, true},
		{6 * time.Minute, 53 * time.Minute, false},
		{6 * time.Minute, 61 * time.Minute, true},
		{time.Hour, 9 * time.Hour, false},
		{time.Hour, 11 * time.Hour, true},
		{time.Hour, 300 * 24 * time.Hour, false}, // nothing is usual any more
	} {
		from := midday.Add(-8*24*time.Hour - 17*time.Second)
		if test.silence > 24*time.Hour {
			from = from.Add(-test.silence)
		}
		l, _ := newFeedSide(t, map[string][]time.Time{owner: every(test.distance, from, midday.Add(-test.silence))})
		if got := l.feedsOf(t, owner)[0]; got.Silent != test.silent {
			t.Errorf("every %v, and silent for %v: %t after %d minutes, usually %+v", test.distance, test.silence, got.Silent, got.SilentMinutes, got.Usual)
		}
	}
}

func TestAnHourOfManyMessagesIsEstimatedAndCostsTwoRequests(t *testing.T) {
	for _, test := range []struct {
		name             string
		distance, length time.Duration
		about            bool
		off              float64 // at most, as a part of the true count
		requests         int64   // at most
	}{
		{"as many as one request returns", time.Hour / sample, time.Hour, false, 0, 1},
		{"almost as many as two return", 7300 * time.Millisecond, time.Hour, false, 0, 2},
		{"ten a second", 100 * time.Millisecond, time.Hour, true, 0.02, 2},
		{"none in the second half", 100 * time.Millisecond, time.Hour / 2, true, 0.02, 2},
		{"a minute", 100 * time.Millisecond, time.Minute, true, 30, 2},
	} {
		hourAgo := midday.Truncate(time.Hour).Add(-time.Hour)
		times := every(test.distance, hourAgo, hourAgo.Add(test.length))
		l, _ := newFeedSide(t, map[string][]time.Time{owner: times})
		l.requests.Store(0)
		count, err := lake{objects: l}.count(t.Context(), []source{{"hl7v2", owner}}, span{placeAt(hourAgo), placeAt(hourAgo.Add(time.Hour))})
		if err != nil || count.about != test.about || math.Abs(float64(count.count-len(times))) > test.off*float64(len(times)) {
			t.Errorf("%s: %+v of %d, %v", test.name, count, len(times), err)
		}
		if n := l.requests.Load(); n > test.requests {
			t.Errorf("%s: %d requests", test.name, n)
		}
	}
}

func TestTheFeedsCostABoundedNumberOfRequests(t *testing.T) {
	const most = maxRequests + maxFeedSources*2*(shownHours+usualDays)
	l, held := newFeedSide(t, nil)
	for _, protocol := range []string{"hl7v2", "x12", "x13"} {
		for _, at := range every(500*time.Millisecond, midday.Add(-26*time.Hour), midday) {
			m := l.message(owner, at)
			m.Kind = hub.KindOf(protocol, "edi")
			held.keys = append(held.keys, catalog.KeyOf(m).String())
		}
	}
	slices.Sort(held.keys)
	l.requests.Store(0)
	got := l.feedsOf(t, owner)[0]
	if n := l.requests.Load(); n > most {
		t.Errorf("%d requests, want at most %d", n, most)
	}
	if want := 2 * 7200; got.Hours[10].Count < want*9/10 || got.Hours[10].Count > want*11/10 || !got.Hours[10].About {
		t.Errorf("%+v, want about %d", got.Hours[10], want)
	}
	quiet, _ := newFeedSide(t, map[string][]time.Time{owner: {midday.Add(-300 * 24 * time.Hour)}})
	quiet.requests.Store(0)
	quiet.feedsOf(t, owner)
	if n := quiet.requests.Load(); n > 10 {
		t.Errorf("an institution that ended long ago costs %d requests", n)
	}
}

func TestFeedsAreThoseThatTheCallerMaySeeAndAreRecorded(t *testing.T) {
	l, _ := newFeedSide(t, map[string][]time.Time{owner: {midday}, "another": {midday}})
	for name, test := range map[string]struct {
		claims     map[string]string
		parameters string
		status     int
	}{
		"nothing to see":          {operates("", ""), "", 404},
		"another's":               {operates("", owner), "owner=another", 404},
		"an unknown parameter":    {operates("", owner), "from=2026-11-22T00:00:00Z", 400},
		"who operates":            {operates(owner, ""), "", 200},
		"who operates, by name":   {operates(owner, ""), "owner=" + owner, 200},
		"who operates on another": {operates("another", ""), "owner=" + owner, 404},
	} {
		got := l.askFor(t, "/feeds", test.parameters, test.claims)
		if got.StatusCode != test.status {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.Body)
		}
		if want := fmt.Sprintf(`{"owner":%q,`, owner); test.status == 200 && got.Body[len(`{"now":"2026-11-22T12:15:00.000Z","feeds":[`):][:len(want)] != want {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	if got := lines(t, l, "feeds"); got != 6 {
		t.Errorf("%d of 6 requests are recorded", got)
	}
}
