// Command lake runs a lake on this machine, and works with lakes here and on AWS. `lake
// demo` shows in a few seconds what a lake does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"hl7lake/cmd/lake/internal/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end, the second ends the program at once.
	context.AfterFunc(ctx, stop)
	l := &program{
		in:     os.Stdin,
		out:    term.NewScreen(os.Stdout, os.Getenv),
		err:    term.NewScreen(os.Stderr, os.Getenv),
		getenv: os.Getenv,
		name:   nameOf(os.Args[0]),
	}
	os.Exit(l.run(ctx, os.Args[1:]))
}
