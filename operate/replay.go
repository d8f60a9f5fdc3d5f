package operate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
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
	ID     string   `json:"id"`
	Owner  string   `json:"owner,omitempty"`
	Type   string   `json:"type,omitempty"`
	Parser []string `json:"parser"` // the versions whose results the lake holds, in ascending order
	Staged bool     `json:"staged"` // one of the results is JSON
	Done   bool     `json:"done"`   // it is on the hub again; always false in a dry run
	Err    error    `json:"-"`      // why it is not
}

// ErrNoMessage says that the lake holds no message with an id.
var ErrNoMessage = errors.New("the lake holds no such message")

// ParserVersion is the version of the parser in this program. The lake's own parser may
// have another version.
const ParserVersion = hub.ParserVersion

// publishers is how many messages are read and published at once.
const publishers = 8

// Replay publishes the selected messages again, as the ingested events that they were. A
// dry run only looks them up. Replay calls report with each message, one after the other
// and in no particular order. The results of another version of the parser stand beside
// the earlier ones. The same parser makes the same results with the same ids, so that
// only the count of attempts changes. The error is that of a lake that cannot be
// searched.
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
	raw, ok := replay.Raw(entries)
	if !ok {
		result.Err = ErrNoMessage
		return result, true
	}
	if result.Owner, result.Type = raw.Owner, raw.Type; raw.Forgotten != "" {
		result.Err = ErrForgotten
		return result, selection.IDs != nil
	}
	for _, entry := range entries {
		result.Staged = result.Staged || entry.Zone == catalog.Staging
		if entry.Parser != "" && !slices.Contains(result.Parser, entry.Parser) {
			result.Parser = append(result.Parser, entry.Parser)
		}
	}
	slices.SortFunc(result.Parser, byNumber)
	if selection.Errors && result.Staged || selection.IDs == nil && selection.Type != "" && raw.Type != selection.Type {
		return result, false
	}
	if !dry {
		result.Err = o.lake.Publish(ctx, raw, selection.Charset)
		result.Done = result.Err == nil
	}
	return result, true
}

// byNumber orders parser versions, which are numbers without leading zeros.
func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
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

// stored lists the keys of messages as they were sent. They are in the order of
// acceptance.
func (o *Operator) stored(ctx context.Context, owner string, selection Selection) iter.Seq2[string, error] {
	in := &s3.ListObjectsV2Input{Bucket: &o.lake.Bucket, Prefix: new(catalog.OwnersPrefix(catalog.Ingestion) + owner + "/")}
	if !selection.From.IsZero() {
		in.StartAfter = new(catalog.FirstKey(catalog.Ingestion, owner, selection.From))
	}
	return func(yield func(string, error) bool) {
		for pages := s3.NewListObjectsV2Paginator(o.objects, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield("", fmt.Errorf("list the messages: %w", err))
				return
			}
			for _, object := range page.Contents {
				name, _, _ := strings.Cut(path.Base(*object.Key), ".")
				root, err := uuid.Parse(name)
				if err != nil {
					continue // not written by the writer
				}
				if !hub.Received(root).Before(selection.To) || !yield(name, nil) {
					return
				}
			}
		}
	}
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
	prefix := catalog.OwnersPrefix(catalog.Failed)
	var owners []string
	pages := s3.NewListObjectsV2Paginator(o.objects, &s3.ListObjectsV2Input{Bucket: &o.lake.Bucket, Prefix: &prefix, Delimiter: new("/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the institutions: %w", err)
		}
		for _, folder := range page.CommonPrefixes {
			owners = append(owners, strings.TrimSuffix(strings.TrimPrefix(*folder.Prefix, prefix), "/"))
		}
	}
	return owners, nil
}
