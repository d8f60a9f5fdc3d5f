package httpapi

import (
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// request is the event of a request. Two of its parts differ from package events: there
// is no authentication without client certificates, and scopes are null if the route asks
// for none.
type request struct {
	events.APIGatewayV2HTTPRequest
	RequestContext requestContext `json:"requestContext"`
}

type requestContext struct {
	events.APIGatewayV2HTTPRequestContext
	Authentication *struct{}      `json:"authentication,omitempty"`
	Authorizer     *authorization `json:"authorizer,omitempty"`
}

// newEvent makes the event of a request, payload format 2.0
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
func newEvent(r *http.Request, matched *route, variables map[string]string, jwt *authorization, body []byte) *request {
	now := time.Now().UTC()
	apiID := matched.ApiId
	domain := apiID + ".execute-api." + wire.Region + ".amazonaws.com"
	event := &request{APIGatewayV2HTTPRequest: events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: matched.RouteKey, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Cookies: cookies(r.Header), Headers: headers(r), QueryStringParameters: query(r.URL.Query()),
		PathParameters: variables,
	}}
	event.RequestContext = requestContext{
		Authorizer: jwt,
		APIGatewayV2HTTPRequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: matched.RouteKey, AccountID: wire.Account, Stage: "$default", RequestID: requestID(), APIID: apiID,
			DomainName: domain, DomainPrefix: apiID, Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
			},
		},
	}
	event.Body, event.IsBase64Encoded = content(r.Header.Get("Content-Type"), body)
	return event
}

// requestID returns an id of the length of API Gateway's.
func requestID() string {
	id := uuid.New()
	return base64.StdEncoding.EncodeToString(id[:11])
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// headers returns the request's headers, with names in lower case and repeated ones
// joined by commas, and those that API Gateway adds. Cookies have a field of their own.
func headers(r *http.Request) map[string]string {
	all := map[string]string{
		"host": r.Host, "x-forwarded-for": sourceIP(r), "x-forwarded-port": "443", "x-forwarded-proto": "https",
		"x-amzn-trace-id": "Root=1-" + traceID(),
	}
	for name, values := range r.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if r.ContentLength >= 0 && (r.ContentLength > 0 || r.Header.Get("Content-Type") != "") {
		all["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	return all
}

// traceID is the time and 96 random bits, in hexadecimal.
func traceID() string {
	id := strings.ReplaceAll(uuid.NewString(), "-", "")
	return strconv.FormatInt(time.Now().Unix(), 16) + "-" + id[:24]
}

func cookies(h http.Header) []string {
	var all []string
	for _, line := range h.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			all = append(all, strings.TrimSpace(cookie))
		}
	}
	return all
}

func query(values url.Values) map[string]string {
	if len(values) == 0 {
		return nil
	}
	joined := make(map[string]string, len(values))
	for name, list := range values {
		joined[name] = strings.Join(list, ",")
	}
	return joined
}

// content returns the body in the event's form. AWS documents only that a binary body is
// base64. What counts as text was measured by others: these types, without a charset or,
// for plain text and JSON, with UTF-8 (ministack pull request 766; floci issue 2172 and
// pull request 2203). Everything else is base64, including text in a charset such as ISO
// 8859-1.
func content(contentType string, body []byte) (text string, encoded bool) {
	if len(body) == 0 {
		return "", false
	}
	if isText(contentType) {
		return strings.ToValidUTF8(string(body), "\uFFFD"), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

func isText(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "text/plain", "application/json":
		charset, given := parameters["charset"]
		return len(parameters) == 0 || given && len(parameters) == 1 && strings.EqualFold(charset, "utf-8")
	case "text/html", "text/csv", "text/xml", "application/xml", "application/javascript", "application/graphql":
		return len(parameters) == 0
	}
	return false
}
