package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/problem"
)

// What a feed is compared with. It is silent if nothing came for silentAfter times the
// usual distance of two messages, but not before leastSilence.
const (
	shownHours   = 24
	usualDays    = 7
	silentAfter  = 10
	leastSilence = 10 * time.Minute
	// maxFeedSources is how many protocols of an institution are counted.
	maxFeedSources = 2
)

// feeds is the body of GET /feeds.
type feeds struct {
	Now   string `json:"now"`   // hub.TimeLayout
	Feeds []feed `json:"feeds"` // by owner
}

// feed says how regularly an institution sends.
type feed struct {
	Owner string `json:"owner"`
	Last  string `json:"last,omitempty"` // when its newest message was accepted; empty if the lake has none
	Hours []hour `json:"hours"`          // the last 24 hours of the clock, oldest first; the last one still runs
	Usual *usual `json:"usual,omitempty"`
	// Silent reports that SilentMinutes, the time since Last, is long against what is
	// usual.
	SilentMinutes int  `json:"silent_minutes"`
	Silent        bool `json:"silent"`
}

// hour is how many messages were accepted in an hour.
type hour struct {
	From  string `json:"from"` // hub.TimeLayout
	Count int    `json:"count"`
	About bool   `json:"about,omitempty"` // Count is estimated
}

// usual is what is usual at this time of the day: how many messages were accepted in the
// hour up to now, on average of the days before on which the institution sent already.
type usual struct {
	PerHour float64 `json:"per_hour"`
	Days    int     `json:"days"` // 1 to usualDays
	About   bool    `json:"about,omitempty"`
}

// feeds answers GET /feeds, and records who asked.
func (h handler) feeds(ctx context.Context, rawQuery string, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	found := feeds{Feeds: []feed{}}
	q, err := readQuery(rawQuery, by, h.now(), "owner")
	if err == nil {
		found.Now = q.now.UTC().Format(hub.TimeLayout)
		found.Feeds, err = forEach(ctx, slices.Sorted(slices.Values(q.owners)), func(ctx context.Context, owner string) (feed, error) {
			return h.feed(ctx, owner, q.now)
		})
	}
	h.record(ctx, "feeds", err, by)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// feed looks at the messages of one institution. It costs at most maxRequests to find the
// newest message and, for each of at most maxFeedSources protocols, two for each of 24
// hours and 7 days.
func (h handler) feed(ctx context.Context, owner string, now time.Time) (feed, error) {
	w, _, err := newWalk(ctx, h.lake, query{owners: []string{owner}, to: now, start: newestFirst(now)})
	if err != nil {
		return feed{}, err
	}
	sources, oldest := w.sources[:min(len(w.sources), maxFeedSources)], w.floor
	last, err := newestOf(ctx, w)
	if err != nil {
		return feed{}, err
	}
	spans := feedSpans(now)
	counts, err := forEach(ctx, spans, func(ctx context.Context, s span) (tally, error) {
		if last != uuid.Nil && s.from > placeOf(last) {
			return tally{}, nil
		}
		return h.lake.count(ctx, sources, s)
	})
	if err != nil {
		return feed{}, err
	}
	f := feed{Owner: owner}
	for i, s := range spans[:shownHours] {
		f.Hours = append(f.Hours, hour{s.from.time().Format(hub.TimeLayout), counts[i].count, counts[i].about})
	}
	if last != uuid.Nil {
		f.Last = hub.Received(last).Format(hub.TimeLayout)
		f.Usual = usualOf(spans[shownHours:], counts[shownHours:], oldest)
		f.setSilence(now.Sub(hub.Received(last)))
	}
	return f, nil
}

// newestOf returns the newest message of a walk, or none if there is none or if it is so
// hard to find that the walk ends.
func newestOf(ctx context.Context, w *walk) (uuid.UUID, error) {
	for w.more() && w.affords() {
		window, err := w.next(ctx)
		if err != nil {
			return uuid.Nil, err
		}
		if len(window) > 0 {
			return window[0].id, nil
		}
	}
	return uuid.Nil, nil
}

// span is a time in which messages are counted: from a place, to is not included.
type span struct{ from, to place }

// feedSpans returns what a feed counts: the last 24 hours of the clock, and then, on each
// of 7 days before, the hour before this time of the day.
func feedSpans(now time.Time) (spans []span) {
	end := placeAt(now)
	for n := shownHours - 1; n >= 0; n-- {
		from := now.Truncate(time.Hour).Add(-time.Duration(n) * time.Hour)
		spans = append(spans, span{placeAt(from), min(placeAt(from.Add(time.Hour)), end)})
	}
	for day := range usualDays {
		to := now.Add(-time.Duration(day+1) * 24 * time.Hour)
		spans = append(spans, span{placeAt(to.Add(-time.Hour)), placeAt(to)})
	}
	return spans
}

// usualOf returns the average of the days on which there was a message before the end of
// the hour, or nil if there is no such day.
func usualOf(spans []span, counts []tally, oldest place) *usual {
	var u usual
	for i, s := range spans {
		if s.to > oldest {
			u.Days++
			u.PerHour += float64(counts[i].count)
			u.About = u.About || counts[i].about
		}
	}
	if u.Days == 0 {
		return nil
	}
	u.PerHour /= float64(u.Days)
	return &u
}

// setSilence says how long the feed has been silent, and whether that is unusual.
func (f *feed) setSilence(silence time.Duration) {
	f.SilentMinutes = int(max(silence, 0) / time.Minute)
	if f.Usual != nil && f.Usual.PerHour > 0 {
		usualDistance := time.Duration(float64(time.Hour) / f.Usual.PerHour)
		f.Silent = silence > max(silentAfter*usualDistance, leastSilence)
	}
}
