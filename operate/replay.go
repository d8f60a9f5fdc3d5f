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

// Selection says which stored messages are meant: those of the ids, else those
// that all of the rest but Charset applies to.
type Selection struct {
	IDs    []string  // of messages, as their senders were told
	Owner  string    // "" is every institution that has errors, with Errors only
	Type   string    // MSH-9, as ADT^A01; "" is any
	From   time.Time // accepted at or after; zero is the beginning
	To     time.Time // accepted before; zero is now
	Errors bool      // only those that have no JSON

	// Charset is the IANA's name of the character set that they are to be read in, whatever
	// they declare; empty for what they declare. What is made of them then has ids of its own.
	Charset string
}

// Replayed is what became of one stored message, without its content.
type Replayed struct {
	ID     string   `json:"id"`
	Owner  string   `json:"owner,omitempty"`
	Type   string   `json:"type,omitempty"`
	Parser []string `json:"parser"` // the versions whose results the lake holds, in ascending order
	Staged bool     `json:"staged"` // one of them is JSON
	Done   bool     `json:"done"`   // it is on the hub again; false in a dry run, too
	Err    error    `json:"-"`      // why it is not
}

// ErrNoMessage says that the lake holds no message of an id.
var ErrNoMessage = errors.New("the lake holds no such message")

// ParserVersion is the version of the parser in this program. The lake's own may
// be another one.
const ParserVersion = hub.ParserVersion

// publishers is how many messages are read and published at once.
const publishers = 8

// Replay publishes the selected messages again as the ingested events that they
// were; a dry run only looks them up. report is called with each, one after the
// other and in no order. The results of a parser of another version stand beside
// the earlier ones. The same parser makes the same results, with the same ids, so
// that nothing changes but the count of attempts. The error is that of a lake
// that cannot be searched.
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
	_ = group.Wait() // the errors are in the results
	return errors.Join(failure, ctx.Err())
}

// replay publishes one message again. meant is false for one that has JSON, where
// only those without are, for one of another type, and for one that was forgotten,
// unless it is named.
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

// byNumber orders parser versions, which are written without leading zeros.
func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// roots gives the ids of the selected messages, each once. It ends after the
// first error.
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

// rootsOf gives the ids of one institution's selected messages, oldest first, or
// those that may be: replay looks at the type.
func (o *Operator) rootsOf(ctx context.Context, owner string, selection Selection) iter.Seq2[string, error] {
	if selection.To.IsZero() {
		selection.To = time.Now().Add(time.Minute) // clocks differ
	}
	if selection.Errors {
		return o.failed(ctx, owner, selection)
	}
	return o.stored(ctx, owner, selection)
}

// stored lists the lake's folders of messages as they were sent, whose keys are in
// the order of acceptance.
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
					continue // none of the writer's
				}
				if !hub.Received(root).Before(selection.To) || !yield(name, nil) {
					return
				}
			}
		}
	}
}

// failed lists the errors in the catalog. Its index is sorted by the time of
// acceptance, so the errors of one message, but for those accepted in the same
// millisecond, follow each other.
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

// owners are the institutions that are meant: the one that is named, or all that
// the lake has errors of, by the folders that these lie in.
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
