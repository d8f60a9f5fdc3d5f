package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/hl7"
	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/jsonbody"
	"hl7lake/lambdas/internal/operating"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/operate"
)

// mostReplayed is how many messages one request replays.
const mostReplayed = 100

// replayed is what became of one message.
type replayed struct {
	ID    string `json:"id"`
	Done  bool   `json:"done"`
	Error string `json:"error,omitempty"` // the code of why not
}

// replayOne answers POST /messages/{id}/replay.
func (h handler) replayOne(ctx context.Context, request events.APIGatewayV2HTTPRequest, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	var body struct {
		Charset string `json:"charset"`
	}
	selection := operate.Selection{Owner: by.Operate}
	id, err := operating.MessageID(request.PathParameters["id"])
	if err == nil {
		selection.IDs = []string{id}
		err = jsonbody.Read(request, &body)
	}
	if err == nil {
		selection.Charset, err = charset(body.Charset)
	}
	if err == nil {
		err = h.replayed(ctx, selection)
	}
	h.record(ctx, "replay", err, by, "id", id, "read_in", selection.Charset)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, replayed{ID: id, Done: true}), nil
}

// replayed replays the only message of a selection. Its error is a *problem.Problem or a
// failure of the lake.
func (h handler) replayed(ctx context.Context, selection operate.Selection) error {
	var outcome error
	_, _, err := h.operator.ReplaySome(ctx, selection, h.bounds(1), func(r operate.Replayed) { outcome = refusal(r.Err) })
	return cmp.Or(err, outcome)
}

// several is the body of POST /messages/replay: the ids of messages, or a choice among
// the institution's messages with errors.
type several struct {
	IDs     []string  `json:"ids"`
	Errors  bool      `json:"errors"`
	Type    string    `json:"type"`
	Code    string    `json:"code"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	After   string    `json:"after"` // the next of the answer before
	Charset string    `json:"charset"`
}

// replaySome answers POST /messages/replay. It ends after mostReplayed messages or the
// budget, and then says how to go on.
func (h handler) replaySome(ctx context.Context, request events.APIGatewayV2HTTPRequest, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	var body several
	var answer struct {
		Replayed int        `json:"replayed"`
		Failed   int        `json:"failed"`
		More     bool       `json:"more"`           // there are messages that are not among the results
		Next     string     `json:"next,omitempty"` // of errors: where the next request goes on
		Results  []replayed `json:"results"`        // by id, which is the order of acceptance
	}
	answer.Results = []replayed{}
	selection := operate.Selection{Owner: by.Operate}
	err := jsonbody.Read(request, &body)
	if err == nil {
		selection, err = body.selection(by.Operate)
	}
	if err == nil {
		answer.Next, answer.More, err = h.operator.ReplaySome(ctx, selection, h.bounds(mostReplayed), func(r operate.Replayed) {
			h.record(ctx, "replay", refusal(r.Err), by, "id", r.ID, "read_in", selection.Charset)
			answer.Results = append(answer.Results, replayed{ID: r.ID, Done: r.Done, Error: h.codeOf(ctx, r.Err)})
		})
	}
	for _, result := range answer.Results {
		if result.Done {
			answer.Replayed++
		} else {
			answer.Failed++
		}
	}
	h.record(ctx, "replay-some", err, by, "replayed", answer.Replayed, "failed", answer.Failed)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	if selection.IDs != nil {
		answer.Next = ""
	}
	slices.SortFunc(answer.Results, func(a, b replayed) int { return cmp.Compare(a.ID, b.ID) })
	return problem.JSON(http.StatusOK, answer), nil
}

// errSelection says what a request to replay several messages must be.
var errSelection = badReplay(`Give either "ids", up to 100, or "errors": true with "type", "code", "from", "to" and "after" as you like.`)

func badReplay(detail string) *problem.Problem {
	return &problem.Problem{Status: http.StatusBadRequest, Code: "bad-replay", Detail: detail}
}

// selection returns what the body selects of the owner's messages. A choice without ids
// must say that it is among the errors, so that no mistake replays everything.
func (s several) selection(owner string) (operate.Selection, error) {
	chosen := operate.Selection{Owner: owner, Errors: s.Errors, Type: s.Type, Code: s.Code, From: s.From, To: s.To, After: s.After}
	var err error
	if chosen.Charset, err = charset(s.Charset); err != nil {
		return chosen, err
	}
	if s.After != "" {
		if chosen.After, err = operating.MessageID(s.After); err != nil {
			return chosen, badReplay(`"after" is the "next" of an answer.`)
		}
	}
	if s.IDs == nil {
		if !s.Errors || !s.To.IsZero() && !s.From.Before(s.To) {
			return chosen, errSelection
		}
		return chosen, nil
	}
	if len(s.IDs) == 0 || len(s.IDs) > mostReplayed || s.Errors || s.Type != "" || s.Code != "" || s.After != "" || !s.From.IsZero() || !s.To.IsZero() {
		return chosen, errSelection
	}
	for _, given := range s.IDs {
		id, err := operating.MessageID(given)
		if err != nil {
			return chosen, badReplay(`"ids" are ids of messages.`)
		}
		chosen.IDs = append(chosen.IDs, id)
	}
	slices.Sort(chosen.IDs)
	chosen.IDs = slices.Compact(chosen.IDs)
	return chosen, nil
}

// charset returns the IANA name of a character set, or "" for "".
func charset(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	name, known := hl7.LookupCharset(given)
	if !known {
		return "", &problem.Problem{Status: http.StatusBadRequest, Code: "bad-charset",
			Detail: "That is not a known character set. Give a name such as iso-8859-2, windows-1250 or utf-8."}
	}
	return name, nil
}
