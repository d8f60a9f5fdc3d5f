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
	Staging   Zone = contract.ZoneStaging   // the messages' JSON
	Failed    Zone = contract.ZoneError     // messages without JSON
)

// Status is how far a message has come.
type Status string

// The statuses of a message, in order.
const (
	Accepted Status = "accepted" // accepted, and not in the lake yet
	Ingested Status = "ingested" // in the lake, and not JSON yet
	Staged   Status = "staged"   // its JSON is in the lake
	Errored  Status = "error"    // it has no JSON; the history says why
	// Missing is a state of lists only: accepted some time ago, and not in the lake. The
	// history of such a message says Accepted.
	Missing Status = "missing"
)

// History is what the lake knows about one message, without its content.
type History struct {
	ID       string    `json:"id"`
	Status   Status    `json:"status"`
	Ended    bool      `json:"ended"` // the lake expects no more of it: ER7 is JSON or an error, anything else is filed
	Owner    string    `json:"owner"`
	Protocol string    `json:"protocol,omitempty"` // of the message as it was sent, such as hl7v2; empty until it is filed
	Format   string    `json:"format,omitempty"`   // such as er7
	Type     string    `json:"type,omitempty"`     // MSH-9, such as ADT^A01
	Charset  string    `json:"charset,omitempty"`  // as the sender declared it
	Received time.Time `json:"received"`
	Steps    []Step    `json:"history"` // oldest first; empty while the message is only accepted
}

// Step is one object of the lake that was made from a message, as the catalog records it.
type Step struct {
	Zone      Zone      `json:"zone"`
	ID        string    `json:"id"`
	Parent    string    `json:"parent,omitempty"` // the event that it was made from; "" for the message itself
	Bucket    string    `json:"bucket"`
	Key       string    `json:"key"`
	VersionID string    `json:"version_id,omitempty"`
	SHA256    string    `json:"sha256"`              // hex
	Size      int64     `json:"size"`                // bytes
	Protocol  string    `json:"protocol"`            // of the content, such as hl7v2
	Format    string    `json:"format"`              // such as er7
	Connector string    `json:"connector,omitempty"` // that made it; empty for the message itself
	Version   int       `json:"version,omitempty"`   // the connector's
	ReadIn    string    `json:"read_in,omitempty"`   // the character set that an operator chose, if any
	Written   time.Time `json:"written"`
	Attempts  int       `json:"attempts"` // how many times the writer was asked to write it
	Reason    *Reason   `json:"reason,omitempty"`

	Forgotten       time.Time `json:"forgotten,omitzero"`         // when its content was deleted on purpose; zero if it was not
	ForgottenReason string    `json:"forgotten_reason,omitempty"` // a code
}

// Reason is why a message could not become JSON.
type Reason struct {
	Code    string `json:"code"`
	Segment int    `json:"segment,omitempty"` // counted from 1; 0 means none
	Path    string `json:"path,omitempty"`    // such as MSH-2
	Offset  int    `json:"offset"`            // in bytes, from the message's start
}

// String returns the reason as text for a person, such as "bad-delimiters at segment 1,
// MSH-2, byte 4".
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

// Find returns the newest step of a zone. It reports false if there is none.
func (h History) Find(zone Zone) (Step, bool) {
	for _, step := range slices.Backward(h.Steps) {
		if step.Zone == zone {
			return step, true
		}
	}
	return Step{}, false
}

// Outcome returns the step that the status is about: of ER7 its JSON, else the record of
// its error; of other kinds the newest result of any connector, else the newest error. It
// reports false while there is neither.
func (h History) Outcome() (Step, bool) {
	zone, known := map[Status]Zone{Staged: Staging, Errored: Failed}[h.Status]
	isER7 := h.Format == "" || h.Protocol == contract.ProtocolHL7v2 && h.Format == contract.FormatER7
	for _, step := range slices.Backward(h.Steps) {
		if known && step.Zone == zone && (step.Connector == contract.ConnectorER7 || !isER7) {
			return step, true
		}
	}
	return Step{}, false
}

// History returns the message's history. If the id is another institution's or was never
// given out, the error is a *Problem with status 404.
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

// Wait asks for the message's history until it has ended, or until ctx is done. In the
// second case it returns the newest history together with the error.
func (c *Client) Wait(ctx context.Context, id string) (History, error) {
	const first, longest = 20 * time.Millisecond, time.Second
	var history History
	for wait := first; ; wait = min(wait*3/2, longest) {
		newest, err := c.History(ctx, id)
		if err != nil {
			return history, err
		}
		history = newest
		if history.Ended {
			return history, nil
		}
		if err := pause.For(ctx, wait); err != nil {
			return history, err
		}
	}
}
