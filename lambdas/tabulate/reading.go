package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/tables"
)

// errChanged says that the messages of an hour changed while its tables were made. The
// next run makes them.
var errChanged = errors.New("the hour's messages changed")

// A reading is a message as it was sent, and what the catalog says of it.
type reading struct {
	body    []byte
	entries []catalog.Entry
}

// table returns what the tables are made of. A message is read in the character set of
// its JSON: the one that an operator chose when it was staged last, if any, or else the
// one that its sender declared beside it or in it.
func (r reading) table(id uuid.UUID) tables.Message {
	sent, _ := catalog.Raw(r.entries)
	staged, _ := catalog.Result(r.entries, contract.ConnectorER7, catalog.Staging)
	return tables.Message{
		Root: id.String(), Received: hub.Received(id), Body: r.body, Charset: sent.Charset, ReadIn: staged.ReadIn,
	}
}

// read reads a message and its entries in the catalog.
func (l lake) read(ctx context.Context, source string, m message) (reading, error) {
	body, err := l.get(ctx, source, m)
	if err != nil {
		return reading{}, err
	}
	entries, err := l.catalog.History(ctx, m.id)
	return reading{body, entries}, err
}

// get reads a message as it was sent.
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
