package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func (p *program) redriveCommand() *cobra.Command {
	var options operate.RedriveOptions
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

What can never be redriven stays in its queue: it is no event of a lake (no event),
or its content is gone (no content). --set-aside stores it, as it lay in the queue,
in the lake as a message of the institution set-aside, and takes it out of its queue.

The exit status is 1 if anything that was asked for is left in a queue.
` + exitCodes,
		Example: `  lake redrive --dry-run
  lake redrive
  lake redrive --queue TriggerFailed --outputs outputs.json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.redrive(cmd.Context(), options) },
	}
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "show what would be redriven, and leave it where it is")
	cmd.Flags().StringArrayVar(&options.Queues, "queue", nil, "only queues with this `text` in their name, as WriterFailed; may be given again")
	cmd.Flags().BoolVar(&options.SetAside, "set-aside", false, "store in the lake what can never be redriven, and take it out of its queue")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "set-aside")
	p.placeFlags(cmd)
	return cmd
}

func (p *program) redrive(ctx context.Context, options operate.RedriveOptions) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	names, err := operator.Queues(ctx, options.Queues...)
	switch {
	case err != nil:
		return p.unworkable(err)
	case len(names) == 0:
		return &hintError{
			err:  fmt.Errorf("the lake has no dead-letter queue of that name"),
			hint: fmt.Sprintf("`%s redrive --dry-run` shows the queues that have something.", p.name),
		}
	}
	counts := map[operate.Outcome]int{}
	queue := ""
	var failure error
	err = operator.Redrive(ctx, options, func(letter operate.DeadLetter) {
		counts[letter.Outcome]++
		if failure == nil {
			failure = p.reportLetter(letter, letter.Queue != queue)
		}
		queue = letter.Queue
	})
	switch {
	case err != nil:
		return p.unworkable(err)
	case failure != nil:
		return failure
	}
	return p.summarize(counts, len(names), options.DryRun)
}

// summarize counts what became of the letters. Its error is errReported if one is left in
// its queue.
func (p *program) summarize(counts map[operate.Outcome]int, queues int, dry bool) error {
	hopeless := counts[operate.Malformed] + counts[operate.Gone]
	left := counts[operate.Returned] + hopeless + counts[operate.NotSent] + counts[operate.Doubled]
	if dry {
		p.note(fmt.Sprintf("queues: %d, would be redriven: %d, would be left: %d", queues, counts[operate.WouldBe], left))
	} else {
		p.note(fmt.Sprintf("queues: %d, redriven: %d, left in their queues: %d", queues, counts[operate.Redriven], left))
	}
	if erased := counts[operate.Erased]; erased > 0 {
		p.note(fmt.Sprintf("of messages that were forgotten, and taken out of their queues: %d", erased))
	}
	if aside := counts[operate.SetAside]; aside > 0 {
		p.note(fmt.Sprintf("set aside: %d. They are messages of the institution %s now; a user to whom `%s users grant EMAIL --read %[2]s` "+
			"lets read it can trace and get them by these ids.", aside, operate.SetAsideOwner, p.name))
	}
	if hopeless > 0 {
		p.note(fmt.Sprintf("can never be redriven: %d. `%s redrive --set-aside` stores them in the lake and takes them out of their queues.", hopeless, p.name))
	}
	if left > 0 {
		return errReported
	}
	return nil
}

// reportLetter writes a line for a dead letter, below the name of its queue.
func (p *program) reportLetter(letter operate.DeadLetter, heading bool) error {
	if p.json {
		return p.object(struct {
			operate.DeadLetter
			Error string `json:"error,omitempty"`
		}{letter, errorText(letter.Err)})
	}
	if heading {
		fmt.Fprintln(p.out, p.out.Styled(term.Bold, letter.Queue))
	}
	style := term.Bad
	switch letter.Outcome {
	case operate.Redriven, operate.Erased, operate.SetAside:
		style = term.Good
	case operate.WouldBe, operate.Returned:
		style = term.Note
	}
	return p.row(12, "  %s  %-36s  %-8s  %-7s  %s, %s ago", p.out.Styled(style, fmt.Sprintf("%-10s", letter.Outcome)),
		orDash(letter.ID), orDash(letter.Event), orDash(letter.Type), cause(letter), took(time.Since(letter.Since)))
}

// cause says why a letter is dead or, if it stays in its queue, why that is.
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
