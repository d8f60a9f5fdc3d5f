package operate

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"hl7lake/client"
	"hl7lake/internal/finder"
)

// FinderSelection says which messages are entered in Finder's table again.
type FinderSelection struct {
	Owner string       // the institution; "" means all
	From  time.Time    // accepted at or after; zero means from the beginning
	To    time.Time    // accepted before; zero means until now
	After *FinderPlace // go on after this message; nil means from the beginning
}

// FinderPlace is how far a rebuild of Finder's table has come: to a message of an
// institution. Institutions are done in the order of their names.
type FinderPlace struct {
	Owner string    `json:"owner"`
	ID    uuid.UUID `json:"id"`
}

// FinderRebuilt is what a rebuild of Finder's table did.
type FinderRebuilt struct {
	Messages int          `json:"messages"`        // that were entered
	Entries  int          `json:"entries"`         // that the table has of these
	After    *FinderPlace `json:"after,omitempty"` // where to go on; nil if all is done
}

// ErrReindexing says that a run of reindex is already under way. There is only one at a
// time.
var ErrReindexing = errors.New("a run of reindex is under way")

// ErrNoFinder says that the lake has no Finder.
var ErrNoFinder = errors.New("this lake has no Finder")

// RebuildFinder enters the selected messages of the lake in Finder's table again, in as
// many runs of its function as that takes, and removes their entries that were made with
// an earlier key. After each run it calls progress with what was done so far. It can be
// interrupted and repeated: RebuildFinder with After of the last progress goes on there.
// The error is ErrNoFinder, ErrReindexing, a *FunctionError, or an error of the call.
func (o *Operator) RebuildFinder(ctx context.Context, of FinderSelection, progress func(FinderRebuilt)) (FinderRebuilt, error) {
	all := FinderRebuilt{After: of.After}
	if o.names.Finder == "" {
		return all, ErrNoFinder
	}
	for {
		done, err := runFunction[FinderRebuilt](ctx, o, client.OutputReindex, struct {
			Owner string       `json:"owner,omitempty"`
			From  time.Time    `json:"from,omitzero"`
			To    time.Time    `json:"to,omitzero"`
			After *FinderPlace `json:"after,omitempty"`
		}{of.Owner, of.From.UTC(), of.To.UTC(), all.After}, ErrReindexing)
		if err != nil {
			return all, err
		}
		all = FinderRebuilt{Messages: all.Messages + done.Messages, Entries: all.Entries + done.Entries, After: done.After}
		progress(all)
		if all.After == nil {
			return all, nil
		}
	}
}

// forgetHashes removes the entries of a message from Finder's table, if the lake has one,
// and keeps the message from being entered again.
func (o *Operator) forgetHashes(ctx context.Context, root uuid.UUID) error {
	if o.names.Finder == "" {
		return nil
	}
	err := finder.Table{Name: o.names.Finder, DB: o.tables}.Forget(ctx, root, time.Now())
	if _, absent := errors.AsType[*types.ResourceNotFoundException](err); absent {
		return nil // a function knows the table's name, and not whether there is one
	}
	return err
}
