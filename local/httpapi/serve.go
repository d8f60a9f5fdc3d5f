package httpapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/local/wire"
)

const (
	// maxPayload is the most bytes that API Gateway accepts
	// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html).
	maxPayload = 10 << 20
	// maxIntegration is how long API Gateway waits for a function.
	maxIntegration = 30 * time.Second
)

// Invoker runs a Lambda function for the caller in ctx and waits for its answer.
// functionError is "Unhandled" if the function itself failed. err is an *wire.Error of
// the Lambda service, or ctx's.
type Invoker interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) (output []byte, functionError string, err error)
}

// refuse answers in API Gateway's own name.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Apigw-Requestid", requestID())
	wire.WriteJSON(w, status, map[string]string{"message": http.StatusText(status)})
}

// serve answers one request to the API.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	s.requested(r)
	matched, variables, integration, authorizer := s.lookup(r.Method, r.URL.Path)
	if matched == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	var jwt *authorization
	if matched.AuthorizationType == "JWT" {
		var refused *refusal
		if jwt, refused = s.authorize(r.Header.Get("Authorization"), authorizer, matched.AuthorizationScopes); refused != nil {
			w.Header().Set("Www-Authenticate", refused.challenge)
			refuse(w, refused.status)
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		refuse(w, http.StatusBadRequest)
		return
	}
	event := newEvent(r, matched, variables, jwt, body)
	s.proxy(w, r, matched, integration, event)
}

// lookup finds the route of a request and what it leads to.
func (s *Service) lookup(method, path string) (*route, map[string]string, Integration, Authorizer) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.api
	if a == nil || !a.staged {
		return nil, nil, Integration{}, Authorizer{}
	}
	matched, variables := a.find(method, path)
	if matched == nil {
		return nil, nil, Integration{}, Authorizer{}
	}
	return matched, variables, a.integrations[matched.integration()], a.authorizers[matched.AuthorizerId]
}

// integration is the id of the route's target.
func (r *route) integration() string {
	return strings.TrimPrefix(r.Target, "integrations/")
}

// sourceARN names the request for the function's permission: API, stage, and the
// route's method and path.
func sourceARN(apiID string, matched *route, method string) string {
	path := "/$default"
	if matched.method != "" {
		path = ""
		for _, s := range matched.segments {
			switch {
			case s.greedy:
				path += "/{" + s.text + "+}"
			case s.variable:
				path += "/{" + s.text + "}"
			default:
				path += "/" + s.text
			}
		}
	}
	return wire.ARN("execute-api", apiID+"/$default/"+method+path)
}

// proxy invokes the function and answers what it says.
func (s *Service) proxy(w http.ResponseWriter, r *http.Request, matched *route, i Integration, event *request) {
	payload, err := json.Marshal(event)
	if err != nil {
		refuse(w, http.StatusInternalServerError)
		return
	}
	wait := maxIntegration
	if i.TimeoutInMillis > 0 {
		wait = time.Duration(i.TimeoutInMillis) * time.Millisecond
	}
	// A client that has sent everything may close its side of the connection and still
	// read the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Duration(float64(wait)*s.timeScale))
	defer cancel()
	ctx = wire.WithSource(ctx, "apigateway.amazonaws.com", sourceARN(event.RequestContext.APIID, matched, r.Method))
	output, functionError, err := s.invoker.Invoke(ctx, i.IntegrationUri, payload)
	if err != nil {
		refuse(w, statusOf(ctx, err))
		return
	}
	answer, ok := parseAnswer(output)
	if functionError != "" || !ok {
		refuse(w, http.StatusInternalServerError)
		return
	}
	answer.write(w, event.RequestContext.RequestID)
}

// statusOf returns what API Gateway answers if the function could not be invoked.
func statusOf(ctx context.Context, err error) int {
	var refused *wire.Error
	switch {
	case ctx.Err() != nil:
		return http.StatusServiceUnavailable
	case !errors.As(err, &refused):
		return http.StatusInternalServerError
	case refused.Code == "TooManyRequestsException":
		return http.StatusServiceUnavailable
	case refused.Status == http.StatusRequestEntityTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusInternalServerError
}

// answer is what a function wants to be answered.
type answer struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// parseAnswer reads a function's answer. An answer without statusCode is the body of a
// 200.
func parseAnswer(output []byte) (answer, bool) {
	var probe struct {
		StatusCode json.RawMessage `json:"statusCode"`
	}
	if err := json.Unmarshal(output, &probe); err != nil || probe.StatusCode == nil {
		return inferred(output)
	}
	var given events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(output, &given); err != nil || given.StatusCode < 100 || given.StatusCode > 599 {
		return answer{}, false
	}
	body := []byte(given.Body)
	if given.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(given.Body)
		if err != nil {
			return answer{}, false
		}
		body = decoded
	}
	return answer{given.StatusCode, given.Headers, given.Cookies, body}, true
}

func inferred(output []byte) (answer, bool) {
	if !json.Valid(output) {
		return answer{}, false
	}
	var text string
	if json.Unmarshal(output, &text) == nil && output[0] == '"' {
		output = []byte(text)
	}
	return answer{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: output}, true
}

func (a answer) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain;charset=UTF-8") // API Gateway's, if the function gives none
	for name, value := range a.headers {
		h.Set(name, value)
	}
	for _, own := range []string{"Connection", "Content-Length", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(own) // the connection's, not the function's
	}
	for _, cookie := range a.cookies {
		h.Add("Set-Cookie", cookie)
	}
	h.Set("Apigw-Requestid", requestID)
	if len(a.body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client has gone
}
