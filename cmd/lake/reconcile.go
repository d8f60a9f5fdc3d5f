package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func (p *program) reconcileCommand() *cobra.Command {
	overdue := time.Duration(-1)
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Find messages that got stuck or are missing, now",
		Long: `reconcile runs the lake's function of that name, which also runs every quarter of
an hour: it holds what was accepted against what the catalog has, publishes again
what got stuck and names what the lake does not hold.

It needs AWS credentials that may invoke the function. There is one run at a time,
of up to five minutes. A message that is published again is still one message, so
a run that looks at young messages does no harm.

The exit status is 1 if a message is missing or was given up, or if not all could
be looked at.
` + exitCodes,
		Example: `  lake reconcile
  lake reconcile --overdue 1m --outputs outputs.json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("overdue") && overdue < 0 {
				return usage(cmd, errors.New("--overdue is negative"))
			}
			return p.reconcile(cmd.Context(), overdue)
		},
	}
	cmd.Flags().DurationVar(&overdue, "overdue", overdue, "look at messages that were accepted this `long` ago, as 90s or 1m")
	cmd.Flags().Lookup("overdue").DefValue = "10m"
	p.placeFlags(cmd)
	return cmd
}

func (p *program) reconcile(ctx context.Context, overdue time.Duration) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	found, err := operator.Reconcile(ctx, overdue)
	if err != nil {
		return p.notReconciled(err)
	}
	if err := p.reportReconciled(found); err != nil {
		return err
	}
	if found.Missing+found.Abandoned > 0 || !found.Complete {
		return errReported
	}
	return nil
}

// notReconciled adds to the error what to do about it.
func (p *program) notReconciled(err error) error {
	if errors.Is(err, operate.ErrReconciling) {
		return &hintError{err: err, hint: "Its report is in the function's log; or try again in a few minutes."}
	}
	if _, failed := errors.AsType[*operate.FunctionError](err); failed {
		return &hintError{err: err, hint: "The function's log says of which call; the next run does what this one left."}
	}
	return p.unworkable(err)
}

func (p *program) reportReconciled(found operate.Reconciled) error {
	if p.json {
		return p.object(found)
	}
	for _, line := range []struct {
		name, means string
		count       int
		style       term.Style // if there are any
	}{
		{"settled", "came to the end of their way", found.Settled, term.Good},
		{"republished", "stuck, and published again", found.Republished, term.Note},
		{"waiting", "published again by an earlier run", found.Waiting, term.Note},
		{"unpublished", "never published, and not told to be accepted: their senders try again", found.Unpublished, term.Note},
		{"abandoned", "never published, and not sent again for a day", found.Abandoned, term.Bad},
		{"missing", "accepted, and not in the lake: see docs/runbook/missing.md", found.Missing, term.Bad},
	} {
		if line.count == 0 {
			line.style = term.Dim
		}
		if err := p.row(21, "%s  %s", p.out.Styled(line.style, fmt.Sprintf("%-11s  %6d", line.name, line.count)), line.means); err != nil {
			return err
		}
	}
	for _, message := range found.MissingMessages {
		age := time.Duration(message.AgeSeconds) * time.Second
		if err := p.row(9, "  %s  %s  %s, accepted %s ago", p.out.Styled(term.Bad, "missing"), message.ID, message.Owner, took(age)); err != nil {
			return err
		}
	}
	if unnamed := found.Missing - len(found.MissingMessages); unnamed > 0 {
		p.note(fmt.Sprintf("missing and not named here: %d; the function's log names each", unnamed))
	}
	if found.OldestUnstagedSeconds > 0 {
		p.note("the oldest that is not at the end of its way was accepted " + took(time.Duration(found.OldestUnstagedSeconds)*time.Second) + " ago")
	}
	if !found.Complete {
		p.note("the function's time was over before all were looked at: run it again")
	}
	return nil
}
