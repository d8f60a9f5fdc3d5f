// Package jsonbody reads the JSON bodies of requests that say what to do: small objects
// without content, read strictly.
package jsonbody

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"hl7lake/lambdas/internal/problem"
)

// maxBytes is the largest body. It has room for a hundred ids.
const maxBytes = 16 << 10

// Why a body is refused. The details never say what the body holds.
var (
	errTooLarge = &problem.Problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: "The body may have up to 16 KB."}
	errNotJSON  = &problem.Problem{Status: http.StatusBadRequest, Code: "bad-json", Detail: "The body is not a JSON object with the members of this request."}
)

// Read reads the body into the struct that into points to. An empty body changes nothing.
// A member that the struct does not have is refused, because a request that is
// understood in part could do more than was asked for. The error is a *problem.Problem.
func Read(request events.APIGatewayV2HTTPRequest, into any) error {
	body := []byte(request.Body)
	if len(body) > maxBytes {
		return errTooLarge
	}
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(request.Body)
		if err != nil {
			return errNotJSON
		}
		body = decoded
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if body[0] != '{' || decoder.Decode(into) != nil {
		return errNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errNotJSON
	}
	return nil
}
