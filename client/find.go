package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
)

// IdentifierKind says what an identifier is of.
type IdentifierKind string

// The kinds that every lake with Finder has. An environment may have others.
const (
	PatientID IdentifierKind = "patient"    // PID-3
	AccountID IdentifierKind = "account"    // PID-18
	VisitID   IdentifierKind = "visit"      // PV1-19
	OrderID   IdentifierKind = "order"      // ORC-2, ORC-3, OBR-2 and OBR-3
	ControlID IdentifierKind = "control-id" // MSH-10
)

// Identifier selects the messages that have it.
type Identifier struct {
	Kind  IdentifierKind `json:"kind"`
	Value string         `json:"value"` // as the message has it, with escapes decoded; white space around it is ignored
	// Authority is the namespace or the universal id of the assigning authority. If it is
	// empty, those of all authorities are found.
	Authority string `json:"authority,omitempty"`
	Owner     string `json:"owner,omitempty"` // the institution; "" means any that the user may read
}

// FindPage returns a page of the list of the messages that have an identifier, newest
// first: the first one or, with the cursor of a page, the one after that. It holds at most
// limit messages; for 0, the lake chooses. The identifier travels in the body of the
// request, and neither the lake nor this package logs it. The error is a *Problem with
// status 404 if the user may not read the institution's messages, or those of none, and
// also, without a code, if the lake has no Finder.
func (c *Client) FindPage(ctx context.Context, identifier Identifier, limit int, cursor string) (Page, error) {
	body, err := json.Marshal(struct {
		Identifier
		Limit  int    `json:"limit,omitempty"`
		Cursor string `json:"cursor,omitempty"`
	}{identifier, limit, cursor})
	if err != nil {
		return Page{}, err
	}
	answer, err := c.do(ctx, http.MethodPost, "messages/search", "application/json", body)
	if err != nil {
		return Page{}, err
	}
	if answer.status != http.StatusOK {
		return Page{}, answer.problem()
	}
	var page Page
	if err := json.Unmarshal(answer.body, &page); err != nil {
		return Page{}, fmt.Errorf("read the list of messages: %w", err)
	}
	return page, nil
}

// Find yields the messages that have an identifier, newest first, page after page. It ends
// after the first error, which is an error of [Client.FindPage].
func (c *Client) Find(ctx context.Context, identifier Identifier) iter.Seq2[Listed, error] {
	return inPages(func(cursor string) (Page, error) { return c.FindPage(ctx, identifier, 0, cursor) })
}
