package main

import "context"

// tally is how many messages were counted.
type tally struct {
	count int
	about bool // some of it is estimated
}

// count counts the messages of the sources in a span, which is a multiple of quarters of
// an hour at most. A request returns a thousand keys. If that does not cover a quarter of
// an hour, the rest of the quarter is taken to be like its beginning. So a count costs at
// most one request for each source and quarter, one in all if there are fewer messages.
func (l lake) count(ctx context.Context, sources []source, of span) (total tally, err error) {
	for _, s := range sources {
		for at := of; at.from < at.to; {
			page, err := l.list(ctx, s, at.from, most)
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
	if quarter := min(s.from+firstWidth, s.to); covered < quarter {
		counted.count = int(float64(counted.count) * float64(quarter-s.from) / float64(covered-s.from))
		counted.about = true
		covered = quarter
	}
	return counted, covered
}
