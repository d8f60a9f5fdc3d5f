package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

func (p *program) listCommand() *cobra.Command {
	var o listOptions
	var from, to string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List messages, newest first",
		Long: `list shows the messages of the institutions that you may read, newest first: when
each was accepted, its id, its type and how far it has come. Of an error it shows
the reason's code; lake trace tells more. The list holds what lies in the lake: not
what has expired or was forgotten. With --state accepted it holds what was accepted
and is not in the lake yet, and with --state missing what should be there by now.

With --follow the last of them come in the order of their acceptance, and then each
new one until Ctrl-C: when it has ended or, if that takes longer, after some seconds.
Times are RFC 3339 or days, as 2026-11-22, in UTC; --to is not included.
` + exitCodes,
		Example: `  lake list
  lake list --state error --from 2026-11-22
  lake list --type ADT^A01 --owner st-elsewhere --limit 0 --json
  lake list --follow`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(from, to); err != nil {
				return usage(cmd, err)
			}
			return p.list(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.filter.Owner, "owner", "", "only messages of this `institution`")
	flags.StringVar(&o.filter.Protocol, "protocol", "", "only of this `protocol`, as hl7v2 or x12")
	flags.StringVar(&o.filter.Type, "type", "", "only of this `type`, as ADT^A01")
	flags.StringVar((*string)(&o.filter.State), "state", "", "only in this `state`: "+stateNames())
	flags.StringVar(&o.filter.Connector, "connector", "", "only those of which this `connector` has filed something")
	flags.StringVar(&from, "from", "", "only accepted at or after this `time`")
	flags.StringVar(&to, "to", "", "only accepted before this `time`")
	flags.IntVarP(&o.limit, "limit", "n", 50, "at most this `number`; 0 means all")
	flags.BoolVarP(&o.follow, "follow", "f", false, "go on with new messages, until Ctrl-C")
	p.userFlags(cmd)
	return cmd
}

// listOptions say which messages to list.
type listOptions struct {
	filter client.Filter
	limit  int // 0 means all
	follow bool
}

// listStates returns the states that a list can ask for.
func listStates() []client.Status {
	return []client.Status{client.Accepted, client.Ingested, client.Staged, client.Errored, client.Missing}
}

func stateNames() string {
	var names []string
	for _, state := range listStates() {
		names = append(names, string(state))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// check completes the options, and refuses what the lake would refuse.
func (o *listOptions) check(from, to string) (err error) {
	if o.filter.From, err = parseTime(from); err != nil {
		return err
	}
	if o.filter.To, err = parseTime(to); err != nil {
		return err
	}
	switch {
	case o.filter.State != "" && !slices.Contains(listStates(), o.filter.State):
		return fmt.Errorf("%q is not a state: want %s", o.filter.State, stateNames())
	case o.limit < 0:
		return fmt.Errorf("--limit %d: want 0 or more", o.limit)
	case o.follow && !o.filter.To.IsZero():
		return errors.New("--follow cannot be combined with --to")
	}
	return nil
}

func (p *program) list(ctx context.Context, o listOptions) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	rows := messageRows{program: p}
	if o.follow {
		return follow(ctx, lake, o, rows.show)
	}
	last, err := rows.showAll(o.limit, func(size int, cursor string) (client.Page, error) {
		return lake.Page(ctx, o.filter, size, cursor)
	})
	if err == nil && last.OtherProtocols {
		p.note("There are more protocols than a list covers; --protocol lists the messages of one.")
	}
	return err
}

// showAll writes the messages of the pages that next returns, at most limit of them; 0
// means all. next is told how many are wanted, and the cursor of the page before. The last
// page is returned.
func (r *messageRows) showAll(limit int, next func(size int, cursor string) (client.Page, error)) (client.Page, error) {
	left := limit
	if left == 0 {
		left = math.MaxInt
	}
	for cursor := ""; ; {
		page, err := next(min(left, pageSize), cursor)
		if err != nil {
			return page, err
		}
		for _, message := range page.Messages {
			if err := r.show(message); err != nil {
				return page, err
			}
		}
		left -= len(page.Messages)
		if cursor = page.Cursor; cursor != "" && left > 0 {
			continue
		}
		if r.shown == 0 {
			r.note("There is no such message.")
		}
		return page, nil
	}
}

// follow shows the last messages and then new ones until ctx is done, which is its proper
// end.
func follow(ctx context.Context, lake *client.Client, o listOptions, show func(client.Listed) error) error {
	for message, err := range lake.Follow(ctx, o.filter, o.limit) {
		if err == nil {
			err = show(message)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

// pageSize is how many messages are asked for at once, at most.
const pageSize = 500

// messageRows writes messages, one by one.
type messageRows struct {
	*program
	shown   int
	owner   string // of the first message
	several bool   // another one is of another institution
}

// show writes a message as a row or, with --json, as a line. As soon as there are
// messages of several institutions, each row names its own.
func (r *messageRows) show(m client.Listed) error {
	if r.shown++; r.shown == 1 {
		r.owner = m.Owner
	}
	if r.json {
		return r.object(m)
	}
	const format, hang = "%-19s  %-36s  %-7s  %s", 4
	if r.shown == 1 {
		if _, err := fmt.Fprintln(r.out, r.out.Styled(term.Dim, fmt.Sprintf(format, "RECEIVED", "ID", "TYPE", "STATE"))); err != nil {
			return err
		}
	}
	state := r.out.Styled(styleOf(m.State), string(m.State))
	if m.Reason != "" {
		state += " " + m.Reason
	}
	if r.several = r.several || m.Owner != r.owner; r.several {
		state += "  " + m.Owner
	}
	return r.row(hang, format, m.Received.UTC().Format(time.DateTime), m.ID, m.Type, state)
}
