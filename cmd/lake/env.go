package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"hl7lake/client"
)

func (p *program) envCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Write what points the AWS CLI and SDKs at the lake on this machine",
		Long: `env writes shell commands that set AWS_ENDPOINT_URL, AWS_REGION (older tools read
AWS_DEFAULT_REGION) and the access key of the lake on this machine, which stays
the same as long as its folder does. The key is worth nothing elsewhere.

Version 1 of the AWS CLI asks AWS itself for queues, whatever is set; there, say
aws sqs --endpoint-url "$AWS_ENDPOINT_URL" ….
` + exitCodes,
		Example: `  eval "$(lake env)"; aws s3 ls`,
		Args:    exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			connection, err := p.connection()
			if err != nil {
				return err
			}
			if connection.Credentials == nil {
				return fmt.Errorf("%s is for a lake on AWS, which uses your own AWS configuration", p.access.outputs)
			}
			variables, err := environment(connection)
			if err != nil {
				return err
			}
			if p.json {
				all := map[string]string{}
				for _, v := range variables {
					all[v.name] = v.value
				}
				return p.object(all)
			}
			for _, v := range variables {
				if _, err := fmt.Fprintf(p.out, "export %s=%s\n", v.name, quote(v.value)); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintln(p.out, "unset AWS_SESSION_TOKEN AWS_PROFILE")
			return err
		},
	}
	p.placeFlags(cmd)
	return cmd
}

// variable is an environment variable.
type variable struct{ name, value string }

// environment returns the variables that AWS's tools read. Amazon SQS has a variable of
// its own too, for tools that do not know the general one.
func environment(connection client.Connection) ([]variable, error) {
	region, err := connection.Region()
	key := connection.Credentials
	return []variable{
		{"AWS_ENDPOINT_URL", connection.Endpoint}, {"AWS_ENDPOINT_URL_SQS", connection.Endpoint},
		{"AWS_REGION", region}, {"AWS_DEFAULT_REGION", region},
		{"AWS_ACCESS_KEY_ID", key.AccessKeyID}, {"AWS_SECRET_ACCESS_KEY", key.SecretAccessKey},
	}, err
}

// configuredEndpoint returns the AWS endpoint that the reader's environment configures:
// AWS_ENDPOINT_URL, or endpoint_url of the profile (AWS SDKs and Tools Reference Guide,
// Service-specific endpoints). It is empty for AWS itself.
func configuredEndpoint() (string, error) {
	configuration, err := config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.Nop{}))
	if err != nil {
		return "", fmt.Errorf("read the AWS configuration: %w", err)
	}
	return aws.ToString(configuration.BaseEndpoint), nil
}
