package wire

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"
)

// QueryOperation answers one call of a Query-protocol service. The result is
// marshalled inside <OperationResult> and may be nil.
type QueryOperation func(ctx context.Context, form url.Values) (result any, err error)

type queryMetadata struct {
	RequestID string `xml:"RequestId"`
}

// Query serves the AWS Query protocol
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html): a form whose Action
// names the operation, and answers in XML.
func Query(namespace string, operations map[string]QueryOperation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := r.ParseForm(); err != nil {
			writeQueryError(w, Errorf("MalformedInput", "the request is not a form"))
			return
		}
		action := r.Form.Get("Action")
		operation, known := operations[action]
		if !known {
			writeQueryError(w, Unsupported(action))
			return
		}
		result, err := operation(r.Context(), r.Form)
		if err != nil {
			writeQueryError(w, err)
			return
		}
		writeXML(w, http.StatusOK, struct {
			XMLName  xml.Name
			Result   any
			Metadata queryMetadata `xml:"ResponseMetadata"`
		}{
			XMLName:  xml.Name{Space: namespace, Local: action + "Response"},
			Result:   named{action + "Result", result},
			Metadata: queryMetadata{uuid.NewString()},
		})
	})
}

// named marshals a value under an element name that is known only at run time.
type named struct {
	name  string
	value any
}

// MarshalXML writes the value as <name>.
func (n named) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{Name: xml.Name{Local: n.name}}
	if n.value == nil {
		n.value = struct{}{}
	}
	return e.EncodeElement(n.value, start)
}

func writeQueryError(w http.ResponseWriter, err error) {
	answer := AsError(err)
	fault := "Sender"
	if answer.Status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	type detail struct{ Type, Code, Message string }
	writeXML(w, answer.Status, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     detail
		RequestID string `xml:"RequestId"`
	}{Error: detail{fault, answer.Code, answer.Message}, RequestID: uuid.NewString()})
}

func writeXML(w http.ResponseWriter, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}
