package function_test

import (
	"context"
	"testing"
	"time"

	"hl7lake/lambdas/internal/function"
)

func TestTheReserveIsKeptBack(t *testing.T) {
	deadline := time.Now().Add(time.Hour)
	whole, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	work, cancel := function.WithReserve(whole, time.Minute)
	defer cancel()
	if got, _ := work.Deadline(); !got.Equal(deadline.Add(-time.Minute)) {
		t.Errorf("work ends at %s", got)
	}
	open, cancel := function.WithReserve(t.Context(), time.Minute)
	defer cancel()
	if got, ok := open.Deadline(); ok {
		t.Errorf("work without a deadline ends at %s", got)
	}
}
