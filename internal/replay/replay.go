// Package replay publishes messages that the lake holds once more, each as the
// ingested event that it was. Whoever subscribes takes that for a redelivery:
// ids repeat, so what is there already stays as it is and only what is missing,
// or what a newer parser makes of it, is added.
package replay

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// Lake is where messages are taken from, and the hub to which they go.
type Lake struct {
	Bucket  string
	Objects object.Getter
	Hub     hub.Topic
}

// Publish puts the message of raw, which [catalog.Raw] gave, onto the hub again, to be read in the
// charset readIn, or as it says itself where that is empty.
func (l Lake) Publish(ctx context.Context, raw catalog.Entry, readIn string) error {
	root, err := uuid.Parse(raw.Root)
	if err != nil {
		return errors.New("replay: the catalog entry has no root")
	}
	body, err := raw.Read(ctx, l.Objects, l.Bucket)
	if err != nil {
		return err
	}
	return l.Hub.Publish(ctx, hub.Event{
		Name:    hub.Ingested,
		Kind:    raw.Kind(),
		ID:      root,
		Root:    root,
		Owner:   raw.Owner,
		Type:    raw.Type,
		Charset: raw.Charset,
		ReadIn:  readIn,
		Body:    body,
	})
}
