// Package pause waits, for as long as it is told and no longer than a context allows.
package pause

import (
	"context"
	"time"
)

// For waits for d. It returns earlier where ctx ends, with the cause of that.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
