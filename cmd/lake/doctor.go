package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate/doctor"
)

func (l *lake) doctorCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether a lake can be deployed, or a deployed one is in order",
		Long: `doctor --env NAME looks at the account before a deployment of the environment;
without --env it looks at the lake of --outputs or --dir. It changes nothing.

Each line is ok, warn, fail or skip. The exit status is 1 if a line is fail, and 0
otherwise: a warning alone is none.
` + exitCodes,
		Example: `  lake doctor --env dev
  lake doctor --outputs outputs.json`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.doctor(cmd.Context(), env) },
	}
	cmd.Flags().StringVar(&env, "env", "", "look before a deployment of this `environment`, by its committed templates")
	l.placeFlags(cmd)
	return cmd
}

func (l *lake) doctor(ctx context.Context, env string) error {
	configuration, connection := aws.Config{}, client.Connection{}
	var err error
	if env == "" {
		if connection, err = l.connection(); err != nil {
			return err
		}
	}
	if connection.Credentials == nil {
		if configuration, err = awsConfiguration(ctx, "read the account's settings"); err != nil {
			return err
		}
	} else {
		configuration.Credentials = client.StaticCredentials(connection.Credentials.AccessKeyID, connection.Credentials.SecretAccessKey)
		configuration.BaseEndpoint = &connection.Endpoint
	}
	probes := doctor.Before(configuration, filepath.Join("test", "snapshots", env))
	if env == "" {
		if configuration.Region, err = connection.Region(); err != nil {
			return err
		}
		probes = doctor.After(configuration, connection)
	} else if _, err := os.Stat(filepath.Join("test", "snapshots", env)); err != nil {
		return &hintError{err: fmt.Errorf("there is no environment %s: %w", env, err), hint: "Run it in the repository's folder."}
	}
	if !doctor.Examine(ctx, connection.Endpoint != "", probes, l.showFinding) {
		return errReported
	}
	return nil
}

func (l *lake) showFinding(f doctor.Finding) {
	if l.json {
		_ = l.object(f) // a reader that is gone needs no more lines
		return
	}
	style := map[doctor.Verdict]term.Style{doctor.OK: term.Good, doctor.Fail: term.Bad}[f.Verdict]
	fmt.Fprintf(l.out, "%s  %-13s  %s\n", l.out.Styled(style, fmt.Sprintf("%-4s", f.Verdict)), f.Probe, f.Text)
	if f.Next != "" {
		fmt.Fprintf(l.out, "%21s%s\n", "", f.Next)
	}
}
