package operate

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
)

// Selection selects stored messages: those with the given ids, else those to which all
// other fields except Charset apply.
type Selection struct {
	IDs    []string  // messages' ids, as their senders were told
	Owner  string    // "" means every institution; if Errors is set, every institution that has errors. With IDs, another one's messages are unknown
	Type   string    // MSH-9, such as ADT^A01; "" means any
	From   time.Time // accepted at or after; zero means from the beginning
	To     time.Time // accepted before; zero means until now
	Errors bool      // only messages without JSON
	Code   string    // with Errors: only messages with an error of this code; "" means any
	After  string    // with Errors: only messages whose ids are later than this one; "" means all

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

// The errors of a message that cannot be replayed. See also ErrForgotten.
var (
	// ErrNoMessage says that the lake holds no message with an id.
	ErrNoMessage = errors.New("the lake holds no such message")
	// ErrGone says that a message's content no longer exists: it has expired.
	ErrGone = errors.New("the message's content no longer exists")
)

// errSome says that ReplaySome was asked for what it does not do.
var errSome = errors.New("operate: only messages with given ids, or with errors of one institution, are replayed in part")

// Bounds limit the work of one call.
type Bounds struct {
	Most  int       // so many messages are looked at; of dead letters, in each queue
	Until time.Time // nothing is begun after that
}

// ReplaySome is Replay within bounds, for messages with given ids or for the errors of
// one institution. more reports that the bounds left some out: of the given ids, those
// that were not reported; of the errors, those whose ids are later than next. A caller
// goes on with next as Selection.After.
func (o *Operator) ReplaySome(ctx context.Context, selection Selection, bounds Bounds, report func(Replayed)) (next string, more bool, err error) {
	if selection.IDs == nil && (!selection.Errors || selection.Owner == "") {
		return "", false, errSome
	}
	selection.To = selection.end()
	r := o.newReplaying(ctx, selection, false, report)
	defer r.wait()
	next, begun := selection.After, 0
	for message, err := range o.candidates(ctx, selection) {
		switch {
		case err != nil:
			return next, false, err
		case begun == bounds.Most || time.Now().After(bounds.Until):
			return next, true, nil
		}
		if next = message.root; message.meant {
			r.begin(message.root)
			begun++
		}
	}
	return "", false, nil
}

// candidates yields the messages with the given ids, else those of the institution that
// have errors.
func (o *Operator) candidates(ctx context.Context, selection Selection) iter.Seq2[candidate, error] {
	if selection.IDs == nil {
		return o.failed(ctx, selection.Owner, selection)
	}
	return func(yield func(candidate, error) bool) {
		for _, id := range selection.IDs {
			if !yield(candidate{id, true}, nil) {
				return
			}
		}
	}
}

// publishers is how many messages are read and published at once.
const publishers = 8

// Replay publishes the selected messages again, as the ingested events that they were. A
// dry run only looks them up. Replay calls report with each message, one after the other
// and in no particular order. The results of another version of a connector stand beside
// the earlier ones. The same version makes the same results with the same ids, so that
// only the count of attempts changes. The error says why the lake cannot be searched.
func (o *Operator) Replay(ctx context.Context, selection Selection, dry bool, report func(Replayed)) error {
	r := o.newReplaying(ctx, selection, dry, report)
	var failure error
	for root, err := range o.roots(ctx, selection) {
		if err != nil {
			failure = err
			break
		}
		r.begin(root)
	}
	r.wait()
	return errors.Join(failure, ctx.Err())
}

// replaying is a replay that is under way.
type replaying struct {
	begin func(root string) // replays a message, at once or when others have ended
	wait  func()            // until all have ended
}

// newReplaying returns a replay, which calls report with one message after the other.
func (o *Operator) newReplaying(ctx context.Context, selection Selection, dry bool, report func(Replayed)) replaying {
	var group errgroup.Group
	group.SetLimit(publishers)
	var one sync.Mutex
	return replaying{
		begin: func(root string) {
			group.Go(func() error {
				result, meant := o.replay(ctx, root, selection, dry)
				if meant {
					one.Lock()
					defer one.Unlock()
					report(result)
				}
				return nil
			})
		},
		wait: func() { _ = group.Wait() }, // the results hold the errors
	}
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
	if !ok || selection.Owner != "" && raw.Owner != selection.Owner {
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
		if object.IsGone(result.Err) {
			result.Err = ErrGone
		}
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
