package operate

import (
	"context"

	"github.com/google/uuid"

	"hl7lake/internal/hub"
)

// Root returns the id of the message that id belongs to: id itself in its usual form, or
// the message's if id is that of a JSON document or an error that was made of it. It
// returns id as it is if there is no such message, or if it is no id at all. The error
// says why the lake cannot be searched.
func (o *Operator) Root(ctx context.Context, id string) (string, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return id, nil //nolint:nilerr // whoever uses it says that there is no such message
	}
	if !hub.Derived(parsed) {
		return parsed.String(), nil
	}
	root, found, err := o.catalog.RootOf(ctx, o.objects, o.route.Bucket, parsed, nil)
	if err != nil || !found {
		return parsed.String(), err
	}
	return root.String(), nil
}
