package main

import (
	"cmp"
	"context"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
)

type handler struct {
	logger   *slog.Logger
	catalog  catalog.Table
	received received.Table
	lake     lake
}

// What can be answered in place of a message. A stranger's message, an unknown
// id and a path that does not exist give the same answer.
var (
	errNotFound  = &problem.Problem{Status: http.StatusNotFound, Code: "not-found", Detail: "There is no such message, or it is not yours to read."}
	errNotYet    = &problem.Problem{Status: http.StatusNotFound, Code: "not-yet", Detail: "The message is accepted and this content is still being made.", RetryAfter: 1}
	errNotStaged = &problem.Problem{Status: http.StatusNotFound, Code: "not-staged", Detail: "The message could not be turned into JSON. Its history says why."}
	errGone      = &problem.Problem{Status: http.StatusGone, Code: "gone", Detail: "This content no longer exists: its time was over, or it was deleted. The message's history remains."}
)

// get answers GET /messages/{id}, …/er7 and …/json, and records who asked for
// what and was told what.
func (h handler) get(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	id, part, ok := target(request.RawPath)
	if !ok {
		audit.Record(ctx, h.logger, "read", errNotFound.Code, "who", by.Subject, "reads", strings.Join(by.Read, ","))
		return events.APIGatewayV2HTTPResponse{}, errNotFound
	}
	response, err := h.read(ctx, id, part, by)
	audit.Record(ctx, h.logger, "read", audit.Outcome(err), "who", by.Subject, "reads", strings.Join(by.Read, ","), "id", id, "part", cmp.Or(part, "history"))
	return response, err
}

// read answers with a part of the message id, if the caller may read it.
func (h handler) read(ctx context.Context, id uuid.UUID, part string, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	found, err := h.find(ctx, id, by)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return h.answer(ctx, found, part)
}

func (h handler) answer(ctx context.Context, found history, part string) (events.APIGatewayV2HTTPResponse, error) {
	if part != "" && found.forgotten() {
		return events.APIGatewayV2HTTPResponse{}, errGone
	}
	switch part {
	case "er7":
		entry, ok := found.raw()
		if !ok {
			return events.APIGatewayV2HTTPResponse{}, errNotYet
		}
		return h.lake.serve(ctx, entry, er7MediaType(entry.Charset))
	case "json":
		entry, ok := found.json()
		switch {
		case ok:
			return h.lake.serve(ctx, entry, "application/json")
		case found.Status == statusError:
			return events.APIGatewayV2HTTPResponse{}, errNotStaged
		}
		return events.APIGatewayV2HTTPResponse{}, errNotYet
	default:
		return problem.JSON(http.StatusOK, found), nil
	}
}

// find is the history of the message id if the caller may read it. An id that
// the catalog does not know yet may have been accepted a moment ago.
func (h handler) find(ctx context.Context, id uuid.UUID, by caller.Caller) (history, error) {
	if len(by.Read) == 0 {
		return history{}, errNotFound
	}
	entries, err := h.catalog.History(ctx, id)
	if err != nil {
		return history{}, err
	}
	if len(entries) == 0 {
		return h.accepted(ctx, id, by)
	}
	if !by.MayRead(entries[0].Owner) {
		return history{}, errNotFound
	}
	return newHistory(id, entries), nil
}

func (h handler) accepted(ctx context.Context, id uuid.UUID, by caller.Caller) (history, error) {
	owner, err := h.received.Owner(ctx, id)
	if err != nil {
		return history{}, err
	}
	if !by.MayRead(owner) {
		return history{}, errNotFound
	}
	return acceptedHistory(id, owner), nil
}

// target reads /messages/{id}[/er7|/json], behind the name of a stage if there
// is one. Ids are written in one way only.
func target(path string) (id uuid.UUID, part string, ok bool) {
	_, rest, ok := strings.Cut(path, "/messages/")
	name, part, _ := strings.Cut(rest, "/")
	id, err := uuid.Parse(name)
	if !ok || err != nil || id.String() != name || id.Version() != 7 {
		return uuid.Nil, "", false
	}
	return id, part, (part == "" && !strings.HasSuffix(rest, "/")) || part == "er7" || part == "json"
}

// er7MediaType is application/hl7-v2 with the charset that the sender declared.
func er7MediaType(charset string) string {
	if charset == "" {
		return "application/hl7-v2"
	}
	return mime.FormatMediaType("application/hl7-v2", map[string]string{"charset": charset})
}
