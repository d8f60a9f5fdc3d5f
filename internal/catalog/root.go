package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
)

// sameTime is how many messages of one institution and protocol, accepted in the same
// millisecond, are looked at.
const sameTime = 100

// RootOf returns the root of the message that led to the event with the derived id, among
// the messages of the owners, or of all for nil. It reports false if there is none, or if
// the message itself is no longer in the bucket.
//
// A derived id tells when its message was accepted, and the keys of messages are in the
// order of that time, so it takes a listing for each owner and protocol and a query for
// each message of that millisecond. An index of the catalog by derived ids would cost a
// write for each message for what is seldom asked.
func (t Table) RootOf(ctx context.Context, objects Lister, bucket string, id uuid.UUID, owners []string) (root uuid.UUID, found bool, err error) {
	at := hub.Received(id)
	protocols, err := Protocols(ctx, objects, bucket, Ingestion)
	if err != nil {
		return root, false, err
	}
	for _, protocol := range protocols {
		among := owners
		if among == nil {
			if among, err = Owners(ctx, objects, bucket, Ingestion, protocol); err != nil {
				return root, false, err
			}
		}
		for _, owner := range among {
			out, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
				Bucket: &bucket, Prefix: new(SourcePrefix(Ingestion, protocol, owner)), StartAfter: new(FirstKey(Ingestion, protocol, owner, at)), MaxKeys: new(int32(sameTime)),
			})
			if err != nil {
				return root, false, fmt.Errorf("list the messages: %w", err)
			}
			for _, object := range out.Contents {
				key, ok := ParseKey(*object.Key)
				if ok && hub.Received(key.ID).After(at) {
					break
				}
				if found, err := t.led(ctx, key.ID, id); found || err != nil {
					return key.ID, found, err
				}
			}
		}
	}
	return root, false, nil
}

// led reports whether the message root led to the event id.
func (t Table) led(ctx context.Context, root, id uuid.UUID) (bool, error) {
	entries, err := t.History(ctx, root)
	return slices.ContainsFunc(entries, func(e Entry) bool { return e.ID == id.String() }), err
}
