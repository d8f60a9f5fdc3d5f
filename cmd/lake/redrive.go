package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func (l *lake) redriveCommand() *cobra.Command {
	var dry bool
	var queues []string
	cmd := &cobra.Command{
		Use:   "redrive",
		Short: "Bring back what lies in the dead-letter queues",
		Long: `redrive publishes what could not be handled on the hub again and takes it out
of its dead-letter queue once the hub has it. Every subscriber gets it, also those
that had it: ids repeat, so they take it for a redelivery, which changes nothing
but a count of attempts.

It needs AWS credentials that may work on the queues, read the catalog and publish
on the hub, and to put large content anew, which expires after 30 days, where they
may read it. What belongs to a message that was forgotten is only taken out of its
queue. A line for each message tells the event's id, never content. What fails again comes
back to its queue, after the functions' retries, and is left there for the next
redrive: repair the cause first.

The exit status is 1 if anything that was asked for is left in a queue.
` + exitCodes,
		Example: `  lake redrive --dry-run
  lake redrive
  lake redrive --queue TriggerFailed --outputs outputs.json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.redrive(cmd.Context(), dry, queues) },
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would be redriven, and leave it where it is")
	cmd.Flags().StringArrayVar(&queues, "queue", nil, "only queues with this `text` in their name, as WriterFailed; may be given again")
	l.placeFlags(cmd)
	return cmd
}

func (l *lake) redrive(ctx context.Context, dry bool, words []string) error {
	operator, err := l.operator(ctx)
	if err != nil {
		return err
	}
	names, err := operator.Queues(ctx, words...)
	switch {
	case err != nil:
		return l.unworkable(err)
	case len(names) == 0:
		return &hintError{
			err:  fmt.Errorf("the lake has no dead-letter queue of that name"),
			hint: fmt.Sprintf("`%s redrive --dry-run` shows the queues that have something.", l.name),
		}
	}
	counts := map[operate.Outcome]int{}
	queue := ""
	var failure error
	err = operator.Redrive(ctx, dry, words, func(letter operate.DeadLetter) {
		counts[letter.Outcome]++
		if failure == nil {
			failure = l.reportLetter(letter, letter.Queue != queue)
		}
		queue = letter.Queue
	})
	switch {
	case err != nil:
		return l.unworkable(err)
	case failure != nil:
		return failure
	}
	left := counts[operate.Returned] + counts[operate.Malformed] + counts[operate.Gone] + counts[operate.NotSent] + counts[operate.Doubled]
	if dry {
		l.note(fmt.Sprintf("queues: %d, would be redriven: %d, would be left: %d", len(names), counts[operate.WouldBe], left))
	} else {
		l.note(fmt.Sprintf("queues: %d, redriven: %d, left in their queues: %d", len(names), counts[operate.Redriven], left))
	}
	if erased := counts[operate.Erased]; erased > 0 {
		l.note(fmt.Sprintf("of messages that were forgotten, and taken out of their queues: %d", erased))
	}
	if left > 0 {
		return errReported
	}
	return nil
}

// reportLetter writes a line for a dead letter, below the name of its queue.
func (l *lake) reportLetter(letter operate.DeadLetter, heading bool) error {
	if l.json {
		return l.object(struct {
			operate.DeadLetter
			Error string `json:"error,omitempty"`
		}{letter, errorText(letter.Err)})
	}
	if heading {
		fmt.Fprintln(l.out, l.out.Styled(term.Bold, letter.Queue))
	}
	style := term.Bad
	switch letter.Outcome {
	case operate.Redriven, operate.Erased:
		style = term.Good
	case operate.WouldBe, operate.Returned:
		style = term.Note
	}
	_, err := fmt.Fprintf(l.out, "  %s  %-36s  %-8s  %-7s  %s, %s ago\n", l.out.Styled(style, fmt.Sprintf("%-10s", letter.Outcome)),
		orDash(letter.ID), orDash(letter.Event), orDash(letter.Type), cause(letter), took(time.Since(letter.Since)))
	return err
}

// cause is why a letter is dead or, where it stays so, why that is.
func cause(letter operate.DeadLetter) string {
	if letter.Err != nil {
		return told(letter.Err)
	}
	return orDash(letter.Cause)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return told(err)
}
