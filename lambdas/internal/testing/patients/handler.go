package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

// connector is who publishes. Raise the version when patientOf makes something else of an
// unchanged message.
func connector() hub.Connector { return hub.Connector{Name: "patients", Version: 1} }

// patientJSON says what is published.
const patientJSON hub.Kind = "fhir-r4/json"

type handler struct {
	hub hub.Topic
}

// handle makes a patient of each message of the batch. An error has Lambda deliver the
// batch again, and in the end leaves it in a dead-letter queue; to handle an event twice
// is harmless, since its result has the same id.
func (h handler) handle(ctx context.Context, batch events.SNSEvent) (struct{}, error) {
	return struct{}{}, hub.Each(batch, func(wire hub.Wire) error {
		event, err := h.hub.ClaimCheck.Open(ctx, wire)
		if err != nil {
			return err
		}
		result, err := resultOf(event)
		if err != nil {
			return err
		}
		return h.hub.Publish(ctx, result)
	})
}

// resultOf is the event that follows from an ingested message: its patient, or the error
// where it cannot be read.
func resultOf(event hub.Event) (hub.Event, error) {
	var message hl7.Message
	if err := message.ParseChosen(event.ReadIn, event.Charset, event.Body); err != nil {
		refused := hub.Derive(event, connector(), hub.Error, event.Kind)
		refused.Reason, refused.Body = reasonOf(err), event.Body
		return refused, nil
	}
	result := hub.Derive(event, connector(), hub.Staged, patientJSON)
	var err error
	result.Body, err = json.Marshal(patientOf(&message))
	return result, err
}

// reasonOf keeps the place of an error and drops the rest, which could hold content.
func reasonOf(err error) hub.Reason {
	refused, is := errors.AsType[*hl7.ParseError](err)
	if !is {
		return hub.Reason{Code: "unreadable"}
	}
	return hub.Reason{Code: refused.Code, Segment: refused.Segment, Path: refused.Path, Offset: refused.Offset}
}
