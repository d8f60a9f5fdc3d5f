package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/pause"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
)

// routeHL7 is the route that follows HL7 over HTTP, by HAPI
// (https://hapifhir.github.io/hapi-hl7v2/hapi-hl7overhttp/specification.html): an answer
// in HL7 has status 200, whatever it says, and any other status comes without HL7 (2.6).
const routeHL7 = "POST /hl7"

// A delivery is one post at /hl7 under way.
type delivery struct {
	handler
	by       caller.Caller
	content  content
	admitted bool      // the post itself was; it stands for its first message
	late     time.Time // until when messages wait for their part of the institution's share
	kept     int       // messages that the lake has
	first    uuid.UUID // the id of the first of these
	over     error     // why the rest is not tried; nil while the lake takes messages
}

// postHL7 answers POST /hl7: each message of the post is acknowledged for itself. If the
// lake can take none of them now, the error says so, and the same post can be sent again.
func (h handler) postHL7(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	work, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	d := &delivery{handler: h, by: caller.Of(request), late: time.Now().Add(patience)}
	var parts []part
	var batch bool
	var err error
	if d.content, err = h.receive(work, d.by.Write, request); err == nil {
		parts, batch, err = split(d.content)
	}
	if err != nil {
		h.account(ctx, d.by, uuid.Nil, err)
		return events.APIGatewayV2HTTPResponse{}, err
	}
	reply := newReply(d.content)
	for _, p := range parts {
		if p.kind == hl7.Opening || p.kind == hl7.Closing {
			reply.envelope(p)
			continue
		}
		id, err := d.settle(ctx, work, p)
		if unavailable(err) && d.kept == 0 {
			return events.APIGatewayV2HTTPResponse{}, asProblem(err)
		}
		reply.acknowledge(p, id, err)
	}
	response := reply.response()
	if !batch && d.kept == 1 {
		response.Headers["Location"] = "/messages/" + d.first.String()
	}
	return response, nil
}

// settle makes a message of the lake from a part. The error is a *refusedError, a
// *received.DuplicateError, or says that the lake cannot take the message now.
func (d *delivery) settle(ctx, work context.Context, p part) (uuid.UUID, error) {
	if p.wrong != nil {
		d.account(ctx, d.by, uuid.Nil, badRequest(p.wrong.code, ""))
		return uuid.Nil, &refusedError{p.wrong}
	}
	if d.over != nil {
		return uuid.Nil, d.over
	}
	err := d.admitInTurn(work, len(p.data))
	var id uuid.UUID
	if err == nil {
		c := d.content
		c.body = p.data
		id, err = d.accept(ctx, work, d.by.Write, c)
	}
	d.account(ctx, d.by, id, err)
	duplicate, before := errors.AsType[*received.DuplicateError](err)
	if before {
		id = duplicate.ID
	}
	switch {
	case err == nil || before:
		if d.kept++; d.kept == 1 {
			d.first = id
		}
	case !errors.Is(err, received.ErrHeld): // which is about this message alone
		if d.over = err; d.kept > 0 { // otherwise it is the answer, and is logged as such
			d.logger.WarnContext(ctx, "the rest of the post is not tried", "error", function.Describe(err))
		}
	}
	return id, err
}

// admitInTurn is admit for each message after the first. It waits a little where the
// institution's share is used up for the moment, so that a batch can be larger than what
// the share allows at once.
func (d *delivery) admitInTurn(work context.Context, size int) error {
	if !d.admitted {
		d.admitted = true
		return nil
	}
	for {
		if err := work.Err(); err != nil {
			return fmt.Errorf("admit: %w", err)
		}
		err := d.allowance.Take(work, d.by.Write, size)
		exceeded, full := errors.AsType[*allowance.ExceededError](err)
		switch {
		case !full:
			return err
		case time.Now().Add(exceeded.RetryAfter).After(d.late):
			return tooMany(exceeded.RetryAfter)
		}
		if err := pause.For(work, exceeded.RetryAfter); err != nil {
			return err
		}
	}
}

// A refusedError says that a part will never be kept as it is.
type refusedError struct{ fault *fault }

func (e *refusedError) Error() string { return e.fault.code }

// unavailable reports whether the lake cannot take a message now and may take it later.
func unavailable(err error) bool {
	_, duplicate := errors.AsType[*received.DuplicateError](err)
	_, refused := errors.AsType[*refusedError](err)
	return err != nil && !duplicate && !refused
}

// asProblem makes a *problem.Problem of an error that has one.
func asProblem(err error) error {
	if errors.Is(err, received.ErrHeld) {
		return errInFlight
	}
	return err
}

// later is what a sender is told whose message the lake cannot take now.
func later(err error) string {
	if p, ok := errors.AsType[*problem.Problem](asProblem(err)); ok {
		return p.Detail
	}
	return "The lake cannot take the message now. Send it again."
}
