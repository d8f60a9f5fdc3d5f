package main

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// shelves is a bucket of so many keys that putting each object would take too long. It
// lists them as S3 does; the tests in list_test.go have the local lake's S3.
type shelves struct {
	objectStore
	keys []string // sorted
}

func (s *shelves) ListObjectsV2(_ context.Context, in *s3.ListObjectsV2Input, _ ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	prefix, limit := *in.Prefix, most
	if in.MaxKeys != nil {
		limit = int(*in.MaxKeys)
	}
	out := &s3.ListObjectsV2Output{IsTruncated: new(false)}
	after := max(prefix, aws.ToString(in.StartAfter))
	for _, key := range s.keys[sort.SearchStrings(s.keys, after):] {
		rest, below := strings.CutPrefix(key, prefix)
		switch {
		case !below:
			return out, nil
		case in.Delimiter != nil:
			folder := prefix + rest[:strings.Index(rest, *in.Delimiter)+1]
			if n := len(out.CommonPrefixes); n == 0 || *out.CommonPrefixes[n-1].Prefix != folder {
				out.CommonPrefixes = append(out.CommonPrefixes, types.CommonPrefix{Prefix: &folder})
			}
		case len(out.Contents) == limit:
			out.IsTruncated = new(true)
			return out, nil
		default:
			out.Contents = append(out.Contents, types.Object{Key: &key})
		}
	}
	return out, nil
}

// TestAPageCostsABoundedNumberOfRequests is about messages whose times are hard to guess.
func TestAPageCostsABoundedNumberOfRequests(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, test := range []struct {
		name  string
		count int
		at    func(i int) time.Time
		last  time.Duration // how much of it is listed; 0 means all
		pages int           // at most
	}{
		{"none", 0, nil, 0, 1},
		{"one, of twenty years ago", 1, func(int) time.Time { return start.Add(-20 * year) }, 0, 1},
		{"a day's hundred thousand", 100_000, func(i int) time.Time { return start.Add(-time.Duration(i) * 24 * time.Hour / 100_000) }, time.Hour, 20},
		{"an empty year before the last message", 1_000, func(i int) time.Time { return start.Add(-time.Duration(i%2) * year) }, 0, 5},
		{"a thousand of one millisecond", 1_000, func(int) time.Time { return start }, 0, 5},
		{"two thousand of one millisecond, after one", 2_000, func(i int) time.Time { return start.Add(-time.Duration(1/(i+1)) * year) }, 0, 15},
		{"ever more at the end", 2_000, func(i int) time.Time { return start.Add(-time.Duration(uint64(1) << (i * 55 / 2_000))) }, 0, 60},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newListSide(t)
			held := &shelves{}
			var want []uuid.UUID
			for i := range test.count {
				m := l.message(owner, test.at(i))
				held.keys = append(held.keys, catalog.KeyOf(m).String())
				if from := start.Add(-test.last); test.last == 0 || !hub.Received(m.ID).Before(from) {
					want = append(want, m.ID)
				}
			}
			slices.Sort(held.keys)
			l.objectStore = held
			parameters := "limit=500"
			if test.last > 0 {
				parameters += "&from=" + start.Add(-test.last).Format(time.RFC3339)
			}
			got, pages := l.all(t, parameters, owner)
			if !slices.Equal(got, newest(want)) || pages > test.pages {
				t.Errorf("%d of %d messages on %d pages", len(got), len(want), pages)
			}
		})
	}
}

// TestAPageOfManySourcesStaysBoundedAndTheListEnds is about a reader of four institutions
// that use all the protocols that a list covers.
func TestAPageOfManySourcesStaysBoundedAndTheListEnds(t *testing.T) {
	l := newListSide(t)
	held := &shelves{}
	owners := []string{"a", "b", "c", "d"}
	var want []uuid.UUID
	for i := range 2_000 {
		m := l.message(owners[i%4], start.Add(-time.Duration(i*i)*time.Second))
		if p := i / 4 % maxProtocols; p > 0 {
			m.Kind = hub.KindOf(fmt.Sprintf("x%d", p), "edi")
		}
		held.keys, want = append(held.keys, catalog.KeyOf(m).String()), append(want, m.ID)
	}
	slices.Sort(held.keys)
	l.objectStore = held
	if got, pages := l.all(t, "limit=500", owners...); !slices.Equal(got, newest(want)) {
		t.Errorf("%d of %d messages on %d pages", len(got), len(want), pages)
	}
}

// A lake that holds a day's hundred thousand messages is asked for its newest, and for how
// regularly they came.
func BenchmarkManyMessages(b *testing.B) {
	l := newListSide(b)
	l.now = start
	group, _ := errgroup.WithContext(b.Context())
	group.SetLimit(together)
	for i := range 100_000 {
		m := l.message(owner, start.Add(-time.Duration(i)*24*time.Hour/100_000))
		group.Go(func() error { l.store(b, m); return nil })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	b.Run("first page", func(b *testing.B) {
		for b.Loop() {
			if got := l.page(b, "", owner); len(got.Messages) != defaultLimit {
				b.Fatalf("%d messages", len(got.Messages))
			}
		}
	})
	b.Run("feeds", func(b *testing.B) {
		for b.Loop() {
			if got := l.askFor(b, "/feeds", "", operates(owner, "")); got.StatusCode != 200 {
				b.Fatal(got.Body)
			}
		}
	})
}
