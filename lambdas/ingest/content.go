package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/problem"
)

// maxBody is the largest body that can reach the function: Lambda passes 6 MB to a
// synchronous invocation (AWS Lambda quotas).
const maxBody = 6 << 20

// tooLarge says what fits into Lambda's 6 MB. API Gateway passes what is neither text nor
// JSON in base64, and the JSON form is base64 itself: four bytes for three. Text has its
// control characters escaped. Headers and claims count too.
const tooLarge = "The message is too large. Up to 4.5 MB fit, as text/plain in UTF-8 up to 5.5 MB."

// content is what a sender posted.
type content struct {
	kind    hub.Kind
	media   string // media type of the request, in small letters and without parameters
	body    []byte // byte for byte
	charset string // as declared; empty if nothing was
}

// tooMany is the answer to an institution that has posted more than it may. Its wait is
// rounded up to whole seconds (RFC 9110, 10.2.3).
func tooMany(wait time.Duration) *problem.Problem {
	return &problem.Problem{
		Status:     http.StatusTooManyRequests,
		Code:       "too-many",
		Detail:     "Your institution has posted more than its share of the lake. Send the same request again later.",
		RetryAfter: int(max(wait+time.Second-1, time.Second) / time.Second),
	}
}

// What can be wrong with a request, except for the places that badRequest names.
var (
	errNoPrivilege = &problem.Problem{Status: http.StatusForbidden, Code: "no-write-privilege", Detail: "Insufficient privileges to write"}
	errTooLarge    = &problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: tooLarge}
	errInFlight    = &problem.Problem{
		Status:     http.StatusServiceUnavailable,
		Code:       "in-flight",
		Detail:     "The same message is being accepted by another request. Send it again to learn the outcome.",
		RetryAfter: 2,
	}
	errAltered = &problem.Problem{
		Status: http.StatusBadRequest,
		Code:   "altered-text",
		Detail: "The body is not UTF-8 and did not arrive unchanged. Send it as application/hl7-v2, or as application/octet-stream if it is not ER7.",
	}
	errContentEncoding = &problem.Problem{
		Status: http.StatusUnsupportedMediaType,
		Code:   "unsupported-content-encoding",
		Detail: "Send the body as it is, without a Content-Encoding.",
		Header: map[string]string{"Accept-Encoding": "identity"},
	}
	errMediaType = &problem.Problem{
		Status: http.StatusUnsupportedMediaType,
		Code:   "unsupported-media-type",
		Detail: "Send application/json, application/hl7-v2 or text/plain.",
		Header: map[string]string{"Accept-Post": strings.Join(er7MediaTypes, ", ") + ", application/json"},
	}
	errHL7MediaType = &problem.Problem{
		Status: http.StatusUnsupportedMediaType,
		Code:   "unsupported-media-type",
		Detail: "Send application/hl7-v2.",
		Header: map[string]string{"Accept-Post": strings.Join(hl7MediaTypes, ", ")},
	}
	errNoMediaType = &problem.Problem{
		Status: http.StatusUnsupportedMediaType,
		Code:   "unsupported-media-type",
		Detail: "Send the body with a Content-Type, such as application/octet-stream.",
	}
	errKind = badRequest("bad-kind",
		"Protocol and format are up to 32 small letters, digits, dots and dashes each, and begin with a letter or digit.")
)

// hl7MediaTypes are those that HL7 over HTTP has had for ER7 (HL7 over HTTP, 2.4).
var hl7MediaTypes = []string{"application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7"}

// er7MediaTypes are those of ER7 as it is.
var er7MediaTypes = append(slices.Clip(hl7MediaTypes), "text/plain")

