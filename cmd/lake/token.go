package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Write the ID token of a user, for curl and the like",
		Long: `token signs a user in and writes the ID token, which the API takes for an hour.
The user is the first of the lake on this machine, or that of --user.
` + exitCodes,
		Example: `  curl -H "Authorization: Bearer $(lake token)" …/messages/ID
  LAKE_TOKEN=$(lake token --user writer) lake send adt-a01.hl7`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			connection, err := p.connection()
			if err != nil {
				return err
			}
			source, err := p.tokenSource(connection)
			if err != nil {
				return err
			}
			token, err := source(cmd.Context())
			if err != nil {
				return err
			}
			if p.json {
				return p.object(map[string]string{"token": token})
			}
			_, err = fmt.Fprintln(p.out, token)
			return err
		},
	}
	p.userFlags(cmd)
	return cmd
}
