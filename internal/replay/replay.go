// Package replay publishes messages of the lake again, each as the ingested event that it
// was. A subscriber takes that for a redelivery: ids repeat, so what exists stays as it
// is. Only what is missing, or what a newer version of a connector makes of the message,
// is added.
package replay

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// Route is where messages come from, and the hub that they go to.
type Route struct {
	Bucket  string
	Objects object.Getter
	Hub     hub.Topic
}

// Publish publishes the message of raw, which [catalog.Raw] returned, on the hub again.
// It is to be read in the charset readIn or, if that is empty, as the message itself
// declares.
func (r Route) Publish(ctx context.Context, raw catalog.Entry, readIn string) error {
	root, err := uuid.Parse(raw.Root)
	if err != nil {
		return errors.New("replay: the catalog entry has no root")
	}
	body, err := raw.Read(ctx, r.Objects, r.Bucket)
	if err != nil {
		return err
	}
	return r.Hub.Publish(ctx, hub.Event{
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
