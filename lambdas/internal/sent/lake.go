// Package sent reads messages of HL7v2 from the lake as they were sent, in the order of
// their acceptance. It is for functions that make something of many of them without
// following the hub.
package sent

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
)

// Objects is the part of Amazon S3 that reading the lake needs; *s3.Client has it.
type Objects interface {
	s3.ListObjectsV2APIClient
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Lake is the data lake, for reading: its bucket, and its catalog.
type Lake struct {
	Bucket  string
	Objects Objects
	Catalog catalog.Table
}

// A Message is one of the lake.
type Message struct {
	ID   uuid.UUID
	Size int64 // in bytes
}

// Sources lists the institutions that have messages.
func (l Lake) Sources(ctx context.Context) ([]string, error) {
	return catalog.Owners(ctx, l.Objects, l.Bucket, catalog.Ingestion, contract.ProtocolHL7v2)
}

// Listed is an object in a list: a message, or what was made of one.
type Listed struct {
	Message
	Kind hub.Kind // as its key tells
	ETag string
}

// List lists the objects in a zone of an institution's messages of HL7v2, from a time of
// acceptance on, in the order of acceptance: keys are in that order, because ids are
// UUIDv7 (see catalog.FirstKey). An error ends the iteration.
func (l Lake) List(ctx context.Context, zone catalog.Zone, source string, from time.Time) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		in := &s3.ListObjectsV2Input{
			Bucket: &l.Bucket, Prefix: aws.String(catalog.SourcePrefix(zone, contract.ProtocolHL7v2, source)),
		}
		if !from.IsZero() {
			in.StartAfter = aws.String(catalog.FirstKey(zone, contract.ProtocolHL7v2, source, from))
		}
		pages := s3.NewListObjectsV2Paginator(l.Objects, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Listed{}, fmt.Errorf("list the messages: %w", err))
				return
			}
			for _, object := range page.Contents {
				key, ok := catalog.ParseKey(aws.ToString(object.Key))
				if !ok {
					continue // not written by the writer
				}
				if !yield(Listed{Message{key.ID, aws.ToInt64(object.Size)}, key.Kind, aws.ToString(object.ETag)}, nil) {
					return
				}
			}
		}
	}
}
