package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/staginger7"
)

// fail records the error that a connector made of a message.
func (l *listSide) fail(t *testing.T, m hub.Event, by hub.Connector) {
	t.Helper()
	e := hub.Derive(m, by, hub.Error, m.Kind)
	e.Reason = hub.Reason{Code: "no-header"}
	l.record(t, catalog.NewEntry(e, fake.Lake, hub.Received(e.Root)))
}

func TestErrorsAreListedOnceInOrderHoweverManyThereAre(t *testing.T) {
	l := newListSide(t)
	var want []uuid.UUID
	for i := range perOwner + 100 {
		m := l.message([]string{owner, "lakeside", "elsewhere"}[i%3], start.Add(-time.Duration(i/7)*time.Minute))
		l.fail(t, m, staginger7.Connector())
		l.fail(t, m, hub.Connector{Name: staginger7.Connector().Name, Version: 99})
		l.fail(t, m, hub.Connector{Name: "claims", Version: 1})
		if m.Owner != "elsewhere" {
			want = append(want, m.ID)
		}
	}
	for _, limit := range []int{50, 500} {
		got, pages := l.all(t, fmt.Sprintf("state=error&limit=%d", limit), owner, "lakeside")
		if !slices.Equal(got, newest(want)) || pages > len(want)/limit+3 {
			t.Errorf("limit %d: %d of %d messages on %d pages", limit, len(got), len(want), pages)
		}
	}
	if got, _ := l.all(t, "state=error&connector=claims&from="+start.Add(-time.Minute).Format(time.RFC3339), "lakeside"); len(got) != 5 {
		t.Errorf("of two minutes: %v", got)
	}
}

func TestAnErrorIsListedWhileItIsTheStateOfItsMessage(t *testing.T) {
	l := newListSide(t)
	failed, mended, forgotten := l.message(owner, start), l.message(owner, start.Add(time.Minute)), l.message(owner, start.Add(time.Hour))
	for _, m := range []hub.Event{failed, mended, forgotten} {
		l.file(t, m)
		l.fail(t, m, staginger7.Connector())
	}
	l.file(t, hub.Derive(mended, staginger7.Connector(), hub.Staged, hub.JSON))
	entry := catalog.NewEntry(forgotten, fake.Lake, start)
	entry.Forgotten, entry.ForgottenReason = start.Format(hub.TimeLayout), "request"
	l.record(t, entry)
	if got, _ := l.all(t, "state=error", owner); !slices.Equal(got, []uuid.UUID{failed.ID}) {
		t.Errorf("%v, want %v alone", got, failed.ID)
	}
	if got := l.page(t, "state=error&protocol=hl7v2", owner).Messages; len(got) != 1 || got[0].Reason != "no-header" || got[0].Format != "er7" {
		t.Errorf("%+v", got)
	}
}
