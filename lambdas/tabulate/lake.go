package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/tables"
)

// objectStore is the part of Amazon S3 that tabulate needs; *s3.Client has it.
type objectStore interface {
	s3.ListObjectsV2APIClient
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
}

// lake is the data lake's bucket, from which the messages as they were sent are read.
type lake struct {
	bucket  string
	objects objectStore
}

// A message is one of the lake.
type message struct {
	id   uuid.UUID
	size int64
}

// An hour is the messages of one institution that were accepted in an hour, in the order
// of their acceptance, and a digest of which objects they are.
type hour struct {
	source   string
	start    time.Time
	messages []message
	digest   string
}

// end is where the next hour starts.
func (h hour) end() time.Time { return h.start.Add(time.Hour) }

// sources lists the institutions that have messages.
func (l lake) sources(ctx context.Context) ([]string, error) {
	prefix := catalog.OwnersPrefix(catalog.Ingestion, contract.ProtocolHL7v2)
	var sources []string
	pages := s3.NewListObjectsV2Paginator(l.objects, &s3.ListObjectsV2Input{Bucket: &l.bucket, Prefix: &prefix, Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the institutions: %w", err)
		}
		for _, common := range page.CommonPrefixes {
			sources = append(sources, strings.TrimSuffix(strings.TrimPrefix(aws.ToString(common.Prefix), prefix), "/"))
		}
	}
	return sources, nil
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
			now.digest = hex.EncodeToString(sum.Sum(nil))
			return yield(now, nil)
		}
		for object, err := range l.list(ctx, source, from) {
			if err != nil {
				yield(hour{}, err)
				return
			}
			start := hub.Received(object.id).Truncate(time.Hour)
			if !start.Equal(now.start) {
				if !done() {
					return
				}
				now, sum = hour{source: source, start: start}, sha256.New()
				fmt.Fprintln(sum, tables.Version)
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

// listed is a message in a list of objects.
type listed struct {
	message
	etag string
}

// list lists an institution's messages from a time on.
func (l lake) list(ctx context.Context, source string, from time.Time) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &l.bucket, Prefix: aws.String(catalog.SourcePrefix(catalog.Ingestion, contract.ProtocolHL7v2, source)),
		}
		if !from.IsZero() {
			in.StartAfter = aws.String(catalog.FirstKey(contract.ProtocolHL7v2, source, from))
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
				if !ok || key.Kind.Format() != contract.FormatER7 {
					continue // not an HL7 message, and so not in a table
				}
				if !yield(listed{message{key.ID, aws.ToInt64(object.Size)}, aws.ToString(object.ETag)}, nil) {
					return
				}
			}
		}
	}
}

// errChanged says that the messages of an hour changed while its tables were made. The
// next run makes them.
var errChanged = errors.New("the hour's messages changed")

// get reads a message.
func (l lake) get(ctx context.Context, source string, m message) ([]byte, error) {
	key := catalog.Key{
		Zone: catalog.Ingestion, Kind: hub.KindOf(contract.ProtocolHL7v2, contract.FormatER7), Owner: source,
		Date: hub.Received(m.id).Format(time.DateOnly), ID: m.id,
	}
	out, err := l.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &l.bucket, Key: aws.String(key.String())})
	if isNotFound(err) {
		return nil, errChanged
	}
	if err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	defer out.Body.Close()
	body := make([]byte, m.size)
	if _, err := io.ReadFull(out.Body, body); err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	return body, nil
}
