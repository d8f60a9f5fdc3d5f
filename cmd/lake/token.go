package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (l *lake) tokenCommand() *cobra.Command {
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
			connection, err := l.connection()
			if err != nil {
				return err
			}
			source, err := l.tokenSource(connection)
			if err != nil {
				return err
			}
			token, err := source(cmd.Context())
			if err != nil {
				return err
			}
			if l.json {
				return l.object(map[string]string{"token": token})
			}
			_, err = fmt.Fprintln(l.out, token)
			return err
		},
	}
	l.userFlags(cmd)
	return cmd
}

func (l *lake) envCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Write what points the AWS CLI and SDKs at the lake on this machine",
		Long: `env writes shell commands that set AWS_ENDPOINT_URL, AWS_REGION (older tools read
AWS_DEFAULT_REGION) and the access key of the lake on this machine. The key is
worth nothing elsewhere.
` + exitCodes,
		Example: `  eval "$(lake env)"; aws s3 ls`,
		Args:    exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			connection, err := l.connection()
			if err != nil {
				return err
			}
			if connection.Credentials == nil {
				return fmt.Errorf("%s is of a lake on AWS, where your own AWS configuration holds", l.access.outputs)
			}
			region, err := connection.Region()
			if err != nil {
				return err
			}
			key := connection.Credentials
			if l.json {
				return l.object(map[string]string{
					"AWS_ENDPOINT_URL": connection.Endpoint, "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
					"AWS_ACCESS_KEY_ID": key.AccessKeyID, "AWS_SECRET_ACCESS_KEY": key.SecretAccessKey,
				})
			}
			_, err = fmt.Fprintf(l.out, "export AWS_ENDPOINT_URL='%s' AWS_REGION='%s' AWS_DEFAULT_REGION='%[2]s'\nexport AWS_ACCESS_KEY_ID='%[3]s' AWS_SECRET_ACCESS_KEY='%[4]s'\nunset AWS_SESSION_TOKEN\n",
				connection.Endpoint, region, key.AccessKeyID, key.SecretAccessKey)
			return err
		},
	}
	l.placeFlags(cmd)
	return cmd
}
