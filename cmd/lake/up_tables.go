package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/client"
	"hl7lake/local"
	"hl7lake/operate"
)

const (
	// tablesEvery is how often up looks whether messages have come for the tables.
	tablesEvery = 3 * time.Second
	// tablesRest is how long up waits before the next run, in multiples of the last run's
	// time. A run reads all messages of the hour again, so under load this keeps nine
	// tenths of the machine for the messages themselves.
	tablesRest = 9
	// tablesPause is how long up waits after a run that failed.
	tablesPause = time.Minute
)

// A tablesKeeper brings the tables of a lake on this machine up to date soon after
// messages have come. On AWS a schedule does it each hour.
type tablesKeeper struct {
	requests func() int64                // to the API since the start
	pending  func() (int, error)         // what functions are still to do
	tabulate func(context.Context) error // operate.ErrTabulating if a run is under way
	log      *slog.Logger
}

// keepTables keeps the tables of a lake until the returned function is called, which
// waits for the end.
func (p *program) keepTables(ctx context.Context, running *local.Lake, connection client.Connection, log *slog.Logger) (stop func(), err error) {
	operator, err := operate.New(connection, aws.Config{})
	if err != nil {
		return nil, err
	}
	keeper := tablesKeeper{
		requests: running.Requests,
		pending:  running.Pending,
		tabulate: func(ctx context.Context) error {
			_, err := operator.Tabulate(ctx)
			return err
		},
		log: log,
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		keeper.run(ctx)
	}()
	return func() { cancel(); <-done }, nil
}

// run looks for new messages until ctx ends. The first time it tabulates in any case,
// because an earlier run of the lake may have left messages.
func (k tablesKeeper) run(ctx context.Context) {
	seen, unfiled := int64(-1), false
	for wait := tablesEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = tablesEvery
		requests := k.requests()
		if requests == seen && !unfiled {
			continue
		}
		// A message is accepted before it is filed, and only then is it in the tables.
		pending, err := k.pending()
		begin := time.Now()
		if err == nil {
			err = k.tabulate(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, operate.ErrTabulating): // it may have begun before these messages came
		case err != nil:
			k.log.WarnContext(ctx, "the tables are not up to date", "error", told(err))
			wait = tablesPause
		default:
			seen, unfiled = requests, pending > 0
			wait = max(tablesEvery, tablesRest*time.Since(begin))
		}
	}
}
