package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate"
)

func (p *program) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Hold claims, catalog and lake against each other, after a restore",
		Long: `verify reads all that was accepted, all that the catalog has and all messages that
lie in the lake, and names what they do not agree on: a message that was accepted
and is not catalogued, an object that is catalogued and not there, a message that
is there and not catalogued. After a restore the three may be of different moments.

It needs AWS credentials that may read both tables and list and head the lake's
objects. It makes a request for each of them, and opens none.

The exit status is 1 if something is amiss.
` + exitCodes,
		Example: `  lake verify
  lake verify --json --outputs outputs.json | jq -r .id`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.verify(cmd.Context()) },
	}
	p.placeFlags(cmd)
	return cmd
}

func (p *program) verify(ctx context.Context) error {
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	var failure error
	counts, err := operator.Verify(ctx, func(d operate.Discrepancy) {
		if failure == nil {
			failure = p.reportDiscrepancy(d)
		}
	})
	switch {
	case err != nil:
		return p.unworkable(err)
	case failure != nil:
		return failure
	}
	p.note(fmt.Sprintf("looked at: %d accepted, %d entries of the catalog, %d messages in the lake", counts.Accepted, counts.Entries, counts.Objects))
	if len(counts.Faults) == 0 {
		return nil
	}
	p.note(fmt.Sprintf("no message: %d, no object: %d, no entry: %d, remains: %d. docs/restore.md says what to do with each.",
		counts.Faults[operate.NoMessage], counts.Faults[operate.NoObject], counts.Faults[operate.NoEntry], counts.Faults[operate.Remains]))
	return errReported
}

func (p *program) reportDiscrepancy(d operate.Discrepancy) error {
	if p.json {
		return p.object(d)
	}
	return p.row(12, "%s  %-36s  %s  %s", p.out.Styled(term.Bad, fmt.Sprintf("%-10s", d.Fault)), d.ID, orDash(d.Owner), d.Key)
}
