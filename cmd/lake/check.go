package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/operate/acceptance"
)

func (p *program) checkCommand() *cobra.Command {
	limit := 15 * time.Minute
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Test a deployed lake from outside, step by step",
		Long: `check makes users of an institution of its own, sends synthetic messages, follows
each until it is JSON or an error, compares what comes back byte for byte, and
tries what the lake must refuse. Then it removes its users, also after Ctrl-C, and
names what it left: a lake keeps every message that it has accepted.

It needs AWS credentials that may administer the user pool, read the queues and
list metrics; a lake on this machine brings its own.

The exit status is 0 only if steps passed and none failed. Steps that could not be
asked here are listed and counted as skipped.
` + exitCodes,
		Example: `  lake check --outputs outputs.json
  lake check --json | jq '.steps[] | select(.outcome == "failed")'`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.check(cmd.Context(), limit) },
	}
	cmd.Flags().DurationVar(&limit, "timeout", limit, "how long all steps may take")
	p.placeFlags(cmd)
	return cmd
}

func (p *program) check(ctx context.Context, limit time.Duration) error {
	connection, err := p.connection()
	if err != nil {
		return err
	}
	configuration := aws.Config{}
	if connection.Credentials == nil {
		if configuration, err = awsConfiguration(ctx, "administer the lake's user pool and read its queues and metrics"); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the check did not finish within %v", limit))
	defer cancel()
	report, err := acceptance.Run(limited, connection, configuration, func(step acceptance.Step) {
		if !p.json {
			p.showStep(step)
		}
	})
	if err != nil {
		return err
	}
	if p.json {
		err = p.object(report)
	} else {
		err = p.showCheck(report)
	}
	if !report.Good() {
		err = errors.Join(err, errReported)
	}
	return err
}

func (p *program) showStep(step acceptance.Step) {
	style := map[acceptance.Outcome]term.Style{acceptance.Passed: term.Good, acceptance.Failed: term.Bad, acceptance.Skipped: term.Note}[step.Outcome]
	const indent = 19
	_ = p.row(indent, "%s  %8s  %s", p.out.Styled(style, fmt.Sprintf("%-7s", step.Outcome)), took(step.Took), step.Name)
	if step.Reason != "" {
		_ = p.row(0, "%*s%s", indent, "", step.Reason)
	}
}

func (p *program) showCheck(report acceptance.Report) error {
	_ = p.row(0, "\nleft in the lake, of the institution %s: %d messages, %d objects",
		report.Institution, len(report.Messages), len(report.Objects))
	for _, id := range report.Messages {
		fmt.Fprintf(p.out, "  %s\n", id)
	}
	for _, object := range report.Objects {
		fmt.Fprintf(p.out, "  s3://%s/%s\n", object.Bucket, object.Key)
	}
	_, err := fmt.Fprintf(p.out, "\npassed: %d, failed: %d, skipped: %d\n",
		report.Count(acceptance.Passed), report.Count(acceptance.Failed), report.Count(acceptance.Skipped))
	return err
}
