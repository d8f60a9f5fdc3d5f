package parallel_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hl7lake/lambdas/internal/parallel"
)

func TestResultsAreInTheOrderOfTheItems(t *testing.T) {
	items := []int{5, 3, 9, 1}
	var now, most atomic.Int64
	got, err := parallel.Map(t.Context(), 2, items, func(_ context.Context, n int) (int, error) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		return n * n, nil
	})
	if diff := cmp.Diff([]int{25, 9, 81, 1}, got); diff != "" || err != nil || most.Load() > 2 {
		t.Errorf("%v, %d at the same time:\n%s", err, most.Load(), diff)
	}
}

func TestAfterAnErrorNothingFurtherIsBegun(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	_, err := parallel.Map(t.Context(), 1, []int{1, 2, 3, 4, 5}, func(context.Context, int) (int, error) {
		calls++
		return 0, broken
	})
	if !errors.Is(err, broken) || calls > 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
