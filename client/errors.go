package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// ErrorGroups are the messages in error, grouped by their reasons.
type ErrorGroups struct {
	From     time.Time    `json:"from,omitzero"` // zero means the beginning
	To       time.Time    `json:"to"`
	Groups   []ErrorGroup `json:"groups"`   // that with the newest message first
	Complete bool         `json:"complete"` // false if only the newest messages were counted, those from From on
}

// ErrorGroup is messages of one institution that are in error for the same reason.
type ErrorGroup struct {
	Owner     string    `json:"owner"`
	Code      string    `json:"code"`           // of the reason, such as bad-delimiters
	Path      string    `json:"path,omitempty"` // such as MSH-2
	Connector string    `json:"connector"`
	Count     int       `json:"count"`
	Oldest    time.Time `json:"oldest"` // when it was accepted
	Newest    time.Time `json:"newest"`
	IDs       []string  `json:"ids"` // of the newest ones, at most ten
}

// Errors returns the groups of the messages that Filter's Owner, From and To select; its
// other fields are not used. The error is a *Problem with status 404 if the user may not
// see the institution's messages, or those of none.
func (c *Client) Errors(ctx context.Context, filter Filter) (ErrorGroups, error) {
	selected := Filter{Owner: filter.Owner, From: filter.From, To: filter.To}
	body, err := c.get(ctx, "errors?"+selected.query().Encode())
	if err != nil {
		return ErrorGroups{}, err
	}
	var groups ErrorGroups
	if err := json.Unmarshal(body, &groups); err != nil {
		return ErrorGroups{}, fmt.Errorf("read the errors: %w", err)
	}
	return groups, nil
}
