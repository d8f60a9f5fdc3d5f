package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
)

// maxIDs is how many messages a group of errors names.
const maxIDs = 10

// errorGroups is the body of GET /errors.
type errorGroups struct {
	From   string       `json:"from,omitempty"` // hub.TimeLayout; empty means the beginning
	To     string       `json:"to"`
	Groups []errorGroup `json:"groups"` // that with the newest message first
	// Complete reports that the groups have all messages of the time that are in error.
	// Otherwise they have the newest ones, and From is where they begin.
	Complete bool `json:"complete"`
}

// errorGroup is messages of one institution that are in error for the same reason.
type errorGroup struct {
	reasonOf
	Count  int         `json:"count"`
	Oldest string      `json:"oldest"` // hub.TimeLayout
	Newest string      `json:"newest"`
	IDs    []uuid.UUID `json:"ids"` // the newest ones, at most maxIDs
}

// reasonOf is what the messages of a group have in common.
type reasonOf struct {
	Owner     string `json:"owner"`
	Code      string `json:"code"`
	Path      string `json:"path,omitempty"` // such as MSH-2, without the numbers of segments and repetitions
	Connector string `json:"connector"`
}

// errors answers GET /errors, and records who asked and how many messages were counted.
func (h handler) errors(ctx context.Context, rawQuery string, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	var found errorGroups
	q, err := readQuery(rawQuery, by, h.now(), "owner", "from", "to")
	if err == nil {
		found, err = h.group(ctx, q)
	}
	counted := 0
	for _, g := range found.Groups {
		counted += g.Count
	}
	h.record(ctx, "errors", err, by, "listed", counted)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// group goes through the messages with an error, from the newest to the oldest, and
// groups those that are still in error. It looks at maxLimit messages at most, and costs
// at most as much as a page of a list.
func (h handler) group(ctx context.Context, q query) (errorGroups, error) {
	var groups grouping
	from := newErrorWalk(h.catalog, q)
	left := maxLimit
	for from.more() && from.affords() && left > 0 {
		window, err := from.next(ctx)
		if err != nil {
			return errorGroups{}, err
		}
		if len(window) > left {
			from.back(window[left-1].id)
			window = window[:left]
		}
		left -= len(window)
		reasons, err := forEach(ctx, window, h.reason)
		if err != nil {
			return errorGroups{}, err
		}
		for i, c := range window {
			if reasons[i] != nil {
				groups.add(*reasons[i], c.id)
			}
		}
	}
	found := errorGroups{From: timeText(q.from), To: timeText(q.to), Groups: groups.newestFirst(), Complete: !from.more()}
	if q.to.After(q.now) {
		found.To = timeText(q.now)
	}
	if !found.Complete {
		found.From = timeText(hub.Received(from.below))
	}
	return found, nil
}

// timeText writes a time of an answer; "" for zero.
func timeText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(hub.TimeLayout)
}

// reason looks a message up, and returns why it is in error, or nil if it is not or if it
// was forgotten.
func (h handler) reason(ctx context.Context, c candidate) (*reasonOf, error) {
	entries, err := h.catalog.History(ctx, c.id)
	if err != nil || len(entries) == 0 || catalog.IsForgotten(entries) {
		return nil, err
	}
	found := history.New(c.id, entries)
	if found.Status != history.StatusError {
		return nil, nil
	}
	for _, step := range slices.Backward(found.Steps) {
		if step.Reason != nil {
			return &reasonOf{c.owner, step.Reason.Code, plainPath(step.Reason.Path), step.Connector}, nil
		}
	}
	return nil, nil
}

// plainPath returns a path without the numbers of its segment and its repetition, which
// differ among messages with the same fault.
func plainPath(path string) string {
	p, err := hl7.ParsePath(path)
	if err != nil {
		return path
	}
	p.Occurrence, p.Repetition = 0, 0
	return p.String()
}

// grouping is groups of errors while they are made.
type grouping map[reasonOf]*errorGroup

// add adds a message, which is older than those before it.
func (g *grouping) add(reason reasonOf, id uuid.UUID) {
	if *g == nil {
		*g = grouping{}
	}
	at := hub.Received(id).Format(hub.TimeLayout)
	group := (*g)[reason]
	if group == nil {
		group = &errorGroup{reasonOf: reason, Newest: at}
		(*g)[reason] = group
	}
	group.Count++
	group.Oldest = at
	if len(group.IDs) < maxIDs {
		group.IDs = append(group.IDs, id)
	}
}

func (g grouping) newestFirst() []errorGroup {
	groups := []errorGroup{}
	for _, group := range g {
		groups = append(groups, *group)
	}
	slices.SortFunc(groups, func(a, b errorGroup) int { return compare(b.IDs[0], a.IDs[0]) })
	return groups
}
