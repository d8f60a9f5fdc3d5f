package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"hl7lake/internal/contract"
	"hl7lake/internal/pause"
)

// Zone is the part of the lake that an object lies in.
type Zone string

// The zones of the lake.
const (
	Ingestion Zone = contract.ZoneIngestion // messages as they were sent
	Staging   Zone = contract.ZoneStaging   // their JSON
	Failed    Zone = contract.ZoneError     // messages that have no JSON
)

// Status is how far a message came.
type Status string

// The statuses of a message.
const (
	Accepted Status = "accepted" // on its way to the lake
	Ingested Status = "ingested" // in the lake, on its way to its JSON
	Staged   Status = "staged"   // its JSON is in the lake
	Errored  Status = "error"    // it has no JSON; the history says why
)

// History is what the lake knows of one message, without its content.
type History struct {
	ID       string    `json:"id"`
	Status   Status    `json:"status"`
	Owner    string    `json:"owner"`
	Type     string    `json:"type,omitempty"`    // MSH-9, as ADT^A01
	Charset  string    `json:"charset,omitempty"` // as the sender declared it
	Received time.Time `json:"received"`
	Steps    []Step    `json:"history"` // oldest first; empty while merely accepted
}

// Step is one object of the lake that a message led to, as the catalog has it.
type Step struct {
	Zone      Zone      `json:"zone"`
	ID        string    `json:"id"`
	Parent    string    `json:"parent,omitempty"` // the event that led to it; "" for the message itself
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	VersionID string    `json:"version_id,omitempty"`
	SHA256    string    `json:"sha256"` // hex
	Size      int64     `json:"size"`   // bytes
	Parser    string    `json:"parser,omitempty"`
	ReadIn    string    `json:"read_in,omitempty"` // the character set that an operator decided on, if one did
	Written   time.Time `json:"written"`
	Attempts  int       `json:"attempts"` // how often the lake was told to write it
	Reason    *Reason   `json:"reason,omitempty"`

	Forgotten       time.Time `json:"forgotten,omitzero"`         // when its content was deleted on purpose; zero where it was not
	ForgottenReason string    `json:"forgotten_reason,omitempty"` // a code
}

// Reason is why a message could not become JSON.
type Reason struct {
	Code    string `json:"code"`
	Segment int    `json:"segment,omitempty"` // 1 is the first; 0 is none
	Path    string `json:"path,omitempty"`    // as MSH-2
	Offset  int    `json:"offset"`            // bytes from the message's start
}

// String is the reason for a person, as "bad-delimiters at segment 1, MSH-2, byte 4".
func (r Reason) String() string {
	var place []string
	if r.Segment > 0 {
		place = append(place, fmt.Sprintf("segment %d", r.Segment))
	}
	if r.Path != "" {
		place = append(place, r.Path)
	}
	place = append(place, fmt.Sprintf("byte %d", r.Offset))
	return r.Code + " at " + strings.Join(place, ", ")
}

// Find is the newest step of a zone, false where there is none.
func (h History) Find(zone Zone) (Step, bool) {
	for _, step := range slices.Backward(h.Steps) {
		if step.Zone == zone {
			return step, true
		}
	}
	return Step{}, false
}

// Outcome is where the message's way led to: its JSON, else the record of its
// error; false while there is neither.
func (h History) Outcome() (Step, bool) {
	if step, ok := h.Find(Staging); ok {
		return step, true
	}
	return h.Find(Failed)
}

// Ended says that the message's way is at its end: it lies in the lake as it was
// sent, and so does what it led to. The two are written independently, so either
// can be first.
func (h History) Ended() bool {
	_, sent := h.Find(Ingestion)
	_, led := h.Outcome()
	return sent && led
}

// History is the message's history. An id of another institution is a *Problem
// with status 404, as is an id that nobody was given.
func (c *Client) History(ctx context.Context, id string) (History, error) {
	body, err := c.get(ctx, "messages/"+url.PathEscape(id))
	if err != nil {
		return History{}, err
	}
	var history History
	if err := json.Unmarshal(body, &history); err != nil {
		return History{}, fmt.Errorf("read the history of %s: %w", id, err)
	}
	return history, nil
}

// Wait asks for the message's history until its way has ended or ctx does. On
// the latter the newest history comes with the error.
func (c *Client) Wait(ctx context.Context, id string) (History, error) {
	const first, longest = 20 * time.Millisecond, time.Second
	var history History
	for wait := first; ; wait = min(wait*3/2, longest) {
		newest, err := c.History(ctx, id)
		if err != nil {
			return history, err
		}
		history = newest
		if history.Ended() {
			return history, nil
		}
		if err := pause.For(ctx, wait); err != nil {
			return history, err
		}
	}
}
