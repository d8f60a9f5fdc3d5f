package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hl7lake/operate"
)

// kept is a lake whose tables are kept for a while.
type kept struct {
	requests int64
	pending  int
	takes    time.Duration // a run
	answers  []error       // of the runs, in their order; then nil
	begun    []string      // when runs began
	log      strings.Builder
}

// keep keeps the tables of a lake for some time, and calls a function meanwhile.
func keep(t *testing.T, k *kept, long time.Duration, happens func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		keeper := tablesKeeper{
			requests: func() int64 { return k.requests },
			pending:  func() (int, error) { return k.pending, nil },
			tabulate: func(context.Context) (err error) {
				k.begun = append(k.begun, time.Since(start).String())
				time.Sleep(k.takes)
				if len(k.answers) > 0 {
					err, k.answers = k.answers[0], k.answers[1:]
				}
				return err
			},
			log: slog.New(slog.NewTextHandler(&k.log, nil)),
		}
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		if happens != nil {
			go happens()
		}
		keeper.run(ctx)
	})
}

func TestTablesAreMadeSoonAfterMessagesHaveComeAndNotOtherwise(t *testing.T) {
	var k kept
	keep(t, &k, time.Hour, func() {
		time.Sleep(10*time.Minute + time.Second) // between two looks
		k.requests = 5
	})
	if want := []string{"3s", "10m3s"}; !slices.Equal(k.begun, want) {
		t.Errorf("runs at %v, want %v", k.begun, want)
	}
}

func TestTablesAreMadeAgainUntilWhatWasAcceptedIsFiled(t *testing.T) {
	k := kept{pending: 2}
	keep(t, &k, time.Hour, func() {
		time.Sleep(7 * time.Second)
		k.pending = 0
	})
	if want := []string{"3s", "6s", "9s"}; !slices.Equal(k.begun, want) {
		t.Errorf("runs at %v, want %v", k.begun, want)
	}
}

func TestRunsOfTabulateTakeATenthOfTheTimeAtMost(t *testing.T) {
	k := kept{takes: 10 * time.Second, pending: 1}
	keep(t, &k, 4*time.Minute, nil)
	if want := []string{"3s", "1m43s", "3m23s"}; !slices.Equal(k.begun, want) {
		t.Errorf("runs at %v, want %v", k.begun, want)
	}
}

func TestARunThatFailedOrWasUnderWayIsTriedAgain(t *testing.T) {
	k := kept{answers: []error{operate.ErrTabulating, errors.New("no disk")}}
	keep(t, &k, time.Hour, nil)
	if want := []string{"3s", "6s", "1m6s"}; !slices.Equal(k.begun, want) {
		t.Errorf("runs at %v, want %v", k.begun, want)
	}
	if log := k.log.String(); strings.Count(log, "not up to date") != 1 || !strings.Contains(log, "no disk") {
		t.Error(log)
	}
}
