package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
	"hl7lake/internal/object"
	"hl7lake/lambdas/internal/history"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/lambdas/messages/internal/view"
)

// maxParsed is the length in bytes of the largest message that is parsed here. Ingest
// takes none that is larger.
const maxParsed = 6 << 20

var (
	errTooLarge = &problem.Problem{Status: http.StatusUnprocessableEntity, Code: "too-large", Detail: "This is too large for an answer. Ask for …/content, which is the message as it was sent."}
	errNoPlace  = &problem.Problem{Status: http.StatusNotFound, Code: "no-value", Detail: "The message has no such segment, or nothing at that path in it."}
)

// viewed is the body of GET /messages/{id}/view.
type viewed struct {
	ID uuid.UUID `json:"id"`
	view.View
}

// view answers with a page of the message, parsed.
func (h handler) view(ctx context.Context, found history.History, rawQuery string) (events.APIGatewayV2HTTPResponse, error) {
	from, err := viewQuery(rawQuery)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	body, err := h.er7(ctx, found)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	page := viewed{ID: found.ID}
	if message, err := parse(found, body); err != nil {
		page.View = view.OfText(body, err, from)
	} else {
		page.View = view.Of(body, message, from)
	}
	return problem.JSON(http.StatusOK, page), nil
}

// value answers with one value of the message, as text.
func (h handler) value(ctx context.Context, found history.History, rawQuery string) (events.APIGatewayV2HTTPResponse, error) {
	q, err := valueQueryOf(rawQuery)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	body, err := h.er7(ctx, found)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	text, ok := q.in(found, body)
	switch {
	case !ok:
		return events.APIGatewayV2HTTPResponse{}, errNoPlace
	case len(text) > maxInline:
		return events.APIGatewayV2HTTPResponse{}, errTooLarge
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode:      http.StatusOK,
		Headers:         map[string]string{"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"},
		Body:            base64.StdEncoding.EncodeToString(text),
		IsBase64Encoded: true,
	}, nil
}

// er7 returns the message as it was sent.
func (h handler) er7(ctx context.Context, found history.History) ([]byte, error) {
	entry, ok := found.Raw()
	switch {
	case !ok:
		return nil, errNotYet
	case entry.Kind() != hub.ER7:
		return nil, errNotER7
	case entry.Size > maxParsed:
		return nil, errTooLarge
	}
	body, err := entry.Read(ctx, h.lake.objects, h.lake.bucket)
	if object.IsGone(err) {
		return nil, errGone
	}
	return body, err
}

// parse reads the message as it was staged last: in the character set that an operator
// chose, or else in the one that the message or its sender declares.
func parse(found history.History, body []byte) (*hl7.Message, error) {
	var message hl7.Message
	declared, readIn := sent.Reading{Entries: found.Entries}.Charsets()
	return &message, message.ParseChosen(readIn, declared, body)
}

// viewQuery reads the parameter of …/view.
func viewQuery(raw string) (from int, err error) {
	values, err := url.ParseQuery(raw)
	if err != nil || len(values) > 1 || len(values) == 1 && len(values["from"]) != 1 {
		return 0, badQuery("The only parameter is from, at most once.")
	}
	if len(values) == 0 {
		return 0, nil
	}
	if from, err = readIndex(values.Get("from")); err != nil {
		return 0, badQuery("The parameter from is the index of a segment, from 0.")
	}
	return from, nil
}

func readIndex(text string) (int, error) {
	index, err := strconv.ParseUint(text, 10, 31)
	return int(index), err
}

// valueQuery says which value is asked for.
type valueQuery struct {
	segment int
	path    hl7.Path // zero for the whole segment
	decoded bool     // with its escapes decoded
}

// valueQueryOf reads the parameters of …/value.
func valueQueryOf(raw string) (q valueQuery, err error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, badQuery("The query is not one of a URL.")
	}
	for name, given := range values {
		switch {
		case len(given) != 1:
			err = errValue
		case name == "segment":
			q.segment, err = readIndex(given[0])
		case name == "path":
			q.path, err = hl7.ParsePath(given[0])
		case name == "form" && (given[0] == "raw" || given[0] == "text"):
			q.decoded = given[0] == "text"
		default:
			err = errValue
		}
		if err != nil {
			return q, badQuery("The parameters are segment, a segment's index from 0; path, such as OBX-5[1].2; and form, raw or text; each at most once.")
		}
	}
	if !values.Has("segment") {
		return q, badQuery("The parameter segment is required.")
	}
	return q, nil
}

// in returns the value in the message, or in the lines of a body that is none. It reports
// false if that does not reach that far.
func (q valueQuery) in(found history.History, body []byte) (text []byte, ok bool) {
	message, err := parse(found, body)
	if err != nil {
		if q.path != (hl7.Path{}) {
			return nil, false
		}
		return view.TextLine(body, q.segment)
	}
	text, ok = view.Value(message, q.segment, q.path)
	if ok && q.decoded {
		text = []byte(message.Unescape(text))
	}
	return text, ok
}
