package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/staginger7"
)

// claim makes ingest's claim on a new message of an institution, which ends if the hub
// gets the message.
func (l *listSide) claim(t *testing.T, of, body string, ends bool) uuid.UUID {
	t.Helper()
	table := received.Table{Name: fake.Received, DB: l.tables}
	claim, err := table.Acquire(t.Context(), of, hub.ER7, []byte(body), time.Now().Add(time.Minute), 0)
	if err != nil {
		t.Fatal(err)
	}
	if ends {
		if err := table.Finish(t.Context(), claim); err != nil {
			t.Fatal(err)
		}
	}
	return claim.ID
}

// arrive files the claimed message.
func (l *listSide) arrive(t *testing.T, id uuid.UUID) hub.Event {
	t.Helper()
	e := hub.Event{Name: hub.Ingested, Kind: hub.ER7, ID: id, Root: id, Owner: owner, Type: "ADT^A01"}
	l.file(t, e)
	return e
}

// makeLate makes the claims late, as reconcile does.
func (l *listSide) makeLate(t *testing.T) {
	t.Helper()
	table := received.Table{Name: fake.Received, DB: l.tables}
	for _, shard := range received.Shards() {
		for claim, err := range table.Fresh(t.Context(), shard, time.UnixMilli(0), time.Now().Add(time.Hour)) {
			if err == nil {
				err = table.Defer(t.Context(), claim)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAMessageIsListedAsAcceptedUntilItIsInTheLakeAndAsMissingOnceItIsLate(t *testing.T) {
	l := newListSide(t)
	l.now = time.Now()
	l.claim(t, owner, "interrupted", false)
	l.claim(t, "elsewhere", "of another institution", true)
	waits := l.claim(t, owner, "waits", true)
	l.arrive(t, l.claim(t, owner, "stored", true))
	staged := hub.Derive(l.arrive(t, l.claim(t, owner, "staged", true)), staginger7.Connector(), hub.Staged, hub.JSON)
	l.file(t, staged)
	lists := func(parameters string, want ...uuid.UUID) {
		t.Helper()
		if got, _ := l.all(t, parameters, owner); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", parameters, got, want)
		}
	}
	lists("state=accepted", waits)
	lists("state=missing")
	lists("state=accepted&owner="+owner, waits)
	lists("state=accepted&to=2020-01-01T00:00:00Z")
	if got := l.page(t, "state=accepted", owner).Messages[0]; got.State != history.StatusAccepted || got.Ended || got.Protocol != "" || got.Owner != owner {
		t.Errorf("accepted: %+v", got)
	}
	l.makeLate(t)
	lists("state=accepted")
	lists("state=missing", waits)
	if got := l.page(t, "state=missing", owner).Messages[0]; got.State != history.StatusMissing {
		t.Errorf("missing: %+v", got)
	}
	l.arrive(t, waits)
	lists("state=missing")
}

func TestClaimsAreListedOnceInOrderHoweverManyAShardHolds(t *testing.T) {
	l := newListSide(t)
	l.now = time.Now()
	var want []uuid.UUID
	for i := range 18 * perShard { // more than a request for each shard returns
		of := []string{owner, "elsewhere"}[i%2]
		if id := l.claim(t, of, fmt.Sprint("message ", i), true); of == owner {
			want = append(want, id)
		}
	}
	for _, limit := range []int{40, 500} {
		if got, pages := l.all(t, fmt.Sprintf("state=accepted&limit=%d", limit), owner); !slices.Equal(got, newest(want)) {
			t.Errorf("limit %d: %d of %d messages on %d pages", limit, len(got), len(want), pages)
		}
	}
}
