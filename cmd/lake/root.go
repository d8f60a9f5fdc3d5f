package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hl7lake/cmd/lake/internal/term"
)

// program is a run of lake: what it reads and writes, and the flags that all of its
// commands share.
type program struct {
	in     io.Reader
	out    term.Screen // results
	err    term.Screen // progress and errors
	getenv func(string) string
	name   string // how the program was called, for texts that show commands

	json   bool // --json
	access access
}

// nameOf returns what to type to run the program again.
func nameOf(argument0 string) string {
	if strings.Contains(argument0, "go-build") {
		return "go run ./cmd/lake"
	}
	return filepath.Base(argument0)
}

const exitCodes = `
Exit status: 0 done as asked, 1 the lake refused or the result is not what was
asked for, 2 wrong usage, a file that cannot be read or not signed in, 3 no answer
from the lake, 130 interrupted.`

// run is the whole program, except for the process.
func (p *program) run(ctx context.Context, arguments []string) int {
	root := p.command()
	root.SetArgs(joinWait(arguments))
	p.out, p.err = p.out.Clean(), p.err.Clean()
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	status := p.explain(ctx, root.ExecuteContext(ctx))
	if err := errors.Join(p.out.Flush(), p.err.Flush()); err != nil {
		return max(status, statusUnusable)
	}
	return status
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "lake",
		Short: "A data lake for HL7v2 messages, on this machine or on AWS",
		Long: `lake runs a data lake for HL7v2 messages on this machine, from the same
CloudFormation templates that are deployed to AWS, and is the client of any such
lake: it sends messages, follows them and brings them back.

What is written for people is folded to the width of the terminal, or to that in
COLUMNS; NO_COLOR takes the colours away.
` + exitCodes,
		Example: `  lake demo                 a throw-away lake, three users, some messages
  lake up                   a lake in ./.lake until Ctrl-C
  lake send FILE            in another terminal: post a message
  lake trace ID --wait      what became of one of them`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetUsageTemplate(strings.NewReplacer(
		".FlagUsages", ".FlagUsagesWrapped 80",
		"for more information about a command.", "tells more about a command.",
		`Use "{{.CommandPath}}`, `"{{.CommandPath}}`,
	).Replace(root.UsageTemplate()))
	root.Version = version()
	root.SetVersionTemplate("lake {{.Version}}\n")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "write JSON for machines")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, flagError(err)) })
	root.AddCommand(p.sendCommand(), p.getCommand(), p.listCommand(), p.findCommand(), p.finderCommand(), p.errorsCommand(), p.feedsCommand(), p.traceCommand(), p.usersCommand(), p.tokenCommand(), p.envCommand(),
		p.demoCommand(), p.upCommand(), p.parseCommand(), p.redriveCommand(), p.replayCommand(), p.verifyCommand(), p.disclosuresCommand(), p.reconcileCommand(), p.forgetCommand(),
		p.tablesCommand(), p.sqlCommand(), p.checkCommand(), p.doctorCommand(), p.edgeCommand(), p.logsCommand(), p.versionCommand())
	root.InitDefaultCompletionCmd()
	fitHelp(root)
	return root
}

// flagError says what a flag wants whose value cannot be read.
func flagError(err error) error {
	invalid, is := errors.AsType[*pflag.InvalidValueError](err)
	if !is {
		return err
	}
	flag := invalid.GetFlag()
	want, known := map[string]string{"int": "a number", "duration": "a time, as 30s or 2m", "bool": "true or false"}[flag.Value.Type()]
	if !known {
		return err
	}
	return fmt.Errorf("--%s %s: want %s", flag.Name, invalid.GetValue(), want)
}

// fitHelp folds the help of a command and of those below it. A paragraph that begins with
// a tab is a command to copy, and stays.
func fitHelp(cmd *cobra.Command) {
	paragraphs := strings.Split(cmd.Long, "\n\n")
	for i, paragraph := range paragraphs {
		if strings.HasPrefix(paragraph, "\t") {
			continue
		}
		paragraphs[i] = term.Paragraph(strings.ReplaceAll(strings.TrimSpace(paragraph), "\n", " "))
	}
	cmd.Long = strings.Join(paragraphs, "\n\n")
	for _, below := range cmd.Commands() {
		fitHelp(below)
	}
}

// object writes v as one line of JSON.
func (p *program) object(v any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// exactly wants n arguments, and says what they are.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, arguments []string) error {
		if len(arguments) != n {
			return usage(cmd, &argumentError{want: what, got: len(arguments)})
		}
		return nil
	}
}

func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, arguments []string) error {
		if len(arguments) == 0 {
			return usage(cmd, &argumentError{want: what})
		}
		return nil
	}
}
