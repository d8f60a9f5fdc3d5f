package main

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/staginger7"
)

type handler struct {
	claimCheck hub.ClaimCheck
	hub        hub.Topic
	lakeBucket string
}

// ParseError ends the workflow of a message that is not HL7. Lambda reports the name of
// this type as errorType, which the workflow catches, and the text as errorMessage, in
// which trigger finds the reason.
type ParseError struct {
	Reason hub.Reason
}

func (e *ParseError) Error() string { return e.Reason.String() }

// staged is the workflow's output once the JSON is published.
type staged struct {
	ID uuid.UUID `json:"id"`
}

// parse publishes the message's JSON. The same message gives the same event. A message
// without a hash did not pass prepare: its body is still what the sender posted.
func (h handler) parse(ctx context.Context, in hub.Wire) (staged, error) {
	event, err := h.claimCheck.Open(ctx, in)
	if err != nil {
		return staged{}, err
	}
	if event.Raw == "" {
		event.Raw = event.BodyHash()
	}
	var message hl7.Message
	if err := read(&message, event); err != nil {
		return staged{}, refusal(err)
	}
	result := hub.Derive(event, staginger7.Connector(), hub.Staged, hub.JSON)
	if result.Body, err = document(event, result, h.lakeBucket, &message); err != nil {
		return staged{}, err
	}
	if err := h.hub.Publish(ctx, result); err != nil {
		return staged{}, err
	}
	return staged{ID: result.ID}, nil
}

// read parses the body in the charset that an operator chose, or else in the one that the
// message or its sender declares.
func read(message *hl7.Message, event hub.Event) error {
	err := message.ParseChosen(event.ReadIn, event.Charset, event.Body)
	if errors.Is(err, hl7.ErrCharset) {
		return &ParseError{Reason: hub.Reason{Code: "charset"}}
	}
	return err
}

// refusal keeps the place of a parse error and drops everything else.
func refusal(err error) error {
	var refused *hl7.ParseError
	if !errors.As(err, &refused) {
		return err
	}
	return &ParseError{Reason: hub.Reason{
		Code:    refused.Code,
		Segment: refused.Segment,
		Path:    refused.Path,
		Offset:  refused.Offset,
	}}
}
