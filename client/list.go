package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// Filter selects the messages to which all its fields apply. The zero Filter selects all
// that the user may read.
type Filter struct {
	Owner     string    // the institution; "" means any
	Protocol  string    // of the message as it was sent, such as hl7v2; "" means any
	Type      string    // MSH-9, such as ADT^A01; "" means any
	State     Status    // "" means any state of a message in the lake: neither Accepted nor Missing
	Connector string    // a connector that has filed something for the message, such as staging-er7; "" means any
	From      time.Time // accepted at or after; zero means from the beginning
	To        time.Time // accepted before; zero means until now
}

// Listed is a message of a list, without its content.
type Listed struct {
	ID         string    `json:"id"`
	Owner      string    `json:"owner"`
	Received   time.Time `json:"received"`
	Protocol   string    `json:"protocol,omitempty"`   // such as hl7v2; empty until the message is in the lake
	Format     string    `json:"format,omitempty"`     // such as er7
	Type       string    `json:"type,omitempty"`       // empty until the catalog has the message
	State      Status    `json:"state"`                // see [History]
	Ended      bool      `json:"ended"`                // see [History]
	Reason     string    `json:"reason,omitempty"`     // the code of the reason why it could not become JSON
	Connectors []string  `json:"connectors,omitempty"` // that have filed a result or an error, by name
}

// Page is a part of a list.
type Page struct {
	Messages []Listed `json:"messages"` // newest first
	// Cursor asks for the next page; "" if there is none. A page with a cursor may hold
	// fewer messages than asked for, or none, because the lake does a bounded amount of
	// work for a page.
	Cursor string `json:"cursor,omitempty"`
	// OtherProtocols reports that the list does not cover all protocols that the lake
	// knows. The messages of the others are listed with Filter.Protocol.
	OtherProtocols bool `json:"other_protocols,omitempty"`
}

// Page returns a page of the list of the selected messages, newest first: the first one
// or, with the cursor of a page, the one after that. It holds at most limit messages; for
// 0, the lake chooses. The error is a *Problem with status 404 if the user may not read
// the institution's messages, or those of none.
func (c *Client) Page(ctx context.Context, filter Filter, limit int, cursor string) (Page, error) {
	query := filter.query()
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	body, err := c.get(ctx, "messages?"+query.Encode())
	if err != nil {
		return Page{}, err
	}
	var page Page
	if err := json.Unmarshal(body, &page); err != nil {
		return Page{}, fmt.Errorf("read the list of messages: %w", err)
	}
	return page, nil
}

// query returns the parameters of GET /messages that say the same.
func (f Filter) query() url.Values {
	query := url.Values{}
	for name, value := range map[string]string{
		"owner": f.Owner, "protocol": f.Protocol, "type": f.Type, "state": string(f.State), "connector": f.Connector,
		"from": timeParameter(f.From), "to": timeParameter(f.To),
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query
}

// timeParameter writes a time for a query; "" for zero.
func timeParameter(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// List yields the selected messages, newest first, page after page. It ends after the
// first error, which is an error of [Client.Page]. It does not yield messages that arrive
// meanwhile.
func (c *Client) List(ctx context.Context, filter Filter) iter.Seq2[Listed, error] {
	return c.pages(ctx, filter, 0)
}

// pages is List with pages of the given size.
func (c *Client) pages(ctx context.Context, filter Filter, size int) iter.Seq2[Listed, error] {
	return inPages(func(cursor string) (Page, error) { return c.Page(ctx, filter, size, cursor) })
}

// inPages yields the messages of all pages. next returns the first one or, with the cursor
// of a page, the one after that.
func inPages(next func(cursor string) (Page, error)) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		for cursor := ""; ; {
			page, err := next(cursor)
			if err != nil {
				yield(Listed{}, err)
				return
			}
			for _, message := range page.Messages {
				if !yield(message, nil) {
					return
				}
			}
			if cursor = page.Cursor; cursor == "" {
				return
			}
		}
	}
}
