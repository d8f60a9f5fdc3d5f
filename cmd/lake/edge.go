package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/edge"
	"hl7lake/edge/config"
	"hl7lake/edge/queue"
)

const defaultEdgeConfig = "edge.yaml"

func (p *program) edgeCommand() *cobra.Command {
	var check, verbose bool
	path := defaultEdgeConfig
	cmd := &cobra.Command{
		Use:   "edge",
		Short: "Take messages over MLLP and bring them to a lake",
		Long: `edge listens where interface engines send, keeps each message in an encrypted queue
on disk, acknowledges it, and posts it to the lake. It runs until Ctrl-C. What is
queued then is delivered by the next run; nothing that was acknowledged is lost.

The configuration says which ports, for which institution, as whom and how:
docs/edge.md has each setting. --check tells every mistake in it with its line, and
whether the files that it names can be used; it runs nothing and calls nobody.

With --json the log is JSON. No content of a message is logged.
` + exitCodes,
		Example: `  lake edge key edge.key
  lake edge --check
  lake edge --config /etc/lake/edge.yaml
  lake edge quarantine list`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.readEdge(path)
			if err != nil {
				return err
			}
			if check {
				return p.checkEdge(c, path)
			}
			return p.edge(cmd.Context(), c, verbose)
		},
	}
	cmd.PersistentFlags().StringVar(&path, "config", path, "`file` with the configuration")
	cmd.Flags().BoolVar(&check, "check", false, "only check the configuration and the files that it names")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log what is usual, too, such as the end of a connection")
	cmd.AddCommand(p.edgeKeyCommand(), p.quarantineCommand(&path))
	return cmd
}

func (p *program) edgeKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "key FILE",
		Short: "Make the key that encrypts an edge's queue",
		Long: `key writes a new key to a file that is not there yet, readable by you alone. Keep a
copy elsewhere: without it nobody can read what is in the queue.`,
		Example: `  lake edge key /etc/lake/edge.key`,
		Args:    exactly(1, "the name of one new file"),
		RunE:    func(_ *cobra.Command, arguments []string) error { return queue.WriteKey(arguments[0]) },
	}
}

// readEdge reads a configuration. What is wrong with it comes line by line.
func (p *program) readEdge(path string) (config.Config, error) {
	c, err := config.Read(path)
	if missing(err) {
		return c, &hintError{err: err, hint: "--config names another file; docs/edge.md has an example."}
	}
	return c, err
}

func (p *program) checkEdge(c config.Config, path string) error {
	if err := edge.Check(c, p.getenv); err != nil {
		return err
	}
	if p.json {
		return p.object(map[string]any{"config": path, "listeners": len(c.Listeners)})
	}
	return p.row(0, "%s: good, listeners: %d", path, len(c.Listeners))
}

// edge runs an edge until ctx ends.
func (p *program) edge(ctx context.Context, c config.Config, verbose bool) error {
	progress := term.NewProgress(p.err)
	running, err := edge.Open(ctx, c, edge.Options{
		Target: func(listener config.Listener) (*client.Client, error) { return edge.NewTarget(c, listener, p.getenv) },
		Log:    p.edgeLog(progress, verbose),
	})
	if err != nil {
		return err
	}
	if err := p.announceEdge(running); err != nil {
		return err
	}
	showing, stop := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		showEdge(showing, progress, running)
	}()
	err = running.Run(ctx)
	stop()
	<-shown
	progress.Clear()
	if err == nil {
		p.note("stopped; what is queued is delivered by the next run")
	}
	return err
}

// edgeLog writes where the status line is taken away first.
func (p *program) edgeLog(progress *term.Progress, verbose bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	if verbose {
		options.Level = slog.LevelInfo
	}
	if p.json {
		return slog.New(slog.NewJSONHandler(clearingWriter{progress, p.err}, options))
	}
	return slog.New(slog.NewTextHandler(clearingWriter{progress, records{p.err}}, options))
}

type clearingWriter struct {
	progress *term.Progress
	io.Writer
}

func (w clearingWriter) Write(p []byte) (int, error) {
	w.progress.Clear()
	return w.Writer.Write(p)
}

// announceEdge says where the edge listens.
func (p *program) announceEdge(running *edge.Edge) error {
	type listening struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}
	var listeners []listening
	for _, listener := range running.Listeners() {
		listeners = append(listeners, listening{listener.Name(), listener.Addr().String()})
	}
	status := ""
	if address := running.StatusAddr(); address != nil {
		status = "http://" + address.String()
	}
	if p.json {
		return p.object(map[string]any{"listeners": listeners, "status": status})
	}
	table := term.NewTable("LISTENER", "ADDRESS")
	for _, listener := range listeners {
		table.Row(term.Text(listener.Name), term.Text(listener.Address))
	}
	if err := table.Write(p.out); err != nil {
		return err
	}
	if status != "" {
		fmt.Fprintf(p.out, "\n  %s/healthz and /metrics say how it does.\n", status)
	}
	return nil
}

// showEdge keeps a line on a terminal up to date until ctx ends.
func showEdge(ctx context.Context, progress *term.Progress, running *edge.Edge) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			progress.Say(edgeLine(running.Health()))
		}
	}
}

// edgeLine is the health of an edge in a line.
func edgeLine(h edge.Health) string {
	var parts []string
	for _, l := range h.Listeners {
		part := fmt.Sprintf("%s: %d connected, %d queued", l.Name, l.Connections, l.Queued)
		if l.Trouble != "" {
			part += ", not delivered for " + (time.Duration(l.OldestAge * float64(time.Second))).Round(time.Second).String()
		}
		parts = append(parts, part)
	}
	if h.Status != "ok" {
		parts = append(parts, "the queue is "+h.Status)
	}
	return strings.Join(parts, "; ")
}
