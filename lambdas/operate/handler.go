package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/operating"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/operate"
)

// operator is the part of package operate that the routes need; *operate.Operator has it.
type operator interface {
	ReplaySome(context.Context, operate.Selection, operate.Bounds, func(operate.Replayed)) (next string, more bool, err error)
	RedriveSome(context.Context, operate.RedriveOptions, operate.Bounds, func(operate.DeadLetter)) (more bool, err error)
}

type handler struct {
	logger   *slog.Logger
	operator operator
	now      func() time.Time
}

// budget is how long a request begins further work. What is under way then ends before
// API Gateway gives up, which it does after 30 seconds (Amazon API Gateway quotas for
// HTTP APIs, Maximum integration timeout).
const budget = 15 * time.Second

// errGone says that a message cannot be replayed any more.
var errGone = &problem.Problem{Status: http.StatusGone, Code: "gone", Detail: "The message's content no longer exists: it has expired, or it was forgotten."}

// serve answers the routes. All of them demand the claim to operate.
func (h handler) serve(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	routes := map[string]route{
		"POST /messages/{id}/replay": {"replay", h.replayOne},
		"POST /messages/replay":      {"replay-some", h.replaySome},
		"GET /dead-letters":          {"dead-letters", h.deadLetters},
		"POST /dead-letters/redrive": {"redrive-some", h.redrive},
	}
	asked, known := routes[request.RouteKey]
	switch {
	case !known:
		return events.APIGatewayV2HTTPResponse{}, operating.ErrNotFound
	case by.Operate == "":
		h.record(ctx, asked.action, operating.ErrNoPrivilege, by)
		return events.APIGatewayV2HTTPResponse{}, operating.ErrNoPrivilege
	}
	return asked.answer(ctx, request, by)
}

// route is what is done for a request, and how the records name it.
type route struct {
	action string
	answer func(context.Context, events.APIGatewayV2HTTPRequest, caller.Caller) (events.APIGatewayV2HTTPResponse, error)
}

// bounds are those of a request that looks at so many things.
func (h handler) bounds(most int) operate.Bounds {
	return operate.Bounds{Most: most, Until: h.now().Add(budget)}
}

// record writes the audit record of what a caller did, how it ended, and further
// attributes.
func (h handler) record(ctx context.Context, action string, err error, by caller.Caller, members ...any) {
	operating.Record(ctx, h.logger, action, audit.Outcome(err), by, members...)
}

// refusal returns the answer that an operator's error stands for, or the error itself if
// it is a failure of the lake.
func refusal(err error) error {
	switch {
	case errors.Is(err, operate.ErrNoMessage):
		return operating.ErrNotFound
	case errors.Is(err, operate.ErrForgotten), errors.Is(err, operate.ErrGone):
		return errGone
	}
	return err
}

// codeOf returns the code that stands for the error of one of several things to do; ""
// for nil. A failure of the lake is logged.
func (h handler) codeOf(ctx context.Context, err error) string {
	if err == nil {
		return ""
	}
	if refused, ok := errors.AsType[*problem.Problem](refusal(err)); ok {
		return refused.Code
	}
	h.logger.ErrorContext(ctx, "failed", "error", function.Describe(err))
	return "unavailable"
}
