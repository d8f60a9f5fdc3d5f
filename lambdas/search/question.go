package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/internal/finder"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/problem"
)

const (
	// maxBody is the largest body in bytes. It leaves room for an identifier of any
	// standard length.
	maxBody = 8 << 10
	// defaultLimit is how many messages a page holds if the caller does not say.
	defaultLimit = 50
	// maxLimit is the most that a caller may ask for.
	maxLimit = 500
)

// question is what is searched for.
type question struct {
	kind      finder.Kind
	value     string   // normalized
	authority string   // normalized; "" means any
	owners    []string // the institutions; at least one
	limit     int
	below     uuid.UUID // only messages with earlier ids
}

// body is the body of POST /messages/search.
type body struct {
	Kind      string `json:"kind"`
	Value     string `json:"value"`
	Authority string `json:"authority"`
	Owner     string `json:"owner"`
	Limit     *int   `json:"limit"`
	Cursor    string `json:"cursor"`
}

// What is wrong with a request. The details never say what the request holds.
var (
	errNotFound = &problem.Problem{Status: http.StatusNotFound, Code: "not-found", Detail: "There is no such message, or it is not yours to read."}
	errTooLarge = &problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: "The body may have up to 8 KB."}
)

func badSearch(detail string) error {
	return &problem.Problem{Status: http.StatusBadRequest, Code: "bad-search", Detail: detail}
}

// question reads a request. An institution that the caller may not read is not found. The
// error is a *problem.Problem. The question's kind is one of h.kinds, or empty.
func (h handler) question(request events.APIGatewayV2HTTPRequest, by caller.Caller) (question, error) {
	var q question
	in, err := read(request)
	if err != nil {
		return q, err
	}
	if slices.Contains(h.kinds, finder.Kind(in.Kind)) {
		q.kind = finder.Kind(in.Kind)
	}
	q.value, q.authority = finder.Normalize(in.Value), finder.Normalize(in.Authority)
	q.owners, q.limit, q.below = by.Read, defaultLimit, uuid.Max
	if in.Limit != nil {
		q.limit = *in.Limit
	}
	if in.Owner != "" {
		q.owners = []string{in.Owner}
	}
	switch {
	case q.kind == "":
		return q, badSearch("kind is one of: " + h.kindNames() + ".")
	case q.value == "":
		return q, badSearch("value is the identifier to search for.")
	case q.limit < 1 || q.limit > maxLimit:
		return q, badSearch("limit is a number from 1 to " + strconv.Itoa(maxLimit) + ".")
	case in.Owner != "" && !hub.ValidOwner(in.Owner):
		return q, badSearch("owner is the name of an institution.")
	case len(by.Read) == 0, in.Owner != "" && !by.MayRead(in.Owner):
		return q, errNotFound
	}
	if in.Cursor != "" {
		if q.below, err = parseCursor(in.Cursor); err != nil {
			return q, badSearch("cursor is what a page before gave as its cursor.")
		}
	}
	return q, nil
}

func (h handler) kindNames() string {
	var names []string
	for _, kind := range h.kinds {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

// read reads the body of a request, which API Gateway passes in base64 if its media type
// is not text. An unknown member is refused, because a condition that is ignored would
// find other messages than those that were asked for.
func read(request events.APIGatewayV2HTTPRequest) (in body, err error) {
	text := request.Body
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return in, badSearch("The body is a JSON object.")
		}
		text = string(decoded)
	}
	if len(text) > maxBody {
		return in, errTooLarge
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil || decoder.More() {
		return in, badSearch("The body is a JSON object with kind and value, and perhaps authority, owner, limit and cursor.")
	}
	return in, nil
}

// cursorOf returns the text form of a place in the order of ids. It holds nothing else, so
// that any cursor shows its bearer no more than the search itself does.
func cursorOf(below uuid.UUID) string { return base64.RawURLEncoding.EncodeToString(below[:]) }

// parseCursor reads the text form.
func parseCursor(text string) (uuid.UUID, error) {
	content, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return uuid.Nil, err
	}
	return uuid.FromBytes(content)
}
