package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"hl7lake/operate"
)

func (p *program) finderCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "finder",
		Short: "The table by which find finds messages: rebuild",
		Long: `finder looks after the table of hashes by which find finds messages.
docs/finder.md describes it.
` + exitCodes,
		Example: `  lake finder rebuild`,
		Args:    exactly(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.finderRebuildCommand())
	return cmd
}

func (p *program) finderRebuildCommand() *cobra.Command {
	var of operate.FinderSelection
	var from, to, after string
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Enter messages of the lake in the table again",
		Long: `rebuild enters messages of the lake in the table of hashes: those that came before
the lake had Finder, or while it was stopped, and all of them after a new version of
the key was put in front, or a place was added. Entries that were made with an earlier
key are removed. It reads the lake and publishes nothing; messages that are in the table
already stay in it.

It can be repeated. If it is interrupted, --after goes on where it ended, which it says
after each run of its function, of up to a quarter of an hour.

It needs AWS credentials that may invoke the function reindex.
` + exitCodes,
		Example: `  lake finder rebuild
  lake finder rebuild --owner st-elsewhere --from 2026-03-01`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if of.From, err = parseTime(from); err != nil {
				return usage(cmd, err)
			}
			if of.To, err = parseTime(to); err != nil {
				return usage(cmd, err)
			}
			if !of.To.IsZero() && !of.From.Before(of.To) {
				return usage(cmd, errors.New("--from is not before --to"))
			}
			if of.After, err = parseFinderPlace(after); err != nil {
				return usage(cmd, err)
			}
			return p.rebuildFinder(cmd.Context(), of)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&of.Owner, "owner", "", "only messages of this `institution`")
	flags.StringVar(&from, "from", "", "only accepted at or after this `time`")
	flags.StringVar(&to, "to", "", "only accepted before this `time`")
	flags.StringVar(&after, "after", "", "go on after this `place`, INSTITUTION/ID")
	p.placeFlags(cmd)
	return cmd
}

// parseFinderPlace reads a place as rebuild writes it; nil for an empty text.
func parseFinderPlace(text string) (*operate.FinderPlace, error) {
	if text == "" {
		return nil, nil
	}
	owner, id, _ := strings.Cut(text, "/")
	parsed, err := uuid.Parse(id)
	if err != nil || owner == "" {
		return nil, fmt.Errorf("--after %s: want an institution, a slash and the id of a message", text)
	}
	return &operate.FinderPlace{Owner: owner, ID: parsed}, nil
}

func (p *program) rebuildFinder(ctx context.Context, of operate.FinderSelection) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	done, err := operator.RebuildFinder(ctx, of, func(so operate.FinderRebuilt) {
		if so.After != nil {
			p.note(fmt.Sprintf("%d messages so far; to go on from here: --after %s/%s", so.Messages, so.After.Owner, so.After.ID))
		}
	})
	switch {
	case errors.Is(err, operate.ErrReindexing):
		return &hintError{err: err, hint: "Try again when it has ended, which takes a quarter of an hour at most."}
	case errors.Is(err, operate.ErrNoFinder):
		return &hintError{err: err, hint: "It is a setting of the environment; docs/finder.md says what it costs."}
	case err != nil:
		return p.unworkable(err)
	case p.json:
		return p.object(done)
	}
	fmt.Fprintf(p.out, "entered: %d messages, with %d entries\n", done.Messages, done.Entries)
	return nil
}
