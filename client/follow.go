package client

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"hl7lake/internal/pause"
)

const (
	// followBack is how much earlier than the newest message Follow looks for messages
	// that it has not yielded, since a message is accepted some time before the list
	// holds it.
	followBack = 10 * time.Second
	// followAhead is how much this machine's clock may be ahead of the lake's.
	followAhead = time.Minute
	// followEnd is how long Follow waits for the end of a message's way.
	followEnd = 5 * time.Second
	// Follow asks again after followFirst. While nothing comes, and nothing is waited for,
	// it waits longer each time, up to followLongest.
	followFirst, followLongest = 250 * time.Millisecond, 4 * time.Second
	// largestPage is how many messages a page can hold.
	largestPage = 500
)

// Follow yields the newest selected messages, at most last, and then each one that
// arrives, until ctx is done or the first error. Each message comes once, when it has
// ended or, if that takes longer than some seconds, as it is then. Their order is roughly
// that of their acceptance. A message that comes into the lake more than ten seconds
// after later ones is left out. The filter's To is not used.
func (c *Client) Follow(ctx context.Context, filter Filter, last int) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		filter.To = time.Time{}
		f := following{from: filter.From, seen: map[string]sight{}}
		for wait := followFirst; ; wait = min(wait*2, followLongest) {
			now := time.Now()
			filter.From = f.from
			messages, err := c.newest(ctx, filter, last)
			if err != nil {
				yield(Listed{}, err)
				return
			}
			due := f.due(messages, now)
			for _, message := range due {
				if !yield(message, nil) {
					return
				}
			}
			f.advance(messages, now, last)
			last = 0
			if len(due) > 0 || f.waits() {
				wait = followFirst
			}
			if err := pause.For(ctx, wait); err != nil {
				yield(Listed{}, err)
				return
			}
		}
	}
}

// newest returns the newest selected messages, oldest first: at most last or, for 0, all.
func (c *Client) newest(ctx context.Context, filter Filter, last int) (messages []Listed, err error) {
	size := largestPage
	if last > 0 {
		size = min(size, last)
	}
	for message, err := range c.pages(ctx, filter, size) {
		if err != nil {
			return nil, err
		}
		if messages = append(messages, message); len(messages) == last {
			break
		}
	}
	slices.Reverse(messages)
	return messages, nil
}

// following is what Follow remembers between two lists.
type following struct {
	from time.Time        // the next list begins here
	seen map[string]sight // the messages accepted since then, by id
}

// sight is a message that a list held.
type sight struct {
	received    time.Time
	first, last time.Time // when it was seen
	yielded     bool
}

// due returns the messages of a list that are to be yielded. A message that waited for
// its end and is no longer among those selected is forgotten.
func (f *following) due(messages []Listed, now time.Time) (due []Listed) {
	for _, m := range messages {
		s, known := f.seen[m.ID]
		if !known {
			s = sight{received: m.Received, first: now}
		}
		s.last = now
		if !s.yielded && (m.Ended || now.Sub(s.first) >= followEnd) {
			s.yielded = true
			due = append(due, m)
		}
		f.seen[m.ID] = s
	}
	maps.DeleteFunc(f.seen, func(_ string, s sight) bool { return !s.yielded && s.last.Before(now) })
	return due
}

// waits reports whether the end of a message's way is waited for.
func (f *following) waits() bool {
	for _, s := range f.seen {
		if !s.yielded {
			return true
		}
	}
	return false
}

// advance moves the beginning of the next list on, as far as no message is missed, and
// forgets what lies before it. The first list was asked for its last messages, or all for
// 0: what is older than these stays out of the next ones.
func (f *following) advance(messages []Listed, now time.Time, last int) {
	next := now.Add(-followAhead)
	if len(messages) > 0 {
		if newest := messages[len(messages)-1].Received.Add(-followBack); newest.After(next) {
			next = newest
		}
	}
	for _, s := range f.seen {
		if !s.yielded && s.received.Before(next) {
			next = s.received
		}
	}
	if last > 0 && len(messages) == last && messages[0].Received.After(next) {
		next = messages[0].Received
	}
	if next.After(f.from) {
		f.from = next
	}
	maps.DeleteFunc(f.seen, func(_ string, s sight) bool { return s.received.Before(f.from) })
}
