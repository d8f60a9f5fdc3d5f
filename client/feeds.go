package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Feeds says how regularly the institutions send that the user may see.
type Feeds struct {
	Now   time.Time `json:"now"`
	Feeds []Feed    `json:"feeds"` // by owner
}

// Feed is one institution's.
type Feed struct {
	Owner         string    `json:"owner"`
	Last          time.Time `json:"last,omitzero"`  // when its newest message was accepted; zero if the lake has none
	Hours         []Hour    `json:"hours"`          // the last 24 hours of the clock, oldest first; the last one still runs
	Usual         *Usual    `json:"usual"`          // nil if it has not sent for a day yet
	SilentMinutes int       `json:"silent_minutes"` // since Last
	Silent        bool      `json:"silent"`         // unusually long
}

// Hour is how many messages were accepted in an hour.
type Hour struct {
	From  time.Time `json:"from"`
	Count int       `json:"count"`
	About bool      `json:"about,omitempty"` // Count is estimated
}

// Usual is how many messages came in the hour before this time of the day, on average of
// the last days.
type Usual struct {
	PerHour float64 `json:"per_hour"`
	Days    int     `json:"days"`            // how many
	About   bool    `json:"about,omitempty"` // PerHour is estimated
}

// Feeds returns the feeds. The error is a *Problem with status 404 if the user may see no
// institution's messages.
func (c *Client) Feeds(ctx context.Context) (Feeds, error) {
	body, err := c.get(ctx, "feeds")
	if err != nil {
		return Feeds{}, err
	}
	var feeds Feeds
	if err := json.Unmarshal(body, &feeds); err != nil {
		return Feeds{}, fmt.Errorf("read the feeds: %w", err)
	}
	return feeds, nil
}
