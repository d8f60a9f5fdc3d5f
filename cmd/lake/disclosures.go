package main

import (
	"bufio"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/operate"
)

func (p *program) disclosuresCommand() *cobra.Command {
	var q operate.Question
	var from, to string
	cmd := &cobra.Command{
		Use:   "disclosures [ID]",
		Short: "Tell who read what, from the audit records",
		Long: `disclosures lists each read of a message, of a user, of a time, or all: through the
API by the records that the lake's function writes, and from S3 itself by the trail,
which comes some minutes late. A read that was refused is none. Of a lake on this
machine there are the API's only: it has no trail.

It needs AWS credentials that may filter both log groups and query the catalog.
Times are RFC 3339 or days, as 2026-11-22, in UTC; --to is not included.
` + exitCodes,
		Example: `  lake disclosures 019ac1d8-1f3e-7c52-a4e5-3d0c8b1f6a77
  lake disclosures --user 2f0c9f3e-… --from 2026-11-01 --to 2026-12-01 --json`,
		RunE: func(cmd *cobra.Command, arguments []string) error {
			if len(arguments) > 1 {
				return usage(cmd, errors.New("want one id, or none"))
			}
			if len(arguments) == 1 {
				q.ID = arguments[0]
			}
			var err error
			if q.From, err = parseTime(from); err != nil {
				return usage(cmd, err)
			}
			if q.To, err = parseTime(to); err != nil {
				return usage(cmd, err)
			}
			return p.disclosures(cmd.Context(), q)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.User, "user", "", "only to this `subject` of a user, or ARN of a caller")
	flags.StringVar(&from, "from", "", "only at or after this `time`")
	flags.StringVar(&to, "to", "", "only before this `time`")
	p.placeFlags(cmd)
	return cmd
}

func (p *program) disclosures(ctx context.Context, q operate.Question) error {
	connection, err := p.connection()
	if err != nil {
		return err
	}
	operator, err := p.operator(ctx)
	if err != nil {
		return err
	}
	if q.ID != "" {
		roots, err := p.roots(ctx, operator, []string{q.ID})
		if err != nil {
			return err
		}
		q.ID = roots[0]
	}
	if connection.Credentials != nil {
		return p.localDisclosures(q)
	}
	if err := operator.Disclosures(ctx, q, p.reportDisclosure); err != nil {
		return p.unworkable(err)
	}
	return nil
}

// localDisclosures reads the logs that a lake on this machine keeps beside its data.
func (p *program) localDisclosures(q operate.Question) error {
	files, err := filepath.Glob(filepath.Join(p.access.dir, "logs", "*Messages*.log"))
	if err != nil {
		return err
	}
	for _, file := range files {
		var failure error
		for d := range operate.DisclosuresIn(linesOf(file, &failure), q) {
			if err := p.reportDisclosure(d); err != nil {
				return err
			}
		}
		if failure != nil {
			return failure
		}
	}
	return nil
}

// linesOf returns the lines of a file. An error is stored in failure.
func linesOf(file string, failure *error) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		opened, err := os.Open(file)
		if err != nil {
			*failure = err
			return
		}
		defer opened.Close()
		lines := bufio.NewScanner(opened)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if !yield(lines.Bytes()) {
				return
			}
		}
		*failure = lines.Err()
	}
}

func (p *program) reportDisclosure(d operate.Disclosure) error {
	if p.json {
		return p.object(d)
	}
	return p.row(22, "%s  %-3s  %-36s  %s  %s", d.Time.UTC().Format(time.RFC3339), d.By, d.ID, d.Who, d.Part)
}
