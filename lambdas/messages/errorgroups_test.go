package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"hl7lake/internal/hub"
	"hl7lake/internal/testing/fake"
	"hl7lake/lambdas/internal/staginger7"
)

// lines returns how many audit records of an action the log has.
func lines(t *testing.T, l *listSide, action string) (n int) {
	t.Helper()
	for _, line := range fake.Lines(t, l.log.String(), "audit", "action") {
		if line["action"] == action {
			n++
		}
	}
	return n
}

// failFor files a message of an institution and the error that it ended in. It returns
// the message's id.
func (l *listSide) failFor(t *testing.T, owner string, at time.Time, reason hub.Reason) uuid.UUID {
	t.Helper()
	m := l.message(owner, at)
	l.file(t, m)
	e := hub.Derive(m, staginger7.Connector(), hub.Error, hub.ER7)
	e.Reason = reason
	l.file(t, e)
	return m.ID
}

// errorsOf asks for the errors of the institutions that a user may read.
func (l *listSide) errorsOf(t *testing.T, parameters string, claims map[string]string) (got errorGroups) {
	t.Helper()
	response := l.askFor(t, "/errors", parameters, claims)
	if err := json.Unmarshal([]byte(response.Body), &got); err != nil || response.StatusCode != 200 {
		t.Fatalf("%d %s %v", response.StatusCode, response.Body, err)
	}
	return got
}

func TestErrorsAreGroupedByTheirReason(t *testing.T) {
	l := newListSide(t)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	text := func(n int) string { return at(n).Format(hub.TimeLayout) }
	noHeader, delimiters := hub.Reason{Code: "no-header"}, hub.Reason{Code: "bad-delimiters", Segment: 1, Path: "MSH-2"}
	first := l.failFor(t, owner, at(1), noHeader)
	second := l.failFor(t, owner, at(2), hub.Reason{Code: "bad-delimiters", Path: "MSH[3]-2[1]"})
	third := l.failFor(t, owner, at(3), noHeader)
	theirs := l.failFor(t, "lakeside", at(4), noHeader)
	fourth := l.failFor(t, owner, at(5), delimiters)
	mended := l.message(owner, at(6))
	for _, e := range []hub.Event{mended, hub.Derive(mended, staginger7.Connector(), hub.Error, hub.ER7), hub.Derive(mended, staginger7.Connector(), hub.Staged, hub.JSON)} {
		l.file(t, e)
	}
	group := func(of, code, path string, oldest, newest int, ids ...uuid.UUID) errorGroup {
		return errorGroup{reasonOf{of, code, path, "staging-er7"}, len(ids), text(oldest), text(newest), ids}
	}
	now := l.now.Format(hub.TimeLayout)
	both := map[string]string{"sub": "user-1", "token_use": "id", "custom:read": owner, "custom:operate": "lakeside"}
	for name, test := range map[string]struct {
		parameters string
		claims     map[string]string
		want       errorGroups
	}{
		"all": {"", both, errorGroups{"", now, []errorGroup{
			group(owner, "bad-delimiters", "MSH-2", 2, 5, fourth, second), group("lakeside", "no-header", "", 4, 4, theirs), group(owner, "no-header", "", 1, 3, third, first),
		}, true}},
		"of one institution":      {"owner=lakeside", both, errorGroups{"", now, []errorGroup{group("lakeside", "no-header", "", 4, 4, theirs)}, true}},
		"of a time":               {"from=" + text(2) + "&to=" + text(4), both, errorGroups{text(2), text(4), []errorGroup{group(owner, "no-header", "", 3, 3, third), group(owner, "bad-delimiters", "MSH-2", 2, 2, second)}, true}},
		"of who reads none":       {"", operates("elsewhere", ""), errorGroups{"", now, []errorGroup{}, true}},
		"of who operates for one": {"", operates("lakeside", ""), errorGroups{"", now, []errorGroup{group("lakeside", "no-header", "", 4, 4, theirs)}, true}},
	} {
		if diff := cmp.Diff(test.want, l.errorsOf(t, test.parameters, test.claims), cmp.AllowUnexported(errorGroup{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for parameters, status := range map[string]int{"owner=elsewhere": 404, "limit=1": 400, "from=yesterday": 400} {
		if got := l.askFor(t, "/errors", parameters, both); got.StatusCode != status {
			t.Errorf("%s: %d %s", parameters, got.StatusCode, got.Body)
		}
	}
	if got := lines(t, l, "errors"); got != 8 {
		t.Errorf("%d of 8 requests are recorded", got)
	}
}

// TestTheNewestErrorsAreCountedAtABoundedCost is about more errors than are counted.
func TestTheNewestErrorsAreCountedAtABoundedCost(t *testing.T) {
	l := newListSide(t)
	const n = maxLimit + 20
	var ids []uuid.UUID
	for i := range n {
		ids = append(ids, l.failFor(t, owner, start.Add(time.Duration(i)*time.Second), hub.Reason{Code: "no-header"}))
	}
	l.requests.Store(0)
	l.lookups.Store(0)
	got := l.errorsOf(t, "", operates("", owner))
	if requests, lookups := l.requests.Load(), l.lookups.Load(); requests > maxRequests || lookups > maxLimit {
		t.Errorf("%d requests and %d queries", requests, lookups)
	}
	if len(got.Groups) != 1 || got.Groups[0].Count != maxLimit || got.Complete || got.From != hub.Received(ids[20]).Format(hub.TimeLayout) {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(newest(ids)[:maxIDs], got.Groups[0].IDs); diff != "" {
		t.Error(diff)
	}
}