func badRequest(code, format string, args ...any) *problem.Problem {
	return &problem.Problem{Status: http.StatusBadRequest, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// decode extracts the message from a request. Its errors are *problem.Problem.
func decode(request events.APIGatewayV2HTTPRequest) (content, error) {
	kind, ok := kindOf(request.RawPath)
	switch {
	case !ok:
		return content{}, errKind
	case len(request.Body) > maxBody:
		return content{}, errTooLarge
	}
	if coding := header(request, "content-encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return content{}, errContentEncoding
	}
	media, params, err := mime.ParseMediaType(header(request, "content-type"))
	switch {
	case request.RouteKey == routeHL7 && (err != nil || !slices.Contains(hl7MediaTypes, media)):
		return content{}, errHL7MediaType
	case err != nil && kind == hub.ER7:
		return content{}, errMediaType
	case err != nil:
		return content{}, errNoMediaType
	}
	body, err := rawBody(request)
	if err != nil {
		return content{}, err
	}
	c := content{kind: kind, media: media, body: body, charset: strings.TrimSpace(params["charset"])}
	switch {
	case kind == hub.ER7 && media == "application/json":
		if c, err = decodeJSON(body); err != nil {
			return content{}, err
		}
	case kind == hub.ER7 && !slices.Contains(er7MediaTypes, media):
		return content{}, errMediaType
	case !request.IsBase64Encoded && bytes.ContainsRune(body, '\uFFFD'):
		// What comes as text was converted to UTF-8, whatever its type. Every byte that
		// was not UTF-8 has become U+FFFD.
		return content{}, errAltered
	}
	return c, c.check()
}

// size returns how many bytes were posted. It does not look at them.
func size(request events.APIGatewayV2HTTPRequest) int {
	if request.IsBase64Encoded {
		return base64.StdEncoding.DecodedLen(len(request.Body))
	}
	return len(request.Body)
}

// kindOf reads /er7, /hl7 and /messages/{protocol}/{format}, after the name of a stage if
// there is one.
func kindOf(path string) (hub.Kind, bool) {
	_, rest, ok := strings.Cut(path, "/messages/")
	if !ok {
		return hub.ER7, true
	}
	kind := hub.Kind(rest)
	return kind, kind.Valid()
}

// header returns the value of the header with the given lower-case name. HTTP APIs send
// names in lower case; other callers may not.
func header(request events.APIGatewayV2HTTPRequest, name string) string {
	if value, ok := request.Headers[name]; ok {
		return value
	}
	for other, value := range request.Headers {
		if strings.EqualFold(other, name) {
			return value
		}
	}
	return ""
}

// rawBody returns the body as the client sent it. API Gateway passes everything that is
// not text or JSON in base64.
func rawBody(request events.APIGatewayV2HTTPRequest) ([]byte, error) {
	if !request.IsBase64Encoded {
		return []byte(request.Body), nil
	}
	body, err := base64.StdEncoding.DecodeString(request.Body)
	if err != nil {
		return nil, badRequest("bad-body", "The body could not be read.")
	}
	return body, nil
}

// decodeJSON reads the original design's form of a request, {"msg":…,"encoding":…}. It
// ignores other members, except that one which another reader could take for one of these
// makes the request ambiguous: nobody knows which message was meant.
func decodeJSON(body []byte) (content, error) {
	var form struct {
		Msg      *string `json:"msg"`
		Encoding string  `json:"encoding"`
	}
	if err := json.Unmarshal(body, &form); err != nil {
		return content{}, jsonProblem(err)
	}
	if err := unambiguous(body); err != nil {
		return content{}, err
	}
	if form.Msg == nil {
		return content{}, badRequest("bad-json", `The JSON object has no string "msg".`)
	}
	decoded, err := base64.StdEncoding.DecodeString(*form.Msg)
	if err != nil {
		var at base64.CorruptInputError
		errors.As(err, &at)
		return content{}, badRequest("bad-base64", `"msg" is not base64 with padding: see character %d.`, int64(at)+1)
	}
	return content{kind: hub.ER7, body: decoded, charset: strings.TrimSpace(form.Encoding)}, nil
}

// unambiguous refuses an object, known to be JSON, that has a member twice, or a member
// that differs from ours only in case: encoding/json takes that for ours, and takes the
// last of two members.
func unambiguous(body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil { // the opening brace
		return jsonProblem(err)
	}
	seen := map[string]bool{}
	for decoder.More() {
		at := decoder.InputOffset()
		name, err := decoder.Token()
		if err != nil {
			return jsonProblem(err)
		}
		if err := decoder.Decode(new(json.RawMessage)); err != nil {
			return jsonProblem(err)
		}
		member, _ := name.(string)
		likeOurs := strings.EqualFold(member, "msg") || strings.EqualFold(member, "encoding")
		if seen[member] || likeOurs && member != "msg" && member != "encoding" {
			return badRequest("ambiguous-json", `The JSON object has a member twice, or "msg" or "encoding" in other letters: see byte %d.`, at)
		}
		seen[member] = true
	}
	return nil
}

// jsonProblem says where the JSON is wrong. encoding/json's own errors quote it.
func jsonProblem(err error) *problem.Problem {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return badRequest("bad-json", "The body is not JSON: see byte %d.", syntax.Offset)
	}
	return badRequest("bad-json", `The body must be a JSON object with the strings "msg" (base64) and, if need be, "encoding".`)
}

// check refuses what could not be kept or found again.
func (c content) check() error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return badRequest("empty-body", "The message is empty.")
	}
	switch {
	case c.charset == "" || knownCharset(c.charset):
		return nil
	case hub.ValidCharset(c.charset):
		return badRequest("unknown-charset", "The charset %q is not known. Use a name of the IANA registry, such as utf-8 or iso-8859-1.", c.charset)
	default:
		return badRequest("unknown-charset", "The charset is not a name of the IANA registry, such as utf-8 or iso-8859-1.")
	}
}

// knownCharset reports whether name is a charset of the WHATWG Encoding
// Standard or of the IANA registry.
func knownCharset(name string) bool {
	if !hub.ValidCharset(name) {
		return false
	}
	if _, err := htmlindex.Get(name); err == nil {
		return true
	}
	_, err := ianaindex.IANA.Encoding(name)
	return err == nil
}
