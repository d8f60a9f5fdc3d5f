// Package pause waits for a given time, unless a context ends first.
package pause

import (
	"context"
	"time"
)

// For waits for d. If ctx is done earlier, it returns at that time, with the cause.
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
