package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
)

func (p *program) errorsCommand() *cobra.Command {
	var filter client.Filter
	var from, to string
	cmd := &cobra.Command{
		Use:   "errors",
		Short: "Group the messages in error by their reasons",
		Long: `errors shows why messages are in error, and how many for each reason: the newest
reason first, with the place in the message and the connector that gave up. At most
500 messages are counted, the newest ones. A message that became JSON later is not
in error. lake list --state error lists them one by one; --json names the newest ten
of each reason.

Times are RFC 3339 or days, as 2026-11-22, in UTC; --to is not included.
` + exitCodes,
		Example: `  lake errors
  lake errors --from 2026-11-22 --owner st-elsewhere --json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if filter.From, err = parseTime(from); err != nil {
				return usage(cmd, err)
			}
			if filter.To, err = parseTime(to); err != nil {
				return usage(cmd, err)
			}
			return p.errorGroups(cmd.Context(), filter)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&filter.Owner, "owner", "", "only messages of this `institution`")
	flags.StringVar(&from, "from", "", "only accepted at or after this `time`")
	flags.StringVar(&to, "to", "", "only accepted before this `time`")
	p.userFlags(cmd)
	return cmd
}

func (p *program) errorGroups(ctx context.Context, filter client.Filter) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	found, err := lake.Errors(ctx, filter)
	if err != nil {
		return err
	}
	if p.json {
		return p.object(found)
	}
	const format, hang = "%8s  %-19s  %-16s  %s", 12
	if len(found.Groups) > 0 {
		if err := p.row(hang, "%s", p.out.Styled(term.Dim, fmt.Sprintf(format, "MESSAGES", "NEWEST", "OWNER", "REASON"))); err != nil {
			return err
		}
	}
	for _, g := range found.Groups {
		reason := p.out.Styled(term.Bad, g.Code)
		if g.Path != "" {
			reason += " at " + g.Path
		}
		if err := p.row(hang, format, fmt.Sprint(g.Count), g.Newest.UTC().Format(time.DateTime), g.Owner, reason+"  "+g.Connector); err != nil {
			return err
		}
	}
	switch {
	case !found.Complete:
		p.note("There are earlier errors, from before " + found.From.UTC().Format(time.DateTime) + ", that were not counted.")
	case len(found.Groups) == 0:
		p.note("There is no message in error.")
	}
	return nil
}
