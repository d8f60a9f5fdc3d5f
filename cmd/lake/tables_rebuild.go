package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/operate"
)

func (p *program) tablesRebuildCommand() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "rebuild --from TIME --to TIME",
		Short: "Make the tables of a lake anew, of messages accepted in a span",
		Long: `rebuild makes the tables anew of the messages that a lake accepted in a span of
time, by whole hours in UTC, whatever they are made of now: after an upgrade that
changed the tables, or after messages of long ago were deleted. What came in the
last 15 days is brought up to date by itself, each night.

It needs AWS credentials that may invoke the function tabulate.
` + exitCodes,
		Example: `  lake tables rebuild --from 2026-03-01 --to 2026-04-01 --outputs outputs.json`,
		Args:    exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := parseMoment(from)
			if err != nil {
				return usage(cmd, fmt.Errorf("--from %s: %w", from, err))
			}
			last, err := parseMoment(to)
			if err != nil {
				return usage(cmd, fmt.Errorf("--to %s: %w", to, err))
			}
			if !first.Before(last) {
				return usage(cmd, errors.New("--from is not before --to"))
			}
			return p.rebuildTables(cmd.Context(), first, last)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first `time`, as 2026-03-01 or 2026-03-01T14:00:00Z")
	cmd.Flags().StringVar(&to, "to", "", "the `time` behind the last")
	p.placeFlags(cmd)
	return cmd
}

// parseMoment reads a day, in UTC, or a time.
func parseMoment(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("want a day as 2026-03-01, or a time as 2026-03-01T14:00:00Z")
}

func (p *program) rebuildTables(ctx context.Context, from, to time.Time) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	done, err := operator.RebuildTables(ctx, from, to)
	if err != nil {
		return p.notTabulated(err)
	}
	return p.reportTabulated(done)
}

// reportTabulated tells what was done. What is left to do is an error.
func (p *program) reportTabulated(done operate.Tabulated) error {
	if p.json {
		if err := p.object(done); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(p.out, "made: the tables of %d hours, with %d messages\n", done.Hours, done.Messages)
	}
	if done.Conflicts > 0 {
		p.note(fmt.Sprintf("another run was at %d hours, which the next one looks at", done.Conflicts))
	}
	if !done.Complete {
		p.note("the function's time was over before all were made: run it again, with a later --from")
	}
	if done.Conflicts > 0 || !done.Complete {
		return errReported
	}
	return nil
}

// notTabulated is the error with what to do about it.
func (p *program) notTabulated(err error) error {
	if errors.Is(err, operate.ErrTabulating) {
		return &hintError{err: err, hint: "Try again when it has ended, which takes a quarter of an hour at most."}
	}
	if _, failed := errors.AsType[*operate.FunctionError](err); failed {
		return &hintError{err: err, hint: "The function's log says of which call."}
	}
	return p.unworkable(err)
}
