package wire

import (
	"encoding/binary"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Refuse answers a request for a service before that service sees it, in the request's
// own protocol, so that every SDK can read the error: JSON, Query, CBOR, or the XML of
// Amazon S3.
func Refuse(w http.ResponseWriter, r *http.Request, service string, err error) {
	answer := AsError(err)
	switch {
	case strings.HasPrefix(r.Header.Get("Smithy-Protocol"), "rpc-v2-cbor"):
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		w.WriteHeader(answer.Status)
		_, _ = w.Write(cborTexts("__type", answer.Code, "message", answer.Message)) // the client has gone
	case service == "s3":
		writeS3Error(w, r, answer)
	case r.Header.Get("X-Amz-Target") == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		w.Header().Set("Content-Type", "text/xml")
		writeQueryError(w, answer)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		writeJSONError(w, answer)
	}
}

func writeS3Error(w http.ResponseWriter, r *http.Request, answer *Error) {
	w.Header().Set("Content-Type", "application/xml")
	writeXML(w, answer.Status, struct {
		XMLName                            xml.Name `xml:"Error"`
		Code, Message, Resource, RequestId string
	}{Code: answer.Code, Message: answer.Message, Resource: r.URL.Path, RequestId: uuid.NewString()})
}

// cborTexts writes a map of texts in CBOR (RFC 8949, 3.1): names and values in turn.
func cborTexts(texts ...string) []byte {
	const mapOf, text = 0xa0, 0x60
	out := []byte{mapOf | byte(len(texts)/2)}
	for _, t := range texts {
		switch n := len(t); {
		case n < 24:
			out = append(out, text|byte(n))
		case n < 1<<8:
			out = append(out, text|24, byte(n))
		default:
			out = binary.BigEndian.AppendUint16(append(out, text|25), uint16(n))
		}
		out = append(out, t...)
	}
	return out
}

// ActionOf names the operation that a request asks for, as its service's permissions do,
// if that is possible without knowing the service: by the target, the path of an RPC, or
// the form, which it reads.
func ActionOf(r *http.Request) string {
	if _, name, is := strings.Cut(r.Header.Get("X-Amz-Target"), "."); is {
		return name
	}
	if _, name, is := strings.Cut(r.URL.Path, "/operation/"); is {
		return name
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && r.ParseForm() == nil && r.Form.Get("Action") != "" {
		return r.Form.Get("Action")
	}
	path, err := url.PathUnescape(r.URL.Path)
	if err != nil {
		path = r.URL.Path
	}
	return r.Method + " " + path
}

// NotRun refuses a call of a service that is not run here, or of an operation that is not
// run. Its code is the same for all of them.
func NotRun(service, action string) *Error {
	return &Error{
		Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: service + ": " + action + " is not run by the local lake",
	}
}
