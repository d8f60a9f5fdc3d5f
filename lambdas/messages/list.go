package main

import (
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
)

// page is the body of GET /messages.
type page struct {
	Messages []history.Row `json:"messages"` // newest first
	// Cursor asks for the next page. It is empty if there are no further messages. A page
	// with a cursor may hold fewer messages than were asked for, or none, because the
	// work for one page is bounded.
	Cursor string `json:"cursor,omitempty"`
	// OtherProtocols reports that the lake knows more protocols than a list covers: the
	// messages of the others are listed by their protocol only.
	OtherProtocols bool `json:"other_protocols,omitempty"`
}

// list answers GET /messages, and records who asked and how many messages were listed.
func (h handler) list(ctx context.Context, rawQuery string, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	var found page
	q, err := queryOf(rawQuery, by, h.now())
	if err == nil {
		found, err = h.page(ctx, q)
	}
	h.record(ctx, "list", err, by, "listed", len(found.Messages))
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// candidates are the messages that a list may hold, from the newest to the oldest.
type candidates interface {
	more() bool    // there may be further ones
	affords() bool // the requests that are left suffice for next
	// next returns the next candidates, perhaps none, and goes on behind them.
	next(context.Context) ([]candidate, error)
	// back goes back to the candidate id, so that the list goes on behind it.
	back(id uuid.UUID)
	cursor() cursor // where the list is
}

// page collects the messages of a page. It ends when the page is full, when no message is
// left, or when it has cost maxRequests or maxLimit.
func (h handler) page(ctx context.Context, q query) (result page, err error) {
	var from candidates
	switch q.state {
	case history.StatusAccepted, history.StatusMissing:
		from = newClaimWalk(h.received, q)
	case history.StatusError:
		from = newErrorWalk(h.catalog, q)
	default:
		if from, result.OtherProtocols, err = newWalk(ctx, h.lake, q); err != nil {
			return page{}, err
		}
	}
	found := collection{handler: h, query: q, messages: []history.Row{}, lookups: maxLimit}
	for from.more() && from.affords() && !found.complete() {
		window, err := from.next(ctx)
		if err != nil {
			return page{}, err
		}
		n, err := found.add(ctx, window)
		if err != nil {
			return page{}, err
		}
		if n < len(window) {
			from.back(window[n-1].id)
		}
	}
	result.Messages = found.messages
	if from.more() {
		result.Cursor = from.cursor().String()
	}
	return result, nil
}

// collection is a page while it is made.
type collection struct {
	handler
	query
	messages []history.Row
	lookups  int // how many messages may still be looked up in the catalog
}

// complete reports whether nothing more may be added.
func (c *collection) complete() bool { return len(c.messages) == c.limit || c.lookups == 0 }

// add looks the candidates up, in their order, and adds those that are wanted, until the
// collection is complete. It returns how many it went through.
func (c *collection) add(ctx context.Context, candidates []candidate) (through int, err error) {
	for through < len(candidates) && !c.complete() {
		// As many as are missing, so that without a filter none is looked up in vain, but
		// enough to be worth the wait.
		n := min(max(c.limit-len(c.messages), together), c.lookups, len(candidates)-through)
		messages, err := c.look(ctx, candidates[through:through+n])
		if err != nil {
			return through, err
		}
		c.lookups -= n
		for _, m := range messages {
			if len(c.messages) == c.limit {
				return through, nil
			}
			if through++; c.wants(m) {
				c.messages = append(c.messages, m)
			}
		}
	}
	return through, nil
}

// look asks the catalog for the messages, and returns them in the same order.
func (h handler) look(ctx context.Context, window []candidate) ([]history.Row, error) {
	return forEach(ctx, window, func(ctx context.Context, c candidate) (history.Row, error) {
		entries, err := h.catalog.History(ctx, c.id)
		if err != nil {
			return history.Row{}, err
		}
		m := history.NewRow(c.id, c.owner, c.kind, entries)
		if c.claimed {
			m.State, err = h.claimState(ctx, c, m.State, entries)
		}
		return m, err
	})
}

// wants reports whether a message is one of those that q asks for.
func (q query) wants(m history.Row) bool {
	return m.State != "" && (q.state == "" || m.State == q.state) &&
		(q.protocol == "" || m.Protocol == q.protocol) && (q.kind == "" || m.Type == q.kind) &&
		(q.connector == "" || slices.Contains(m.Connectors, q.connector))
}
