// Package parallel makes several requests at the same time.
package parallel

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Map calls do for each item, for at most limit of them at the same time, and returns the
// results in the order of the items. After an error it calls do for no further item, and
// returns that error when all calls have ended.
func Map[T, R any](ctx context.Context, limit int, items []T, do func(context.Context, T) (R, error)) ([]R, error) {
	results := make([]R, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(limit)
	for i, item := range items {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() (err error) {
			results[i], err = do(ctx, item)
			return err
		})
	}
	return results, group.Wait()
}
