package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// A page costs at most maxRequests requests to S3 and maxLimit queries of the catalog.
const (
	maxRequests = 100
	// maxProtocols is how many protocols are listed unless the caller names one. With the
	// five institutions that a person may see, the requests suffice for a window.
	maxProtocols = 8
	// firstWidth is how far back the first request looks: a quarter of an hour.
	firstWidth = 15 * 60 * 1000 * millisecond
	// maxWidth is as far back as any id.
	maxWidth place = 1 << 63
	// factor is how much wider the next window is if one holds few messages, and how much
	// narrower if one holds too many.
	factor = 8
	// together is how many requests are made at the same time.
	together = 16
)

// source is the messages of one protocol that one institution sent. Its keys are in the
// order of acceptance.
type source struct{ protocol, owner string }

// candidate is a message that a list may hold.
type candidate struct {
	id    uuid.UUID
	owner string
	kind  hub.Kind // as the key tells; "" if no key does

	claimed bool // a claim says that the message was accepted, if it was
	late    bool // reconcile found the claim late
}

// walk goes through the messages of some sources from the newest to the oldest. S3 lists
// keys from any key on, but in ascending order only (Amazon S3 API Reference,
// ListObjectsV2). So the walk lists windows of time, from the end of which it lists the
// next older one. A window with more keys than one request returns is listed again,
// narrower. One with few is followed by a wider one. All sources share the windows.
type walk struct {
	lake    lake
	sources []source
	floor   place     // no message is earlier
	below   uuid.UUID // where the walk is: later messages are behind it
	width   place     // of the next window
	left    int       // how many requests may still be made
}

// newWalk returns the walk through the messages that q may list. It reports whether there
// are more protocols than are listed.
func newWalk(ctx context.Context, l lake, q query) (w *walk, more bool, err error) {
	w = &walk{lake: l, below: q.below(), width: q.start.width, floor: placeAt(q.from), left: maxRequests}
	protocols := []string{q.protocol}
	if q.protocol == "" {
		if protocols, more, err = w.protocols(ctx); err != nil {
			return nil, false, err
		}
	}
	for _, protocol := range protocols {
		for _, owner := range q.owners {
			w.sources = append(w.sources, source{protocol, owner})
		}
	}
	return w, more, w.trim(ctx)
}

// protocols lists the protocols of the lake, at most maxProtocols. HL7v2 is always among
// them.
func (w *walk) protocols(ctx context.Context) (protocols []string, more bool, err error) {
	w.left--
	prefix := catalog.ProtocolsPrefix(catalog.Ingestion)
	out, err := w.lake.objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &w.lake.bucket, Prefix: &prefix, Delimiter: aws.String("/")})
	if err != nil {
		return nil, false, fmt.Errorf("list the protocols: %w", err)
	}
	protocols = []string{contract.ProtocolHL7v2}
	for _, folder := range out.CommonPrefixes {
		if name := strings.TrimSuffix(strings.TrimPrefix(*folder.Prefix, prefix), "/"); name != contract.ProtocolHL7v2 {
			protocols = append(protocols, name)
		}
	}
	return protocols[:min(len(protocols), maxProtocols)], len(protocols) > maxProtocols, nil
}

// trim leaves out the sources without a message at the floor or later, and raises the
// floor to the oldest message of the others.
func (w *walk) trim(ctx context.Context) error {
	oldest, err := w.each(ctx, func(ctx context.Context, s source) (listing, error) { return w.lake.list(ctx, s, w.floor, 1) })
	if err != nil {
		return err
	}
	var sources []source
	floor := placeOf(w.below)
	for i, s := range w.sources {
		switch first := oldest[i]; {
		case len(first.found) > 0:
			sources = append(sources, s)
			floor = min(floor, placeOf(first.found[0].id))
		case first.truncated: // it begins with a key that is not one of the writer's
			sources = append(sources, s)
			floor = w.floor
		}
	}
	w.sources, w.floor = sources, floor
	return nil
}

// more reports whether there may be messages further on.
func (w *walk) more() bool { return len(w.sources) > 0 && above(w.below) > w.floor }

// affords reports whether the requests that are left suffice for a window.
func (w *walk) affords() bool { return w.left >= len(w.sources) }

// cursor returns where the walk is.
func (w *walk) cursor() cursor { return cursor{w.below, w.width} }

// back goes back to the message id, which next returned, so that the walk goes on behind
// it.
func (w *walk) back(id uuid.UUID) { w.below = id }

// next returns the messages of the next window, newest first, and goes on to its lower
// end. It returns none if the window is empty or turns out to be too wide.
func (w *walk) next(ctx context.Context) ([]candidate, error) {
	end := above(w.below)
	from := end.back(w.width, w.floor)
	listings, err := w.each(ctx, func(ctx context.Context, s source) (listing, error) { return w.lake.list(ctx, s, from, most) })
	if err != nil {
		return nil, err
	}
	var window []candidate
	narrower := maxWidth
	for _, l := range listings {
		last := len(l.found) - 1
		if l.truncated && last >= 0 && compare(l.found[last].id, w.below) < 0 {
			narrower = min(narrower, (placeOf(l.found[last].id)-from)/2)
		}
		window = append(window, l.found...)
	}
	switch {
	case narrower < maxWidth && end-from == 1:
		return nil, errCrowded
	case narrower < maxWidth:
		w.width = max(1, min(narrower, (end-from)/factor))
		return nil, nil
	}
	window = slices.DeleteFunc(window, func(c candidate) bool { return compare(c.id, w.below) >= 0 })
	sortNewestFirst(window)
	if len(window) < most/(2*factor) {
		w.width = min(w.width, maxWidth/factor) * factor
	}
	w.below = from.id()
	return window, nil
}

// errCrowded says that one place holds more messages than a request returns, see place.
var errCrowded = errors.New("more messages at one time than a listing holds")

// each lists all sources, and returns the listings in the sources' order.
func (w *walk) each(ctx context.Context, list func(context.Context, source) (listing, error)) ([]listing, error) {
	w.left -= len(w.sources)
	return forEach(ctx, w.sources, list)
}

// most is how many keys one request returns (Amazon S3 API Reference, ListObjectsV2).
const most = 1000

// listing is what one request returned: the oldest messages of a source from a place on.
type listing struct {
	found     []candidate // oldest first
	truncated bool        // there are later ones
}

// list asks for the messages of a source from a place on, at most limit.
func (l lake) list(ctx context.Context, s source, from place, limit int32) (found listing, err error) {
	out, err := l.objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &l.bucket, Prefix: aws.String(catalog.SourcePrefix(catalog.Ingestion, s.protocol, s.owner)),
		StartAfter: aws.String(from.key(s)), MaxKeys: &limit,
	})
	if err != nil {
		return found, fmt.Errorf("list the messages: %w", err)
	}
	for _, object := range out.Contents {
		if key, ok := catalog.ParseKey(aws.ToString(object.Key)); ok {
			found.found = append(found.found, candidate{id: key.ID, owner: key.Owner, kind: key.Kind})
		}
	}
	found.truncated = aws.ToBool(out.IsTruncated)
	return found, nil
}

// compare compares two ids in the order of keys.
func compare(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
