// Package function is what every function has around its handler: how its process starts,
// the end of its time, and the edge at which errors and panics become text that may leave
// it.
package function

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"

	"hl7lake/lambdas/internal/awsconfig"
	"hl7lake/lambdas/internal/environment"
	"hl7lake/lambdas/internal/telemetry"
)

// Start is how every function begins: with a logger to standard output, its
// environment variables and the AWS configuration. Where one of these cannot be had
// it says why and ends the process; Lambda shows the line and starts the function
// anew.
func Start() (*slog.Logger, environment.Variables, aws.Config) {
	letLie()
	logger := telemetry.NewLogger(os.Stdout)
	awsconfig.KeepConnections()
	configuration, err := awsconfig.Load(context.Background())
	if err != nil {
		Exit(logger, err)
	}
	return logger, environment.New(os.LookupEnv, func(err error) { Exit(logger, err) }), configuration
}

// garbage is how much garbage a process that handles several events at once keeps before
// it collects, in percent of what it uses. With Go's default of 100, a process of a few
// megabytes would collect with every second event.
const garbage = 400

// letLie lets the garbage of several events accumulate within the memory that they have.
// A process with one event at a time makes little, which stays in the processor's cache.
func letLie() {
	if limit := int64(lambdacontext.MemoryLimitInMB) << 20; limit > 0 && lambdacontext.MaxConcurrency() > 1 {
		debug.SetGCPercent(garbage)
		debug.SetMemoryLimit(limit / 4 * 3)
	}
}

// Exit ends a process that cannot start, and says why.
func Exit(logger *slog.Logger, err error) {
	logger.Error("cannot start", "error", err.Error())
	os.Exit(1)
}

// WithReserve ends the work before Lambda ends the function, so that there is time to
// clean up and to answer. Without a deadline it only makes ctx cancellable.
func WithReserve(ctx context.Context, reserve time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-reserve))
}
