package main

import (
	"cmp"
	"context"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
)

type handler struct {
	logger   *slog.Logger
	catalog  catalog.Table
	received received.Table
	lake     lake
	now      func() time.Time
}

// What can be answered in place of a message. Another institution's message, an unknown
// id and a path that does not exist have the same answer.
var (
	errNotFound  = &problem.Problem{Status: http.StatusNotFound, Code: "not-found", Detail: "There is no such message, or it is not yours to read."}
	errNotYet    = &problem.Problem{Status: http.StatusNotFound, Code: "not-yet", Detail: "The message is accepted and this content is still being made.", RetryAfter: 1}
	errNotStaged = &problem.Problem{Status: http.StatusNotFound, Code: "not-staged", Detail: "The message has no such content. Its history says why."}
	errNotER7    = &problem.Problem{Status: http.StatusNotFound, Code: "not-er7", Detail: "The message is not ER7. Ask for …/content, which is the message as it was sent."}
	errNoResult  = &problem.Problem{Status: http.StatusNotFound, Code: "no-result", Detail: "The connector has no result for this message, or not yet. Its history lists the results."}
	errGone      = &problem.Problem{Status: http.StatusGone, Code: "gone", Detail: "This content no longer exists: it has expired, or it was deleted. The message's history remains."}
)

// get answers GET /messages, GET /messages/{id} and the addresses of its contents below
// it, GET /feeds and GET /errors, and records who asked for what and was told what.
func (h handler) get(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	by := caller.Of(request)
	switch _, name := path.Split(request.RawPath); name {
	case "messages":
		return h.list(ctx, request.RawQueryString, by)
	case "feeds":
		return h.feeds(ctx, request.RawQueryString, by)
	case "errors":
		return h.errors(ctx, request.RawQueryString, by)
	}
	id, part, ok := target(request.RawPath)
	if !ok {
		h.record(ctx, "read", errNotFound, by)
		return events.APIGatewayV2HTTPResponse{}, errNotFound
	}
	root, response, err := h.read(ctx, asked{id, part, request.RawQueryString}, by)
	h.record(ctx, "read", err, by, "id", root, "part", cmp.Or(part, "history"))
	return response, err
}

// record writes the audit record of what a caller did, how it ended, and further
// attributes.
func (h handler) record(ctx context.Context, action string, err error, by caller.Caller, members ...any) {
	members = append([]any{"who", by.Subject, "reads", strings.Join(by.Read, ","), "operates", by.Operate}, members...)
	audit.Record(ctx, h.logger, action, audit.Outcome(err), members...)
}

// asked is what a request asks for.
type asked struct {
	id    uuid.UUID // of a message, or of what was made of it
	part  string    // "" for the history
	query string    // of the URL, as it came
}

// read answers with a part of the message that the id is of, if the caller may read it. The
// history is also for a caller who may see the message and not read it. root is the
// message's own id, or the one that was asked for where there is no such message.
func (h handler) read(ctx context.Context, a asked, by caller.Caller) (root uuid.UUID, response events.APIGatewayV2HTTPResponse, err error) {
	if root, err = h.rootOf(ctx, a.id, by); err != nil {
		return a.id, response, err
	}
	found, err := h.find(ctx, root, by)
	if err == nil && a.part != "" && !by.MayRead(found.Owner) {
		err = errNotFound
	}
	if err != nil {
		return root, response, err
	}
	response, err = h.answer(ctx, found, a)
	return root, response, err
}

// rootOf returns the message's own id: id, unless that is of what was made of a message
// that the caller may see.
func (h handler) rootOf(ctx context.Context, id uuid.UUID, by caller.Caller) (uuid.UUID, error) {
	if !hub.Derived(id) {
		return id, nil
	}
	owners := by.Sees()
	if len(owners) == 0 {
		return id, errNotFound
	}
	root, found, err := h.catalog.RootOf(ctx, h.lake.objects, h.lake.bucket, id, owners)
	if err == nil && !found {
		err = errNotFound
	}
	return root, err
}

