// Package problem writes the REST answers of the lake: JSON, and errors as problem
// details (RFC 9457). The detail is for the sender. It says what is wrong with the
// request, never what is in it and never what went wrong inside.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/function"
)

// Problem is an error as the sender sees it. It is an error itself, so that a handler's
// steps can return it.
type Problem struct {
	Status     int               // the HTTP status
	Code       string            // what is wrong, for a program and for the log: no-such-message
	Detail     string            // what is wrong, for a person
	RetryAfter int               // seconds after which to try again; 0 means no such header
	Header     map[string]string // further headers; may be nil
}

func (p *Problem) Error() string { return p.Code }

// Response returns p as an HTTP answer. The problem type is about:blank, so the title is
// the status's own phrase (RFC 9457, 4.2.1); code is an extension.
func (p *Problem) Response() events.APIGatewayV2HTTPResponse {
	response := JSON(p.Status, struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Detail, p.Code})
	response.Headers["Content-Type"] = "application/problem+json"
	for name, value := range p.Header {
		response.Headers[name] = value
	}
	if p.RetryAfter > 0 {
		response.Headers["Retry-After"] = strconv.Itoa(p.RetryAfter)
	}
	return response
}

// JSON returns an answer with body as JSON. Answers are about patients, so they must not
// stay in a cache.
func JSON(status int, body any) events.APIGatewayV2HTTPResponse {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are structs of this module
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       string(text),
	}
}

// Handler answers one request. Its error is a *Problem or an internal failure.
type Handler = function.Handler[events.APIGatewayV2HTTPRequest, events.APIGatewayV2HTTPResponse]

// Answer makes an answer of every error of handle. A *Problem becomes the answer that it
// describes. An internal failure is logged. A panic becomes a 500, because the same
// request would cause it again. Anything else becomes a 503, because the same request can
// be sent again.
func Answer(logger *slog.Logger, handle Handler) Handler {
	guarded := function.Edge(logger, refusing(logger, handle))
	return func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		response, err := guarded(ctx, request)
		if err == nil {
			return response, nil
		}
		problem := &Problem{
			Status:     http.StatusServiceUnavailable,
			Code:       "unavailable",
			Detail:     "The lake cannot answer now. Send the same request again.",
			RetryAfter: 2,
		}
		if panicked := (*function.PanicError)(nil); errors.As(err, &panicked) {
			problem = &Problem{Status: http.StatusInternalServerError, Code: "failed", Detail: "The lake failed on this request."}
		}
		return problem.Response(), nil
	}
}

// refusing answers a *Problem of handle: the handler did its work.
func refusing(logger *slog.Logger, handle Handler) Handler {
	return func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		response, err := handle(ctx, request)
		if problem := (*Problem)(nil); errors.As(err, &problem) {
			logger.InfoContext(ctx, "refused", "status", problem.Status, "code", problem.Code)
			return problem.Response(), nil
		}
		return response, err
	}
}
