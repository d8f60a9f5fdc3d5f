package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// objectStore is the part of Amazon S3 that tabulate needs; *s3.Client has it.
type objectStore interface {
	s3.ListObjectsV2APIClient
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// lake is the data lake: its bucket, from which the messages as they were sent are read,
// and its catalog.
type lake struct {
	bucket  string
	objects objectStore
	catalog catalog.Table
	// edition names what the tables depend on besides their messages. Tables of another
	// edition are made again.
	edition string
}

// A message is one of the lake.
type message struct {
	id   uuid.UUID
	size int64
}

// An hour is the messages of one institution that were accepted in an hour, in the order
// of their acceptance, the ids of what was made of them, and a digest of which objects
// both are. What was made of them is in the digest because a message that was staged
// again may have been read in another character set.
type hour struct {
	source   string
	start    time.Time
	messages []message
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
		ids[m.id.String()] = hub.Received(m.id)
	}
	for _, id := range h.results {
		ids[id.String()] = hub.Received(id)
	}
	return ids
}

// sources lists the institutions that have messages.
func (l lake) sources(ctx context.Context) ([]string, error) {
	return catalog.Owners(ctx, l.objects, l.bucket, catalog.Ingestion, contract.ProtocolHL7v2)
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
		for object, err := range l.list(ctx, catalog.Ingestion, source, from) {
			if err != nil {
				yield(hour{}, err)
				return
			}
			if object.kind.Format() != contract.FormatER7 {
				continue // not an HL7 message, and so not in a table
			}
			start := hub.Received(object.id).Truncate(time.Hour)
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
			now.messages = append(now.messages, object.message)
			fmt.Fprintf(sum, "%s %s\n", object.id, object.etag)
		}
		done()
	}
}

// results lists the ids of what connectors made of an hour's messages, and of what they
// could not.
func (l lake) results(ctx context.Context, h hour) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	for _, zone := range []catalog.Zone{catalog.Staging, catalog.Failed} {
		for object, err := range l.list(ctx, zone, h.source, h.start) {
			if err != nil {
				return nil, err
			}
			if !hub.Received(object.id).Before(h.end()) {
				break
			}
			ids = append(ids, object.id)
		}
	}
	return ids, nil
}

// listed is an object in a list: a message, or what was made of one.
type listed struct {
	message
	kind hub.Kind
	etag string
}

// list lists the objects in a zone of an institution's messages, from a time of
// acceptance on.
func (l lake) list(ctx context.Context, zone catalog.Zone, source string, from time.Time) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &l.bucket, Prefix: aws.String(catalog.SourcePrefix(zone, contract.ProtocolHL7v2, source)),
		}
		if !from.IsZero() {
			in.StartAfter = aws.String(catalog.FirstKey(zone, contract.ProtocolHL7v2, source, from))
		}
		pages := s3.NewListObjectsV2Paginator(l.objects, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(listed{}, fmt.Errorf("list the messages: %w", err))
				return
			}
			for _, object := range page.Contents {
				key, ok := catalog.ParseKey(aws.ToString(object.Key))
				if !ok {
					continue // not written by the writer
				}
				if !yield(listed{message{key.ID, aws.ToInt64(object.Size)}, key.Kind, aws.ToString(object.ETag)}, nil) {
					return
				}
			}
		}
	}
}
