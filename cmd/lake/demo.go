package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/cmd/lake/internal/term"
	"hl7lake/cmd/lake/scenario"
	"hl7lake/local"
	"hl7lake/local/store"
)

func (p *program) demoCommand() *cobra.Command {
	var o local.Options
	var verbose, keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See a lake at work: a throw-away one, three users, some messages",
		Long: `demo starts a lake that is thrown away afterwards, makes three users of one
institution and has each of them post the same two texts, an ADT^A01 and a line
that is not HL7. Then it posts messages of several types, versions and line ends,
sends one over MLLP through an edge as an interface engine does, follows each until
it is JSON or an error, and reads all of it back. Last, it asks the lake's tables in
SQL, with duckdb if that is in PATH.

The exit status is 0 only if everything went as it should.
` + exitCodes,
		Example: `  lake demo
  lake demo --json | jq '.messages[] | {name, status: .history.status}'`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Log = p.logTo(verbose)
			return p.demo(cmd.Context(), o, keep)
		},
	}
	cmd.Flags().StringVar(&o.Assembly, "assembly", "", "run the templates in this `folder`, as cdk.out; else the committed ones of dev")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the lake's folder, also when all went well")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show what the lake's services log")
	return cmd
}

// demo runs the scenario in a lake of its own. If something goes wrong, it keeps the
// lake's folder, because its logs say why.
func (p *program) demo(ctx context.Context, o local.Options, keep bool) error {
	dir, err := os.MkdirTemp("", "lake-demo-")
	if err != nil {
		return err
	}
	o.Dir, o.Addr, o.Durability = dir, "127.0.0.1:0", store.Fleeting
	begin := time.Now()
	running, connection, err := p.start(ctx, o)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	started := time.Since(begin)

	progress := term.NewProgress(p.err)
	report, err := scenario.Run(ctx, connection, func(what string, done, total int) {
		progress.Bar(fmt.Sprintf("%s: %d of %d", what, done, total), int64(done), int64(total))
	})
	progress.Clear()
	result := demoResult{Report: report}
	if err == nil {
		result.SQL, err = p.askDemo(ctx, connection, dir, &result.Report)
	}
	if err = errors.Join(err, running.Close()); err == nil {
		err = p.showReport(result, started)
	}
	if err == nil && len(result.Differences) > 0 {
		err = errReported
	}
	if keep || err != nil && ctx.Err() == nil {
		p.note("The lake's folder is kept: " + dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// demoResult is what the demo shows.
type demoResult struct {
	scenario.Report
	SQL answer `json:"sql"`
}

func (p *program) showReport(r demoResult, started time.Duration) error {
	if p.json {
		return p.object(r)
	}
	return writeReport(p.out, r, started)
}
