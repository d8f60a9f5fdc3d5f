package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Replayed is what became of one message of a replay.
type Replayed struct {
	ID    string `json:"id"`
	Done  bool   `json:"done"`            // it is on the hub again
	Error string `json:"error,omitempty"` // the code of why it is not, such as not-found or gone
}

// Replay has a stored message parsed again. charset is the IANA name of the character set
// to read it in, whatever it declares; "" reads it as it declares. The user must operate
// for the message's institution. Otherwise, and for an unknown id, the error is a
// *Problem with status 404, or 403 for a user who operates for none.
func (c *Client) Replay(ctx context.Context, id, charset string) error {
	return c.post(ctx, "messages/"+url.PathEscape(id)+"/replay", struct {
		Charset string `json:"charset,omitempty"`
	}{charset}, &Replayed{})
}

// ReplayOf says which messages a replay of several is about: those with the given ids, or
// those with errors to which all other fields apply.
type ReplayOf struct {
	IDs     []string  `json:"ids,omitempty"`     // at most 100
	Errors  bool      `json:"errors,omitempty"`  // must be set if there are no ids
	Type    string    `json:"type,omitempty"`    // MSH-9, such as ADT^A01; "" means any
	Code    string    `json:"code,omitempty"`    // of the error; "" means any
	From    time.Time `json:"from,omitzero"`     // accepted at or after; zero means from the beginning
	To      time.Time `json:"to,omitzero"`       // accepted before; zero means until now
	After   string    `json:"after,omitempty"`   // the Next of the answer before
	Charset string    `json:"charset,omitempty"` // to read the messages in; "" reads them as they declare
}

// ReplayedSome is the answer to a replay of several messages.
type ReplayedSome struct {
	Replayed int  `json:"replayed"` // how many are on the hub again
	Failed   int  `json:"failed"`
	More     bool `json:"more"` // there are messages that are not among the results, because one request does bounded work
	// Next is where a request for errors goes on, as its After. It is empty without More.
	Next    string     `json:"next,omitempty"`
	Results []Replayed `json:"results"` // in the order of acceptance
}

// ReplaySome has several stored messages of the institution that the user operates for
// parsed again. The lake does a bounded amount of work for a request: see
// [ReplayedSome.More].
func (c *Client) ReplaySome(ctx context.Context, which ReplayOf) (ReplayedSome, error) {
	var answer ReplayedSome
	return answer, c.post(ctx, "messages/replay", which, &answer)
}

// Forgotten is what was deleted of a message that was forgotten.
type Forgotten struct {
	ID        string `json:"id"`
	Forgotten bool   `json:"forgotten"`
	Reason    string `json:"reason"`
	Objects   int    `json:"objects"`  // how many object versions and claim checks were deleted
	Released  bool   `json:"released"` // the sender may send the same content again, as a new message
}

// Forget deletes the content of a message for good, and of what was made of it. reason is
// a code: court-order, mistake, patient-request, retention-over, test-data or
// wrong-patient. The user must operate for the message's institution. If a lock or a
// legal hold protects the message, or it has not ended yet, nothing is deleted and the
// error is a *Problem with status 409 and the code locked or under-way.
func (c *Client) Forget(ctx context.Context, id, reason string) (Forgotten, error) {
	var done Forgotten
	return done, c.post(ctx, "messages/"+url.PathEscape(id)+"/forget", struct {
		Reason string `json:"reason"`
	}{reason}, &done)
}

// DeadLetter is one message of a dead-letter queue, without its content.
type DeadLetter struct {
	Queue   string    `json:"queue"` // the queue's name
	ID      string    `json:"id"`    // of the event
	Root    string    `json:"root"`  // of the message
	Event   string    `json:"event"` // ingested, staged or error
	Owner   string    `json:"owner"`
	Type    string    `json:"type,omitempty"`  // the message's type, such as ADT^A01
	Since   time.Time `json:"since"`           // when it came into the queue
	Cause   string    `json:"cause,omitempty"` // the name of the error that put it there
	Outcome string    `json:"outcome"`         // what became of it or, if it was only looked at, would
}

// DeadLetters are dead letters of one institution's messages.
type DeadLetters struct {
	Letters []DeadLetter `json:"letters"` // the oldest first
	// More reports that there may be others: the lake looks at a bounded number of
	// letters for a request.
	More bool `json:"more"`
}

// DeadLetters returns what lies in the dead-letter queues, of messages of the institution
// that the user operates for.
func (c *Client) DeadLetters(ctx context.Context) (DeadLetters, error) {
	body, err := c.get(ctx, "dead-letters")
	if err != nil {
		return DeadLetters{}, err
	}
	var found DeadLetters
	if err := json.Unmarshal(body, &found); err != nil {
		return DeadLetters{}, fmt.Errorf("read the dead letters: %w", err)
	}
	return found, nil
}

// RedriveLetters publishes again what lies in the dead-letter queues, of messages of the
// institution that the user operates for. A letter whose Outcome is redriven is on the
// hub again and no longer in its queue.
func (c *Client) RedriveLetters(ctx context.Context) (DeadLetters, error) {
	var done DeadLetters
	return done, c.post(ctx, "dead-letters/redrive", struct{}{}, &done)
}

// post sends a request with a JSON body and reads its answer into the value that into
// points to. Any status but 200 is a *Problem.
func (c *Client) post(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := c.do(ctx, http.MethodPost, path, "application/json", text)
	switch {
	case err != nil:
		return err
	case answer.status != http.StatusOK:
		return answer.problem()
	}
	if err := json.Unmarshal(answer.body, into); err != nil {
		return fmt.Errorf("read the answer of POST /%s: %w", path, err)
	}
	return nil
}
