package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/internal/term"
	"hl7lake/local"
)

// slowStart is how long a start may take before the reason is shown. With built functions
// it takes well under a second.
const slowStart = 1500 * time.Millisecond

// start runs a lake on this machine. The caller closes it.
func (p *program) start(ctx context.Context, o local.Options) (*local.Lake, client.Connection, error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(local.GCPercent)
	}
	progress := term.NewProgress(p.err)
	progress.Say("starting the lake")
	defer progress.Clear()
	slow := time.AfterFunc(slowStart, func() {
		text := "building the lake's functions; the first time takes up to a minute"
		if p.err.Live {
			progress.Say(text)
		} else {
			p.note(text)
		}
	})
	defer slow.Stop()

	running, err := local.Start(ctx, o)
	if err != nil {
		return nil, client.Connection{}, err
	}
	connection, err := client.ConnectionTo(running)
	if err != nil {
		running.Close()
		return nil, client.Connection{}, err
	}
	return running, connection, nil
}

// logTo returns the log of a lake's services: warnings, or everything if verbose.
func (p *program) logTo(verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(records{p.err}, &slog.HandlerOptions{Level: level}))
}