// answer answers with a part of the message.
func (h handler) answer(ctx context.Context, found history.History, a asked) (events.APIGatewayV2HTTPResponse, error) {
	if a.part != "" && catalog.IsForgotten(found.Entries) { // what was filed of it since is not given back either
		return events.APIGatewayV2HTTPResponse{}, errGone
	}
	connector, isResult := strings.CutPrefix(a.part, contentOf)
	switch {
	case a.part == "er7" || a.part == "content":
		return h.sent(ctx, found, a.part)
	case a.part == "json":
		return h.result(ctx, found, a.id, contract.ConnectorER7)
	case a.part == "view":
		return h.view(ctx, found, a.query)
	case a.part == "value":
		return h.value(ctx, found, a.query)
	case isResult:
		return h.result(ctx, found, a.id, connector)
	default:
		return problem.JSON(http.StatusOK, found), nil
	}
}

// sent answers with the message as it was sent, which for the part er7 must be ER7.
func (h handler) sent(ctx context.Context, found history.History, part string) (events.APIGatewayV2HTTPResponse, error) {
	entry, ok := found.Raw()
	switch {
	case !ok:
		return events.APIGatewayV2HTTPResponse{}, errNotYet
	case part == "er7" && entry.Kind() != hub.ER7:
		return events.APIGatewayV2HTTPResponse{}, errNotER7
	}
	return h.lake.serve(ctx, entry, withCharset(entry.Kind().MediaType(), entry.Charset))
}

// result answers with what a connector made of the message: with the very result whose id
// was asked for, else the newest.
func (h handler) result(ctx context.Context, found history.History, asked uuid.UUID, connector string) (events.APIGatewayV2HTTPResponse, error) {
	entry, ok := found.Own(asked, connector)
	if !ok {
		entry, ok = catalog.Result(found.Entries, connector, catalog.Staging)
	}
	if ok {
		return h.lake.serve(ctx, entry, entry.Kind().MediaType())
	}
	_, failed := catalog.Result(found.Entries, connector, catalog.Failed)
	raw, sent := found.Raw()
	switch {
	case failed:
		return events.APIGatewayV2HTTPResponse{}, errNotStaged
	case connector != contract.ConnectorER7 && sent:
		return events.APIGatewayV2HTTPResponse{}, errNoResult
	case sent && raw.Kind() != hub.ER7:
		return events.APIGatewayV2HTTPResponse{}, errNotER7
	}
	return events.APIGatewayV2HTTPResponse{}, errNotYet
}

// find is the history of the message id if the caller may see it. An id that the catalog
// does not know yet may have been accepted a moment ago. Who may not read the message is
// not told the hashes of its content: with one, a guess at the content can be checked.
func (h handler) find(ctx context.Context, id uuid.UUID, by caller.Caller) (history.History, error) {
	if len(by.Sees()) == 0 {
		return history.History{}, errNotFound
	}
	entries, err := h.catalog.History(ctx, id)
	if err != nil {
		return history.History{}, err
	}
	if len(entries) == 0 {
		return h.accepted(ctx, id, by)
	}
	if !by.MaySee(entries[0].Owner) {
		return history.History{}, errNotFound
	}
	found := history.New(id, entries)
	if !by.MayRead(found.Owner) {
		found.HideHashes()
	}
	return found, nil
}

func (h handler) accepted(ctx context.Context, id uuid.UUID, by caller.Caller) (history.History, error) {
	owner, err := h.received.Owner(ctx, id)
	if err != nil {
		return history.History{}, err
	}
	if !by.MaySee(owner) {
		return history.History{}, errNotFound
	}
	return history.Accepted(id, owner), nil
}

// contentOf begins the part that is a connector's result; its name follows.
const contentOf = "content/"

// parts are what can be asked of a message, besides its history and the results.
func parts() []string { return []string{"er7", "json", "content", "view", "value"} }

// target reads /messages/{id}, alone or with one of the parts or /content/{connector},
// behind the name of a stage if there is one. Ids are written in one way only.
func target(path string) (id uuid.UUID, part string, ok bool) {
	_, rest, ok := strings.Cut(path, "/messages/")
	name, part, below := strings.Cut(rest, "/")
	id, err := uuid.Parse(name)
	if !ok || err != nil || !strings.EqualFold(id.String(), name) || id.Version() != 7 && !hub.Derived(id) {
		return uuid.Nil, "", false
	}
	connector, isResult := strings.CutPrefix(part, contentOf)
	return id, part, !below || slices.Contains(parts(), part) || isResult && hub.ValidConnectorName(connector)
}

// withCharset is the media type with the charset that the sender declared, if one.
func withCharset(mediaType, charset string) string {
	if charset == "" {
		return mediaType
	}
	return mime.FormatMediaType(mediaType, map[string]string{"charset": charset})
}
