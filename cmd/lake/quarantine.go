package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
)

func (p *program) quarantineCommand(path *string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "See and resend what the lake has refused for good",
		Long: `quarantine lists the messages that the lake has refused for good, and sends them
again once the reason is gone. It can be used while the edge runs.`,
		Example: `  lake edge quarantine list
  lake edge quarantine resend --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.quarantineList(path), p.quarantineResend(path))
	return cmd
}

func (p *program) quarantineList(path *string) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the messages, and why each was refused",
		Example: `  lake edge quarantine list --config /etc/lake/edge.yaml`,
		Args:    exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			_, folder, err := p.openQuarantine(*path)
			if err != nil {
				return err
			}
			entries, err := folder.List()
			if err != nil {
				return err
			}
			if p.json {
				return p.object(append([]quarantine.Entry{}, entries...))
			}
			table := term.NewTable("NAME", "REFUSED", ">BYTES", "WHY")
			for _, e := range entries {
				table.Row(term.Text(e.Name), term.Text(e.Refused.Local().Format(time.DateTime)), term.Text(strconv.Itoa(e.Size)),
					term.Text(fmt.Sprintf("%d %s", e.Status, e.Detail)))
			}
			return table.Write(p.out)
		},
	}
}

func (p *program) openQuarantine(path string) (config.Config, quarantine.Folder, error) {
	c, err := p.readEdge(path)
	if err != nil {
		return c, quarantine.Folder{}, err
	}
	key, err := queue.ReadKey(c.KeyFile)
	if err != nil {
		return c, quarantine.Folder{}, err
	}
	folder, err := edge.OpenQuarantine(c, key)
	return c, folder, err
}

func (p *program) quarantineResend(path *string) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "resend NAME…",
		Short: "Post messages again, as the users of their listeners",
		Long: `resend posts messages to the lake again. Those that the lake takes, or has
already, leave the quarantine; the others stay, and the exit status is 1.`,
		Example: `  lake edge quarantine resend 20260102T150405.000-adt-17
  lake edge quarantine resend --all`,
		RunE: func(cmd *cobra.Command, names []string) error {
			if all == (len(names) > 0) {
				return usage(cmd, errors.New("want the names of messages, or --all"))
			}
			c, folder, err := p.openQuarantine(*path)
			if err != nil {
				return err
			}
			if all {
				entries, err := folder.List()
				if err != nil {
					return err
				}
				for _, e := range entries {
					names = append(names, e.Name)
				}
			}
			return p.resend(cmd, c, folder, names)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that there are")
	return cmd
}

// resend posts the messages of those names, and tells the outcome of each.
func (p *program) resend(cmd *cobra.Command, c config.Config, folder quarantine.Folder, names []string) error {
	targets := targets{p, c, map[string]*client.Client{}}
	verdict := error(nil)
	for _, name := range names {
		e, body, err := folder.Read(name)
		if missing(err) {
			return &hintError{err: fmt.Errorf("%s is not in quarantine", name), hint: fmt.Sprintf("`%s edge quarantine list` shows what is.", p.name)}
		}
		if err != nil {
			return err
		}
		target, charset, err := targets.of(e.Listener)
		if err != nil {
			return err
		}
		done := sent{File: name}
		done.Receipt, done.err = target.Send(cmd.Context(), client.Message{Body: body, Charset: charset})
		done.Status = done.Receipt.Status
		if problem, refused := errors.AsType[*client.Problem](done.err); refused {
			done.Status, done.Error, verdict = problem.Status, problem.Error(), errReported
		} else if done.err != nil {
			return done.err
		} else if err := folder.Remove(name); err != nil {
			return err
		}
		if err := p.tellResent(done); err != nil {
			return err
		}
	}
	return verdict
}

// tellResent writes a line for a message.
func (p *program) tellResent(done sent) error {
	if p.json {
		return p.object(done)
	}
	status, text, style := done.answer()
	return p.row(answerIndent, "%-3s  %s  %s", p.out.Styled(style, status), done.File, text)
}

// targets are the lake as the users of an edge's listeners see it.
type targets struct {
	program *program
	config  config.Config
	known   map[string]*client.Client
}

// of returns the lake for a listener, and the character set that it assumes.
func (t targets) of(name string) (*client.Client, string, error) {
	for _, listener := range t.config.Listeners {
		if listener.Name != name {
			continue
		}
		if t.known[name] == nil {
			target, err := edge.NewTarget(t.config, listener, t.program.getenv)
			if err != nil {
				return nil, "", err
			}
			t.known[name] = target
		}
		return t.known[name], listener.Charset, nil
	}
	return nil, "", &hintError{
		err:  fmt.Errorf("the configuration has no listener %s", name),
		hint: "Put it back, with the credentials that its messages are posted with.",
	}
}
