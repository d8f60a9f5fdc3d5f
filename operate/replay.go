package operate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
)

// Selection selects stored messages: those with the given ids, else those to which all
// other fields except Charset apply.
type Selection struct {
	IDs    []string  // messages' ids, as their senders were told
	Owner  string    // "" means every institution; if Errors is set, every institution that has errors
	Type   string    // MSH-9, such as ADT^A01; "" means any
	From   time.Time // accepted at or after; zero means from the beginning
	To     time.Time // accepted before; zero means until now
	Errors bool      // only messages without JSON

	// Charset is the IANA name of the character set to read the messages in, whatever
	// they declare. If it is empty, they are read as they declare. The results of another
	// character set have ids of their own.
	Charset string
}

// Replayed is what became of one stored message, without its content.
type Replayed struct {
	ID      string   `json:"id"`
	Owner   string   `json:"owner,omitempty"`
	Type    string   `json:"type,omitempty"`
	Results []Result `json:"results"` // that the lake holds, by connector and version
	Done    bool     `json:"done"`    // it is on the hub again; always false in a dry run
	Err     error    `json:"-"`       // why it is not
}

// Result is what a version of a connector made of a message.
type Result struct {
	Connector string `json:"connector"`
	Version   int    `json:"version"`
	Failed    bool   `json:"failed"` // it could make nothing of it
}

// String names the connector and its version, as in "staging-er7/2".
func (r Result) String() string { return hub.Connector{Name: r.Connector, Version: r.Version}.String() }

// ErrNoMessage says that the lake holds no message with an id.
var ErrNoMessage = errors.New("the lake holds no such message")

// publishers is how many messages are read and published at once.
const publishers = 8

// Replay publishes the selected messages again, as the ingested events that they were. A
// dry run only looks them up. Replay calls report with each message, one after the other
// and in no particular order. The results of another version of a connector stand beside
// the earlier ones. The same version makes the same results with the same ids, so that
// only the count of attempts changes. The error says why the lake cannot be searched.
func (o *Operator) Replay(ctx context.Context, selection Selection, dry bool, report func(Replayed)) error {
	var group errgroup.Group
	group.SetLimit(publishers)
	var one sync.Mutex
	var failure error
	for root, err := range o.roots(ctx, selection) {
		if err != nil {
			failure = err
			break
		}
		group.Go(func() error {
			result, meant := o.replay(ctx, root, selection, dry)
			if meant {
				one.Lock()
				defer one.Unlock()
				report(result)
			}
			return nil
		})
	}
	_ = group.Wait() // the results hold the errors
	return errors.Join(failure, ctx.Err())
}

// replay publishes one message again. meant is false if the message was not selected
// after all: it has JSON and only those without are wanted, it is of another type, or it
// was forgotten and its id was not given.
func (o *Operator) replay(ctx context.Context, root string, selection Selection, dry bool) (result Replayed, meant bool) {
	result.ID = root
	id, err := uuid.Parse(root)
	if err != nil {
		result.Err = ErrNoMessage
		return result, true
	}
	entries, err := o.catalog.History(ctx, id)
	if err != nil {
		result.Err = err
		return result, true
	}
	raw, ok := catalog.Raw(entries)
	if !ok {
		result.Err = ErrNoMessage
		return result, true
	}
	if result.Owner, result.Type = raw.Owner, raw.Type; raw.Forgotten != "" {
		result.Err = ErrForgotten
		return result, selection.IDs != nil
	}
	result.Results = resultsOf(entries)
	if selection.Errors && !unmade(result.Results) || selection.IDs == nil && selection.Type != "" && raw.Type != selection.Type {
		return result, false
	}
	if !dry {
		result.Err = o.route.Publish(ctx, raw, selection.Charset)
		result.Done = result.Err == nil
	}
	return result, true
}

// resultsOf returns what connectors made of a message, by all of its entries. A version
// that made both an error and something else, since the message was read in two character
// sets, has not failed.
func resultsOf(entries []catalog.Entry) []Result {
	failed := map[hub.Connector]bool{}
	for _, entry := range entries {
		if by := entry.By(); by != (hub.Connector{}) {
			before, known := failed[by]
			failed[by] = entry.Zone == catalog.Failed && (before || !known)
		}
	}
	results := []Result{}
	for by, failed := range failed {
		results = append(results, Result{by.Name, by.Version, failed})
	}
	slices.SortFunc(results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Version, b.Version))
	})
	return results
}

// unmade reports whether a connector could make nothing of the message in any of its
// versions.
func unmade(results []Result) bool {
	made := map[string]bool{}
	for _, r := range results {
		made[r.Connector] = made[r.Connector] || !r.Failed
	}
	return slices.Contains(slices.Collect(maps.Values(made)), false)
}

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
	if selection.To.IsZero() {
		selection.To = time.Now().Add(time.Minute) // clocks differ
	}
	if selection.Errors {
		return o.failed(ctx, owner, selection)
	}
	return o.stored(ctx, owner, selection)
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

// failed lists the errors in the catalog. Its index is sorted by the time of acceptance,
// so the errors of one message follow each other, except for messages accepted in the
// same millisecond.
func (o *Operator) failed(ctx context.Context, owner string, selection Selection) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := map[string]bool{} // of the current millisecond
		received := ""
		for entry, err := range o.catalog.Errors(ctx, owner, selection.From, selection.To) {
			if err != nil {
				yield("", err)
				return
			}
			if entry.Received != received {
				received = entry.Received
				clear(last)
			}
			if last[entry.Root] {
				continue
			}
			last[entry.Root] = true
			if !yield(entry.Root, nil) {
				return
			}
		}
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
