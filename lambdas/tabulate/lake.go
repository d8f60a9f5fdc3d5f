package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/sent"
)

// objectStore is the part of Amazon S3 that tabulate needs; *s3.Client has it.
type objectStore interface {
	sent.Objects
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// lake is the data lake, from which the messages as they were sent are read.
type lake struct {
	sent.Lake
	// edition names what the tables depend on besides their messages. Tables of another
	// edition are made again.
	edition string
}

// An hour is the messages of one institution that were accepted in an hour, in the order
// of their acceptance, the ids of what was made of them, and a digest of which objects
// both are. What was made of them is in the digest because a message that was staged
// again may have been read in another character set.
type hour struct {
	source   string
	start    time.Time
	messages []sent.Message
	results  []uuid.UUID
	digest   string
}

// end is where the next hour starts.
func (h hour) end() time.Time { return h.start.Add(time.Hour) }

// ids are those of all objects of the hour, as the catalog has them, with the time at
// which the message was accepted.
func (h hour) ids() map[string]time.Time {
	ids := map[string]time.Time{}
	for _, m := range h.messages {
		ids[m.ID.String()] = hub.Received(m.ID)
	}
	for _, id := range h.results {
		ids[id.String()] = hub.Received(id)
	}
	return ids
}

// hours yields an institution's hours that have messages, from one hour on and before
// another. Keys are in the order of acceptance, because ids are UUIDv7 (see
// catalog.FirstKey), so an hour is complete when the next one begins. An error ends the
// iteration.
func (l lake) hours(ctx context.Context, source string, from, to time.Time) iter.Seq2[hour, error] {
	return func(yield func(hour, error) bool) {
		var now hour
		var sum hash.Hash
		done := func() bool {
			if len(now.messages) == 0 {
				return true
			}
			var err error
			if now.results, err = l.results(ctx, now); err != nil {
				yield(hour{}, err)
				return false
			}
			for _, id := range now.results {
				fmt.Fprintln(sum, id)
			}
			now.digest = hex.EncodeToString(sum.Sum(nil))
			return yield(now, nil)
		}
		for object, err := range l.List(ctx, catalog.Ingestion, source, from) {
			if err != nil {
				yield(hour{}, err)
				return
			}
			if object.Kind.Format() != contract.FormatER7 {
				continue // not an HL7 message, and so not in a table
			}
			start := hub.Received(object.ID).Truncate(time.Hour)
			if !start.Equal(now.start) {
				if !done() {
					return
				}
				now, sum = hour{source: source, start: start}, sha256.New()
				fmt.Fprintln(sum, l.edition)
			}
			if !start.Before(to) {
				return
			}
			now.messages = append(now.messages, object.Message)
			fmt.Fprintf(sum, "%s %s\n", object.ID, object.ETag)
		}
		done()
	}
}

// results lists the ids of what connectors made of an hour's messages, and of what they
// could not.
func (l lake) results(ctx context.Context, h hour) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, zone := range []catalog.Zone{catalog.Staging, catalog.Failed} {
		for object, err := range l.List(ctx, zone, h.source, h.start) {
			if err != nil {
				return nil, err
			}
			if !hub.Received(object.ID).Before(h.end()) {
				break
			}
			ids = append(ids, object.ID)
		}
	}
	return ids, nil
}
