package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/jsonbody"
	"hl7lake/lambdas/internal/operating"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/operate"
)

// operator is the part of package operate that the route needs; *operate.Operator has it.
type operator interface {
	ForgetOf(ctx context.Context, owner, id string, reason operate.ForgetReason) (operate.Forgotten, error)
}

type handler struct {
	logger   *slog.Logger
	operator operator
}

// forgotten is the body of the answer.
type forgotten struct {
	ID        string               `json:"id"`
	Forgotten bool                 `json:"forgotten"`
	Reason    operate.ForgetReason `json:"reason"`
	Objects   int                  `json:"objects"`  // how many object versions and claim checks were deleted
	Released  bool                 `json:"released"` // the sender may send the same content again, as a new message
}

// forget answers POST /messages/{id}/forget, and records who had what forgotten and why.
func (h handler) forget(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	id, reason, err := read(request, by)
	var done operate.Forgotten
	if err == nil {
		done, err = h.operator.ForgetOf(ctx, by.Operate, id, reason)
		err = refusal(err)
	}
	operating.Record(ctx, h.logger, "forget", audit.Outcome(err), by, "id", id, "reason", string(reason), "objects", done.Objects)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, forgotten{ID: id, Forgotten: done.Done, Reason: reason, Objects: done.Objects, Released: done.Released}), nil
}

// read reads a request. The reason is one of operate.ForgetReasons, or "". The error is a
// *problem.Problem.
func read(request events.APIGatewayV2HTTPRequest, by caller.Caller) (id string, reason operate.ForgetReason, err error) {
	if by.Operate == "" {
		return "", "", operating.ErrNoPrivilege
	}
	if id, err = operating.MessageID(request.PathParameters["id"]); err != nil {
		return "", "", err
	}
	var body struct {
		Reason operate.ForgetReason `json:"reason"`
	}
	if err := jsonbody.Read(request, &body); err != nil {
		return id, "", err
	}
	if !body.Reason.Known() {
		return id, "", badReason()
	}
	return id, body.Reason, nil
}

// badReason refuses a request without one of the reasons. Free text could name a patient,
// so that it is not repeated.
func badReason() error {
	var codes []string
	for _, code := range operate.ForgetReasons() {
		codes = append(codes, string(code))
	}
	return &problem.Problem{Status: http.StatusBadRequest, Code: "bad-reason", Detail: `"reason" is one of: ` + strings.Join(codes, ", ") + "."}
}

// refusal returns the answer that an operator's error stands for, or the error itself if
// it is a failure of the lake.
func refusal(err error) error {
	if locked, ok := errors.AsType[*operate.LockedError](err); ok {
		return lockedProblem(locked)
	}
	switch {
	case errors.Is(err, operate.ErrNoMessage):
		return operating.ErrNotFound
	case errors.Is(err, operate.ErrUnderWay):
		return &problem.Problem{Status: http.StatusConflict, Code: "under-way", Detail: "The message is still being processed. Try again later. Nothing was deleted."}
	}
	return err
}

// lockedProblem says until when a message may not be deleted. It does not name the
// object.
func lockedProblem(locked *operate.LockedError) error {
	var why []string
	if !locked.Until.IsZero() {
		why = append(why, "is locked until "+locked.Until.UTC().Format(time.RFC3339))
	}
	if locked.Hold {
		why = append(why, "is under a legal hold")
	}
	return &problem.Problem{Status: http.StatusConflict, Code: "locked", Detail: "The message " + strings.Join(why, " and ") + ". Nothing was deleted."}
}
