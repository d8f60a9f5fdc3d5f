package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/catalog"
	"hl7lake/internal/finder"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/parallel"
	"hl7lake/lambdas/internal/problem"
)

type handler struct {
	logger  *slog.Logger
	catalog catalog.Table
	index   finder.Index
	keys    []*derive.Deriver // of all versions of the key that the table may have hashes of
	kinds   []finder.Kind     // that can be searched for
}

const (
	// together is how many requests are made at the same time.
	together = 16
	// maxRounds is how many times a page asks the table of hashes, once for each
	// institution and version of the key.
	maxRounds = 8
	// perRound is how many entries one request returns.
	perRound = 200
)

// page is the body of the answer, which has the form of a page of GET /messages.
type page struct {
	Messages []history.Row `json:"messages"` // newest first
	// Cursor asks for the next page. It is empty if there are no further messages. A page
	// with a cursor may hold fewer messages than were asked for, or none, because the
	// work for one page is bounded.
	Cursor string `json:"cursor,omitempty"`
}

// search answers POST /messages/search, and records who searched for what kind of
// identifier and how many messages were found. The record does not have the identifier.
func (h handler) search(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	var found page
	q, err := h.question(request, by)
	if err == nil {
		found, err = h.page(ctx, q)
	}
	audit.Record(ctx, h.logger, "search", audit.Outcome(err),
		"who", by.Subject, "reads", strings.Join(by.Read, ","), "kind", string(q.kind), "found", len(found.Messages))
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// page collects the messages of a page. It ends when the page is full, when no message is
// left, or after maxRounds. A message that the catalog does not know, or that was
// forgotten, is left out.
func (h handler) page(ctx context.Context, q question) (page, error) {
	w, err := h.newWalk(ctx, q)
	if err != nil {
		return page{}, err
	}
	result := page{Messages: []history.Row{}}
	for round := 0; round < maxRounds && !w.ended && len(result.Messages) < q.limit; round++ {
		window, err := w.next(ctx)
		if err != nil {
			return page{}, err
		}
		if room := q.limit - len(result.Messages); len(window) > room {
			window = window[:room]
			w.back(window[room-1].Root)
		}
		rows, err := parallel.Map(ctx, together, window, h.look)
		if err != nil {
			return page{}, err
		}
		for _, row := range rows {
			if row.State != "" {
				result.Messages = append(result.Messages, row)
			}
		}
	}
	if !w.ended {
		result.Cursor = cursorOf(w.below)
	}
	return result, nil
}

// look returns what a list shows of a message. Its state is empty if it is not to be
// listed.
func (h handler) look(ctx context.Context, m match) (history.Row, error) {
	entries, err := h.catalog.History(ctx, m.Root)
	if err != nil || len(entries) == 0 {
		return history.Row{}, err
	}
	return history.NewRow(m.Root, m.owner, "", entries), nil
}
