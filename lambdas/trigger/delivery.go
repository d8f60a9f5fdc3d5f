package main

import (
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/internal/hub"
)

// delivery is the function's input: events of the hub from SNS, or events that come back
// from the queue of deferred ones.
type delivery struct {
	Records []record
}

// record is one event of the hub. The names are SNS's and SQS's, which differ in case.
type record struct {
	EventSource string
	SNS         events.SNSEntity `json:"Sns"`
	Body        string           // of a message of SQS
}

// errDelivery says that trigger did not put a message into the queue.
var errDelivery = errors.New("trigger: the queue's message is not an event of the hub")

// deferred reports whether the event comes from the queue of deferred ones.
func (r record) deferred() bool { return r.EventSource == "aws:sqs" }

func (r record) wire() (hub.Wire, error) {
	if !r.deferred() {
		return hub.FromSNS(r.SNS), nil
	}
	var entity events.SNSEntity
	if err := json.Unmarshal([]byte(r.Body), &entity); err != nil {
		return hub.Wire{}, errDelivery // the decoder's own words may quote it
	}
	return hub.FromSNS(entity), nil
}
