package scenario

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"hl7lake/client"
	"hl7lake/cmd/lake/samples"
)

// Message is one accepted message and what became of it.
type Message struct {
	Name    string         `json:"name"` // of the sample
	Shape   string         `json:"shape"`
	Type    string         `json:"type"`
	Version string         `json:"version,omitempty"`
	Bytes   int            `json:"bytes"` // as sent
	ID      string         `json:"id"`
	History client.History `json:"history"`
	// JSON is what the message became; nil for an error.
	JSON json.RawMessage `json:"-"`
	// Differences are what is wrong with it, each in a few words.
	Differences []string `json:"differences,omitempty"`

	sample samples.Sample
}

// Took is the time from the message's receipt to its JSON or the record of its error. It
// is 0 while there is neither.
func (m Message) Took() time.Duration {
	outcome, ok := m.History.Outcome()
	if !ok {
		return 0
	}
	return outcome.Written.Sub(m.History.Received)
}

func (m *Message) differ(format string, arguments ...any) {
	m.Differences = append(m.Differences, fmt.Sprintf(format, arguments...))
}

// accepted records the message of a post, which is to be followed if the post was
// accepted.
func (p *play) accepted(done Post, sample samples.Sample) {
	if done.Status == http.StatusCreated {
		p.toFollow(done, sample)
	}
}

// toFollow records a message that the lake has, and that is to be followed.
func (p *play) toFollow(done Post, sample samples.Sample) {
	p.report.Messages = append(p.report.Messages, Message{
		Name: sample.Name, Shape: sample.Shape, Type: sample.Type, Version: sample.Version,
		Bytes: len(sample.Body), ID: done.ID, sample: sample,
	})
}

// follow waits until each message has ended and looks at what it became. The messages are
// processed at the same time, so waiting for one after the other is not slower.
func (p *play) follow(ctx context.Context) error {
	messages := p.report.Messages
	for i := range messages {
		p.progress("staging", i, len(messages))
		if err := p.followOne(ctx, &messages[i]); err != nil {
			return err
		}
		for _, difference := range messages[i].Differences {
			p.differ("%s: %s", messages[i].Name, difference)
		}
	}
	return nil
}

func (p *play) followOne(ctx context.Context, m *Message) error {
	limited, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s was not staged within %v", m.Name, patience))
	defer cancel()
	history, err := p.both.Wait(limited, m.ID)
	m.History = history
	if limited.Err() != nil && ctx.Err() == nil {
		m.differ("still %s after %v", cmp.Or(history.Status, "unknown"), patience)
		return nil
	}
	if err != nil {
		return ownProblem(m, "its history", err)
	}
	m.checkHistory()
	if err := p.checkER7(ctx, m); err != nil {
		return err
	}
	return p.checkJSON(ctx, m)
}

// ownProblem makes a refusal a difference of the message. Other errors end the scenario.
func ownProblem(m *Message, what string, err error) error {
	if refused, ok := errors.AsType[*client.Problem](err); ok {
		m.differ("%s: %v", what, refused)
		return nil
	}
	return err
}

func (m *Message) checkHistory() {
	want := map[client.Zone]int{client.Ingestion: 1, client.Staging: 1}
	if !m.sample.HL7() {
		want = map[client.Zone]int{client.Ingestion: 1, client.Failed: 1}
	}
	got := map[client.Zone]int{}
	for _, step := range m.History.Steps {
		got[step.Zone]++
	}
	if !maps.Equal(got, want) {
		m.differ("its objects are %v, not %v", got, want)
	}
	if m.History.Type != m.Type {
		m.differ("its type is %s, not %s", m.History.Type, m.Type)
	}
	if failed, ok := m.History.Find(client.Failed); ok && (failed.Reason == nil || failed.Reason.Code == "") {
		m.differ("its error has no reason")
	}
	if sent, ok := m.History.Find(client.Ingestion); ok && sent.SHA256 != m.sha256() {
		m.differ("the catalog has another sha256 than what was sent")
	}
}

func (m *Message) sha256() string {
	sum := sha256.Sum256(m.sample.Body)
	return hex.EncodeToString(sum[:])
}

func (p *play) checkER7(ctx context.Context, m *Message) error {
	body, err := p.both.ER7(ctx, m.ID)
	if err != nil {
		return ownProblem(m, "its ER7", err)
	}
	if !bytes.Equal(body, m.sample.Body) {
		m.differ("its ER7 is not byte for byte what was sent")
	}
	return nil
}

// checkJSON reads the JSON as a consumer would.
func (p *play) checkJSON(ctx context.Context, m *Message) error {
	if m.History.Status != client.Staged {
		return nil
	}
	body, err := p.both.JSON(ctx, m.ID)
	if err != nil {
		return ownProblem(m, "its JSON", err)
	}
	m.JSON = body
	type told struct{ Root, Source, SHA256, Type, Version string }
	var document struct {
		Root    string `json:"root"`
		Source  string `json:"source"`
		SHA256  string `json:"sha256"`
		Message struct {
			Type    string `json:"type"`
			Version string `json:"version"`
		} `json:"message"`
		Segments []json.RawMessage `json:"segments"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		m.differ("its JSON cannot be read: %v", err)
		return nil
	}
	got := told{document.Root, document.Source, document.SHA256, document.Message.Type, document.Message.Version}
	if want := (told{m.ID, Institution, m.sha256(), m.Type, m.Version}); got != want {
		m.differ("its JSON says %+v, not %+v", got, want)
	}
	if len(document.Segments) != m.sample.Segments {
		m.differ("its JSON has %d segments, not %d", len(document.Segments), m.sample.Segments)
	}
	return nil
}
