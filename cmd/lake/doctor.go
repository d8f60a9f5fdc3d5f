package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate/doctor"
)

// templateFolder is where the repository keeps each environment's templates.
const templateFolder = "test/snapshots"

func (p *program) doctorCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a lake can be deployed, or a deployed one is in order",
		Long: `doctor --env NAME looks at what a deployment of the environment needs: credentials
and region, the bootstrap stack, Lambda's concurrency, the environment's addresses,
Node.js and the CDK CLI. It is run in the repository's folder.
Without --env it looks at the lake of --outputs or --dir: stacks, outputs, whether
each endpoint answers, the clocks, alarms and who is told of them.
It changes nothing.

Each line is ok, warn, fail or skip; the line below says what to do. What one
lacks permission for is named, and the others are looked at all the same. With
--json each is an object: probe, verdict, text and, where there is one, next.

The exit status is 1 if a line is fail, and 0 otherwise: a warning alone is none.
` + exitCodes,
		Example: `  lake doctor --env dev
  lake doctor --outputs outputs.json
  lake doctor --outputs outputs.json --json | jq 'select(.verdict == "fail")'`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("env") {
				return p.doctorBefore(cmd.Context(), env)
			}
			return p.doctorAfter(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&env, "env", "", "look before a deployment of this `environment`, by its committed templates")
	p.placeFlags(cmd)
	cmd.MarkFlagsMutuallyExclusive("env", "outputs")
	cmd.MarkFlagsMutuallyExclusive("env", "dir")
	return cmd
}

// doctorBefore examines an environment before a deployment.
func (p *program) doctorBefore(ctx context.Context, env string) error {
	known, err := environments()
	if err != nil {
		return &hintError{err: fmt.Errorf("find the environments: %w", err), hint: "Run it in the repository's folder."}
	}
	if !slices.Contains(known, env) {
		return &hintError{err: fmt.Errorf("there is no environment %q", env), hint: "There are: " + strings.Join(known, ", ") + "."}
	}
	configuration, err := perhapsAWS(ctx)
	if err != nil {
		return err
	}
	return p.examine(ctx, false, doctor.Before(configuration, ".", filepath.Join(templateFolder, env)))
}

// environments returns the names of the environments that have templates in the
// repository.
func environments() (names []string, err error) {
	entries, err := os.ReadDir(templateFolder)
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// doctorAfter examines a lake.
func (p *program) doctorAfter(ctx context.Context) error {
	connection, err := p.connection()
	if err != nil {
		return err
	}
	configuration := aws.Config{}
	if key := connection.Credentials; key != nil {
		configuration.Credentials = client.StaticCredentials(key.AccessKeyID, key.SecretAccessKey)
		configuration.BaseEndpoint = &connection.Endpoint
		configuration.RetryMaxAttempts = 1 // a lake on this machine answers at once or not at all
	} else if configuration, err = perhapsAWS(ctx); err != nil {
		return err
	}
	if configuration.Region, err = connection.Region(); err != nil {
		return err
	}
	return p.examine(ctx, connection.Endpoint != "", doctor.After(configuration, connection))
}

// perhapsAWS returns the configuration of the AWS environment, which may lack a region
// and credentials. The doctor reports that.
func perhapsAWS(ctx context.Context) (aws.Config, error) {
	configuration, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return configuration, fmt.Errorf("read the AWS configuration: %w", err)
	}
	return configuration, nil
}

// examine runs the probes and reports each finding as it comes.
func (p *program) examine(ctx context.Context, local bool, probes []doctor.Probe) error {
	var broken error
	good := doctor.Examine(ctx, local, probes, func(f doctor.Finding) { broken = errors.Join(broken, p.showFinding(f)) })
	if broken != nil {
		return broken
	}
	if !good {
		return errReported
	}
	return nil
}

func (p *program) showFinding(f doctor.Finding) error {
	if p.json {
		return p.object(f)
	}
	style := map[doctor.Verdict]term.Style{
		doctor.OK: term.Good, doctor.Warn: term.Note, doctor.Fail: term.Bad, doctor.Skip: term.Note,
	}[f.Verdict]
	const indent = 21
	err := p.row(indent, "%s  %-13s  %s", p.out.Styled(style, fmt.Sprintf("%-4s", f.Verdict)), f.Probe, f.Text)
	if f.Next != "" && err == nil {
		err = p.row(0, "%*s%s", indent, "", f.Next)
	}
	return err
}
