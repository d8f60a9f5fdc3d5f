// Package replay publishes messages that the lake holds once more, each as the
// ingested event that it was. Whoever subscribes takes that for a redelivery:
// ids repeat, so what is there already stays as it is and only what is missing,
// or what a newer parser makes of it, is added.
package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// Objects is what reading the lake needs of Amazon S3; *s3.Client has it.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Lake is where messages are taken from, and the hub to which they go.
type Lake struct {
	Bucket  string
	Objects Objects
	Hub     hub.Topic
}

// ErrContent says that the lake holds other bytes than the catalog recorded.
var ErrContent = errors.New("replay: the object differs from its catalog entry")

// Raw is the entry whose object is the message byte for byte as it was sent,
// among all entries of one message: the message itself or, should that never
// have been filed, what was filed of its error. It is false where there is none.
func Raw(entries []catalog.Entry) (raw catalog.Entry, ok bool) {
	for _, entry := range entries {
		switch entry.Zone {
		case catalog.Ingestion:
			return entry, true
		case catalog.Failed:
			raw, ok = entry, true
		}
	}
	return raw, ok
}

// Publish puts the message of raw, which Raw gave, onto the hub again, to be read in the
// charset readIn, or as it says itself where that is empty.
func (l Lake) Publish(ctx context.Context, raw catalog.Entry, readIn string) error {
	root, err := uuid.Parse(raw.Root)
	if err != nil {
		return errors.New("replay: the catalog entry has no root")
	}
	body, err := l.Read(ctx, raw)
	if err != nil {
		return err
	}
	return l.Hub.Publish(ctx, hub.Event{
		Name:    hub.Ingested,
		Format:  hub.ER7,
		ID:      root,
		Root:    root,
		Owner:   raw.Owner,
		Type:    raw.Type,
		Charset: raw.Charset,
		ReadIn:  readIn,
		Body:    body,
	})
}

// Read is the object in the version that was catalogued, if its bytes are those
// that were; else the error is ErrContent, or that of the call.
func (l Lake) Read(ctx context.Context, entry catalog.Entry) ([]byte, error) {
	in := &s3.GetObjectInput{Bucket: &l.Bucket, Key: &entry.Key}
	if entry.VersionID != "" {
		in.VersionId = &entry.VersionID
	}
	out, err := l.Objects.GetObject(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("get the object: %w", err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != entry.SHA256 {
		return nil, ErrContent
	}
	return content, nil
}
