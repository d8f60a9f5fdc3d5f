package operate

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// roots yields the ids of the selected messages, each once. It ends after the first
// error.
func (o *Operator) roots(ctx context.Context, selection Selection) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if selection.IDs != nil {
			for _, id := range selection.IDs {
				if !yield(id, nil) {
					return
				}
			}
			return
		}
		owners, err := o.owners(ctx, selection)
		if err != nil {
			yield("", err)
			return
		}
		for _, owner := range owners {
			for root, err := range o.rootsOf(ctx, owner, selection) {
				if !yield(root, err) || err != nil {
					return
				}
			}
		}
	}
}

// rootsOf yields the ids of one institution's messages that may be selected, oldest
// first. It does not know their types; replay looks at them.
func (o *Operator) rootsOf(ctx context.Context, owner string, selection Selection) iter.Seq2[string, error] {
	selection.To = selection.end()
	if !selection.Errors {
		return o.stored(ctx, owner, selection)
	}
	return func(yield func(string, error) bool) {
		for message, err := range o.failed(ctx, owner, selection) {
			if (err != nil || message.meant) && !yield(message.root, err) {
				return
			}
		}
	}
}

// end returns the time before which the selected messages were accepted.
func (s Selection) end() time.Time {
	if s.To.IsZero() {
		return time.Now().Add(time.Minute) // clocks differ
	}
	return s.To
}

// stored lists the keys of messages as they were sent, protocol by protocol. Those of one
// are in the order of acceptance.
func (o *Operator) stored(ctx context.Context, owner string, selection Selection) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		protocols, err := catalog.Protocols(ctx, o.objects, o.route.Bucket, catalog.Ingestion)
		if err != nil {
			yield("", err)
			return
		}
		for _, protocol := range protocols {
			if !o.storedOf(ctx, protocol, owner, selection, yield) {
				return
			}
		}
	}
}

// storedOf lists the messages of one protocol. It reports whether to go on.
func (o *Operator) storedOf(ctx context.Context, protocol, owner string, selection Selection, yield func(string, error) bool) bool {
	in := &s3.ListObjectsV2Input{Bucket: &o.route.Bucket, Prefix: new(catalog.SourcePrefix(catalog.Ingestion, protocol, owner))}
	if !selection.From.IsZero() {
		in.StartAfter = new(catalog.FirstKey(catalog.Ingestion, protocol, owner, selection.From))
	}
	for pages := s3.NewListObjectsV2Paginator(o.objects, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			yield("", fmt.Errorf("list the messages: %w", err))
			return false
		}
		for _, object := range page.Contents {
			key, ok := catalog.ParseKey(aws.ToString(object.Key))
			switch {
			case !ok: // not written by the writer
			case !hub.Received(key.ID).Before(selection.To):
				return true
			case !yield(key.ID.String(), nil):
				return false
			}
		}
	}
	return true
}

// candidate is a message that may be replayed.
type candidate struct {
	root  string
	meant bool // false if it has errors, and none of the selected code
}

// failed lists the messages that have errors in the catalog, each once, in the order of
// their ids. The catalog's index has the errors in the order of acceptance, and those of
// one millisecond in no order.
func (o *Operator) failed(ctx context.Context, owner string, selection Selection) iter.Seq2[candidate, error] {
	from := selection.From
	if after, err := uuid.Parse(selection.After); err == nil && hub.Received(after).After(from) {
		from = hub.Received(after)
	}
	return func(yield func(candidate, error) bool) {
		meant := map[string]bool{} // the messages of one millisecond
		received := ""
		flush := func() bool {
			for _, root := range slices.Sorted(maps.Keys(meant)) {
				if root > selection.After && !yield(candidate{root, meant[root]}, nil) {
					return false
				}
			}
			clear(meant)
			return true
		}
		for entry, err := range o.catalog.Errors(ctx, owner, from, selection.To) {
			if err != nil {
				yield(candidate{}, err)
				return
			}
			if entry.Received != received && !flush() {
				return
			}
			received = entry.Received
			meant[entry.Root] = meant[entry.Root] || selection.Code == "" || entry.ReasonCode == selection.Code
		}
		flush()
	}
}

// owners returns the selected institutions: the one that is named, or all that have
// errors, found by the folders of these errors.
func (o *Operator) owners(ctx context.Context, selection Selection) ([]string, error) {
	if selection.Owner != "" {
		return []string{selection.Owner}, nil
	}
	protocols, err := catalog.Protocols(ctx, o.objects, o.route.Bucket, catalog.Failed)
	if err != nil {
		return nil, err
	}
	var owners []string
	for _, protocol := range protocols {
		of, err := catalog.Owners(ctx, o.objects, o.route.Bucket, catalog.Failed, protocol)
		if err != nil {
			return nil, err
		}
		owners = append(owners, of...)
	}
	slices.Sort(owners)
	return slices.Compact(owners), nil
}
