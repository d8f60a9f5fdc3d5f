package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

func (p *program) traceCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "trace ID",
		Short: "Show what became of a message",
		Long: `trace shows a message's history: when it was received, which objects of the
lake it led to and when, and, where it could not become JSON, why. With --wait it
waits until the message is JSON or an error.

The exit status is 1 for a message that ended as an error or, with --wait, did
not end in time.
` + exitCodes,
		Example: `  lake trace 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake trace 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --wait
  lake trace 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77 --wait 2m --json`,
		Args: exactly(1, "the id of one message"),
		RunE: func(cmd *cobra.Command, arguments []string) error {
			return p.trace(cmd.Context(), strings.ToLower(strings.TrimSpace(arguments[0])), wait)
		},
	}
	waitFlag(cmd, &wait, "wait for the end of its way, at most this long")
	p.userFlags(cmd)
	return cmd
}

func (p *program) trace(ctx context.Context, id string, wait time.Duration) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	history, late, err := p.history(ctx, lake, id, wait)
	if err != nil {
		return err
	}
	p.noteRoot(id, history.ID)
	if p.json {
		err = p.object(history)
	} else {
		err = timeline(p.out, history)
	}
	if err != nil {
		return err
	}
	if late {
		p.note(fmt.Sprintf("the message is still %s after %v", history.Status, wait))
	}
	if late || history.Status == client.Errored {
		return errReported
	}
	return nil
}

// history returns the message's history after it has ended, if there is time to wait.
// late says that the time ran out.
func (p *program) history(ctx context.Context, lake *client.Client, id string, wait time.Duration) (history client.History, late bool, err error) {
	if wait <= 0 {
		history, err = lake.History(ctx, id)
		return history, false, err
	}
	progress := term.NewProgress(p.err)
	progress.Say("waiting for the end of the message's way")
	defer progress.Clear()
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	history, err = lake.Wait(limited, id)
	if errors.Is(err, context.DeadlineExceeded) && history.ID != "" {
		return history, true, nil
	}
	return history, false, err
}

// timeline shows a history, with a row for each step.
func timeline(s term.Screen, h client.History) error {
	if _, err := fmt.Fprintf(s, "%s  %s\n%s of %s, received %s\n\n", s.Styled(term.Bold, h.ID), s.Styled(styleOf(h.Status), string(h.Status)),
		cmp.Or(h.Type, "a message"), h.Owner, h.Received.UTC().Format("2006-01-02 15:04:05.000Z")); err != nil {
		return err
	}
	table := term.NewTable("TIME", ">AFTER", ">SIZE", "OBJECT")
	table.Row(term.Text(clock(h.Received)), term.Text(""), term.Text(""), term.Text("received"))
	for _, step := range h.Steps {
		object := term.Cell{Text: step.Key, Style: zoneStyle(step.Zone)}
		if step.Connector != "" {
			object.Text += fmt.Sprintf("  (%s/%d)", step.Connector, step.Version)
		}
		if step.Attempts > 1 {
			object.Text += fmt.Sprintf("  (told %d times)", step.Attempts)
		}
		table.Row(term.Text(clock(step.Written)), term.Text(took(step.Written.Sub(h.Received))), term.Text(size(step.Size)), object)
		if step.Reason != nil {
			table.Row(term.Text(""), term.Text(""), term.Text(""), term.Cell{Text: step.Reason.String(), Style: term.Bad})
		}
		if !step.Forgotten.IsZero() {
			table.Row(term.Text(clock(step.Forgotten)), term.Text(""), term.Text(""), term.Text("forgotten: "+step.ForgottenReason))
		}
	}
	return table.Write(s)
}

func styleOf(status client.Status) term.Style {
	switch status {
	case client.Staged:
		return term.Good
	case client.Errored:
		return term.Bad
	default:
		return term.Note
	}
}

func zoneStyle(zone client.Zone) term.Style {
	switch zone {
	case client.Staging:
		return term.Good
	case client.Failed:
		return term.Bad
	default:
		return term.Plain
	}
}

// clock is a time of day, with the time since the first one beside it.
func clock(t time.Time) string { return t.UTC().Format("15:04:05.000Z") }

// took writes a duration for a person: 84 ms, 1.2 s, 5m3s.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	default:
		return d.Round(time.Second).String()
	}
}

// size writes a number of bytes in SI units: 704 B, 2.1 kB, 410 kB.
func size(bytes int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value := float64(bytes)
	unit := 0
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	decimals := 0
	if unit > 0 && value < 9.95 {
		decimals = 1
	}
	return strconv.FormatFloat(value, 'f', decimals, 64) + " " + units[unit]
}
