package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

const (
	// patience is how long a request waits until another attempt with the same content
	// has ended.
	patience = 2 * time.Second
	// reserve is kept back from the function's time, so that there is still an answer if
	// publishing hangs, and its claim is released.
	reserve = 2 * time.Second
	// margin is how much longer than the function a lease lives, because clocks differ.
	margin = 2 * time.Second
	// withoutDeadline is the lease of a request whose context has none.
	withoutDeadline = 30 * time.Second
)

type handler struct {
	logger    *slog.Logger
	metrics   telemetry.Metrics
	allowance *allowance.Buckets
	received  received.Table
	hub       hub.Topic
}

// answer is the body of 201 and 409, in the original design's words.
type answer struct {
	Status string    `json:"status"`
	ID     uuid.UUID `json:"id"`
	Detail string    `json:"detail,omitempty"` // set if a duplicate has other bytes
}

// serve answers a request of any route.
func (h handler) serve(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	if request.RouteKey == routeHL7 {
		return h.postHL7(ctx, request)
	}
	return h.post(ctx, request)
}

// post answers POST /er7 and POST /messages/{protocol}/{format}, and records who posted
// and the outcome.
func (h handler) post(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	id, err := h.take(ctx, by.Write, request)
	h.account(ctx, by, id, err)
	var duplicate *received.DuplicateError
	switch {
	case errors.As(err, &duplicate):
		return located(http.StatusConflict, answerTo(duplicate)), nil
	case errors.Is(err, received.ErrHeld):
		return events.APIGatewayV2HTTPResponse{}, errInFlight
	case err != nil:
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return located(http.StatusCreated, answer{Status: "Message ingested", ID: id}), nil
}

// otherBytes says how a duplicate differs from the first message.
const otherBytes = "Line ends, framing or a byte order mark differ from the first one's, and nothing else."

func answerTo(duplicate *received.DuplicateError) answer {
	a := answer{Status: "Rejected due to being a duplicate", ID: duplicate.ID}
	if duplicate.Differs {
		a.Detail = otherBytes
	}
	return a
}

// take makes a message of the lake from what was posted for owner.
func (h handler) take(ctx context.Context, owner string, request events.APIGatewayV2HTTPRequest) (uuid.UUID, error) {
	work, cancel := function.WithReserve(ctx, reserve)
	defer cancel()
	content, err := h.receive(work, owner, request)
	if err != nil {
		return uuid.Nil, err
	}
	return h.accept(ctx, work, owner, content)
}

// receive returns what was posted for owner, if owner may post it.
func (h handler) receive(work context.Context, owner string, request events.APIGatewayV2HTTPRequest) (content, error) {
	if owner == "" {
		return content{}, errNoPrivilege
	}
	if err := h.admit(work, owner, size(request)); err != nil {
		return content{}, err
	}
	return decode(request)
}

// account records and counts one message that was posted.
func (h handler) account(ctx context.Context, by caller.Caller, id uuid.UUID, err error) {
	outcome, metric := audit.Outcome(err), contract.MetricAccepted
	var duplicate *received.DuplicateError
	var refused *problem.Problem
	switch {
	case err == nil:
		outcome = "accepted"
	case errors.As(err, &duplicate):
		outcome, metric, id = "duplicate", contract.MetricDuplicate, duplicate.ID
	case errors.Is(err, received.ErrHeld):
		outcome, metric = errInFlight.Code, ""
	case errors.As(err, &refused):
		metric = contract.MetricRefused
	default:
		metric = "" // Lambda counts failures
	}
	members := []any{"who", by.Subject}
	if id != uuid.Nil {
		members = append(members, "id", id)
	}
	var dimensions []slog.Attr
	if by.Write != "" {
		dimensions = append(dimensions, slog.String("owner", by.Write))
	}
	switch {
	case metric != "":
		members = append(members, h.metrics.Count(metric, dimensions...))
	default:
		members = append(members, "owner", by.Write)
	}
	audit.Record(ctx, h.logger, "post", outcome, members...)
}

// located returns an answer that says where the message is found.
func located(status int, body answer) events.APIGatewayV2HTTPResponse {
	response := problem.JSON(status, body)
	response.Headers["Location"] = "/messages/" + body.ID.String()
	return response
}

// accept makes content a message of the lake and returns its id. If it returns nil, the
// hub has the message. After an error the sender may send it again, and it will still be
// one message. work ends before ctx, which is the invocation's context.
func (h handler) accept(ctx, work context.Context, owner string, content content) (uuid.UUID, error) {
	claim, err := h.received.Acquire(work, owner, content.kind, content.body, leaseEnd(ctx), patience)
	if err != nil {
		return uuid.Nil, err
	}
	over := false // a panic ends this attempt too: the next need not wait for the lease
	defer func() {
		if !over {
			h.release(ctx, claim)
		}
	}()
	if err := h.publish(work, claim, ingested(claim.ID, owner, content)); err != nil {
		return uuid.Nil, err
	}
	over = true
	return claim.ID, nil
}

// admit lets a message in if owner has not posted too much recently. It is called before
// anything else, because a flood of duplicates, or of requests that are refused, takes
// time too.
func (h handler) admit(ctx context.Context, owner string, size int) error {
	err := h.allowance.Take(ctx, owner, size)
	var exceeded *allowance.ExceededError
	if errors.As(err, &exceeded) {
		return tooMany(exceeded.RetryAfter)
	}
	return err
}

// publish publishes event on the hub and ends claim. This order keeps the lake's promise:
// a message that is reported as accepted or as a duplicate is on the hub. Finish returns
// a *received.DuplicateError if our lease ended and the attempt that took over the claim
// was faster. There is still only one message, because the id is the same.
func (h handler) publish(ctx context.Context, claim received.Claim, event hub.Event) error {
	if err := h.hub.Publish(ctx, event); err != nil {
		return err
	}
	return h.received.Finish(ctx, claim)
}

// release lets the sender's next try take over claim at once, unless another attempt
// already has it.
func (h handler) release(ctx context.Context, claim received.Claim) {
	if err := h.received.Release(ctx, claim); err != nil && !errors.Is(err, received.ErrHeld) {
		h.logger.WarnContext(ctx, "lease not released", "id", claim.ID, "error", function.Describe(err))
	}
}

func ingested(id uuid.UUID, owner string, content content) hub.Event {
	event := hub.Event{
		Name:    hub.Ingested,
		Kind:    content.kind,
		ID:      id,
		Root:    id,
		Owner:   owner,
		Type:    hub.UnknownType,
		Charset: content.charset,
		Body:    content.body,
	}
	if content.kind == hub.ER7 {
		header, _ := hl7.Peek(content.body)
		event.Type = header.Type // hl7.UnknownType if there is none
	}
	return event
}

// leaseEnd returns when nothing of this invocation can still be running.
func leaseEnd(ctx context.Context) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(withoutDeadline)
	}
	return deadline.Add(margin)
}
