package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/caller"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/jsonbody"
	"hl7lake/lambdas/internal/operating"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/operate"
)

// mostLetters is how many letters of each queue one request looks at. The queues hold the
// letters of all institutions.
const mostLetters = 200

// letters is the body of the answers about dead letters.
type letters struct {
	Letters []operate.DeadLetter `json:"letters"` // the oldest first
	More    bool                 `json:"more"`    // there may be others
}

// deadLetters answers GET /dead-letters: what lies in the dead-letter queues of the
// institution's messages.
func (h handler) deadLetters(ctx context.Context, _ events.APIGatewayV2HTTPRequest, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	found, err := h.letters(ctx, operate.RedriveOptions{Owner: by.Operate, DryRun: true})
	h.record(ctx, "dead-letters", err, by, "listed", len(found.Letters))
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// redrive answers POST /dead-letters/redrive: it publishes again what lies in the
// dead-letter queues of the institution's messages.
func (h handler) redrive(ctx context.Context, request events.APIGatewayV2HTTPRequest, by caller.Caller) (events.APIGatewayV2HTTPResponse, error) {
	found := letters{}
	err := jsonbody.Read(request, &struct{}{})
	if err == nil {
		found, err = h.letters(ctx, operate.RedriveOptions{Owner: by.Operate})
	}
	redriven := 0
	for _, letter := range found.Letters {
		operating.Record(ctx, h.logger, "redrive", string(letter.Outcome), by, "id", letter.Root, "event", letter.ID)
		if letter.Outcome == operate.Redriven {
			redriven++
		}
		if letter.Outcome == operate.NotSent || letter.Outcome == operate.Doubled {
			h.logger.ErrorContext(ctx, "failed", "error", function.Describe(letter.Err))
		}
	}
	h.record(ctx, "redrive-some", err, by, "redriven", redriven, "left", len(found.Letters)-redriven)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return problem.JSON(http.StatusOK, found), nil
}

// letters redrives letters within a request's bounds, or only looks at them. Letters come
// with an error, if some queue could not be read to its end.
func (h handler) letters(ctx context.Context, options operate.RedriveOptions) (letters, error) {
	found := letters{Letters: []operate.DeadLetter{}}
	var err error
	found.More, err = h.operator.RedriveSome(ctx, options, h.bounds(mostLetters), func(letter operate.DeadLetter) {
		found.Letters = append(found.Letters, letter)
	})
	slices.SortFunc(found.Letters, func(a, b operate.DeadLetter) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.ID, b.ID))
	})
	return found, err
}
