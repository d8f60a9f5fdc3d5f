package wire

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxBody is more than any request that AWS would accept. S3, which accepts more, does
// not speak these protocols.
const maxBody = 16 << 20

// Operation answers one call of a JSON-protocol service. The output is marshalled as it
// is; nil means an empty answer.
type Operation func(ctx context.Context, input []byte) (output any, err error)

// Op makes an Operation of a function with a typed input. If a member's UnmarshalJSON
// refuses it with an *Error, that is the answer.
func Op[Input, Output any](call func(context.Context, *Input) (Output, error)) Operation {
	return func(ctx context.Context, body []byte) (any, error) {
		input := new(Input)
		if err := json.Unmarshal(body, input); err != nil {
			if refusal := new(Error); errors.As(err, &refusal) {
				return nil, refusal
			}
			return nil, Errorf("SerializationException", "the request is not the JSON that this operation takes")
		}
		return call(ctx, input)
	}
}

// JSON serves the AWS JSON protocol of the given version, 1.0 or 1.1
// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html): the
// operation's name is in X-Amz-Target, errors carry __type.
func JSON(version string, operations map[string]Operation) http.Handler {
	contentType := "application/x-amz-json-" + version
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		operation, known := operations[name]
		if !known {
			writeJSONError(w, Unsupported(r.Header.Get("X-Amz-Target")))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			writeJSONError(w, Errorf("RequestEntityTooLarge", "the request could not be read"))
			return
		}
		output, err := operation(r.Context(), body)
		if err != nil {
			writeJSONError(w, err)
			return
		}
		WriteJSON(w, http.StatusOK, output)
	})
}

// WriteJSON writes output with the status. A nil output is an empty object.
func WriteJSON(w http.ResponseWriter, status int, output any) {
	if output == nil {
		output = struct{}{}
	}
	body, err := json.Marshal(output)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

func writeJSONError(w http.ResponseWriter, err error) {
	answer := AsError(err)
	members := map[string]any{"__type": answer.Code, "message": answer.Message}
	for name, value := range answer.Members {
		members[name] = value
	}
	w.Header().Set("X-Amzn-Errortype", answer.Code)
	WriteJSON(w, answer.Status, members)
}

// AsError returns the *Error in err's chain, or an InternalFailure (500) if there is
// none.
func AsError(err error) *Error {
	var answer *Error
	if errors.As(err, &answer) {
		return answer
	}
	return &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
}
