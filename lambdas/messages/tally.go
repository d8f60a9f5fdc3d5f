package main

import "context"

// tally is how many messages were counted.
type tally struct {
	count int
	about bool // some of it is estimated
}

const (
	// sample is how many keys one request for a count returns at most. Most of the time
	// of a request goes into its keys, and these are enough to tell a rate.
	sample = 250
	// sampled is the time for which a sample stands, if it does not reach further:
	// half an hour.
	sampled = 2 * firstWidth
)

// count counts the messages of the sources in a span. If a request does not reach as far
// as it stands for, the rest of that time is taken to be like what it returned. So a
// count costs at most one request for each source and half hour, and one for each source
// if there are at most sample messages.
func (l lake) count(ctx context.Context, sources []source, of span) (total tally, err error) {
	for _, s := range sources {
		for at := of; at.from < at.to; {
			page, err := l.list(ctx, s, at.from, sample)
			if err != nil {
				return tally{}, err
			}
			counted, covered := page.within(at)
			total.count += counted.count
			total.about = total.about || counted.about
			at.from = covered
		}
	}
	return total, nil
}

// within returns how many of the listed messages are in a span, whose beginning was
// listed, and up to where that is known.
func (l listing) within(s span) (counted tally, covered place) {
	covered = s.to
	for _, c := range l.found {
		if placeOf(c.id) < s.to {
			counted.count++
		}
	}
	if last := len(l.found) - 1; l.truncated && last >= 0 {
		covered = min(placeOf(l.found[last].id)+1, s.to)
	}
	if end := min(s.from+sampled, s.to); covered < end {
		counted.count = int(float64(counted.count) * float64(end-s.from) / float64(covered-s.from))
		counted.about = true
		covered = end
	}
	return counted, covered
}
