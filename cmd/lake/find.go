package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"hl7lake/client"
)

func (p *program) findCommand() *cobra.Command {
	var of client.Identifier
	limit := 50
	cmd := &cobra.Command{
		Use:   "find",
		Short: "Find messages by an identifier, newest first",
		Long: `find shows the messages that have an identifier, of the institutions that you may
read, newest first, as list does: by a patient's identifier (PID-3), an account
(PID-18), a visit (PV1-19), an order (ORC-2, ORC-3, OBR-2, OBR-3) or a control id
(MSH-10), or by what else the lake was told to find. Values are compared whole, with
case and leading zeros. --authority is the assigning authority's namespace or universal
id; without it, those of all authorities are found.

With - in place of a value, it is read from standard input, and on a terminal it is not
shown. Then no identifier gets into the history of your shell or the list of processes.
It travels in the body of a request, and the lake keeps and logs no identifier.

The lake needs Finder, which is a setting of its environment (docs/finder.md).
` + exitCodes,
		Example: `  lake find --patient 4711
  lake find --patient 4711 --authority GENERAL --json
  lake find --order - < order.txt
  lake find --kind accession --value -`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := identifierOf(cmd, &of); err != nil {
				return usage(cmd, err)
			}
			if limit < 0 {
				return usage(cmd, fmt.Errorf("--limit %d: want 0 or more", limit))
			}
			return p.find(cmd.Context(), of, limit)
		},
	}
	flags := cmd.Flags()
	for _, each := range identifierFlags() {
		flags.String(each.flag, "", "messages with this `identifier` of "+each.of)
	}
	flags.StringVar((*string)(&of.Kind), "kind", "", "messages with an identifier of this `kind`, given by --value")
	flags.StringVar(&of.Value, "value", "", "the `identifier`, of the kind given by --kind")
	flags.StringVar(&of.Authority, "authority", "", "only of this assigning `authority`")
	flags.StringVar(&of.Owner, "owner", "", "only messages of this `institution`")
	flags.IntVarP(&limit, "limit", "n", limit, "at most this `number`; 0 means all")
	p.userFlags(cmd)
	return cmd
}

// identifierFlag is a flag for a kind of identifier.
type identifierFlag struct {
	flag string
	kind client.IdentifierKind
	of   string // what is identified
}

func identifierFlags() []identifierFlag {
	return []identifierFlag{
		{"patient", client.PatientID, "a patient, PID-3"},
		{"account", client.AccountID, "an account, PID-18"},
		{"visit", client.VisitID, "a visit, PV1-19"},
		{"order", client.OrderID, "an order, ORC or OBR-2 and -3"},
		{"control-id", client.ControlID, "the message, MSH-10"},
	}
}

// identifierOf completes the identifier by the one flag that says what to find.
func identifierOf(cmd *cobra.Command, of *client.Identifier) error {
	given := 0
	for _, each := range identifierFlags() {
		if flag := cmd.Flags().Lookup(each.flag); flag.Changed {
			of.Kind, of.Value = each.kind, flag.Value.String()
			given++
		}
	}
	own := cmd.Flags().Changed("kind") || cmd.Flags().Changed("value")
	switch {
	case own && given > 0, given > 1:
		return errors.New("more than one identifier to find")
	case of.Kind == "" || of.Value == "":
		return errors.New("nothing to find: want one of --patient, --account, --visit, --order and --control-id, or --kind with --value")
	}
	return nil
}

func (p *program) find(ctx context.Context, of client.Identifier, limit int) error {
	lake, err := p.client()
	if err != nil {
		return err
	}
	if of.Value == "-" {
		if of.Value, err = p.askSecret("Identifier"); err != nil {
			return fmt.Errorf("read the identifier: %w", err)
		}
	}
	rows := messageRows{program: p}
	_, err = rows.showAll(limit, func(size int, cursor string) (client.Page, error) {
		return lake.FindPage(ctx, of, size, cursor)
	})
	if problem, refused := errors.AsType[*client.Problem](err); refused && problem.Status == http.StatusNotFound && problem.Code == "" {
		return &hintError{err: fmt.Errorf("this lake has no Finder: %w", err), hint: "It is a setting of the environment; docs/finder.md says what it costs."}
	}
	return err
}
