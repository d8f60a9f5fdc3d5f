package differential_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hl7lake/local/wire"
)

// functions stand in for Lambda, for the state machines of both: they call it
// over the Invoke operation or directly, and get the same answers. What a
// function answers is written in its name, so that a case says all about itself:
//
//	echo               answers what it was given
//	fails-<Type>       fails with an errorType
//	dies               fails without one, as a process that exits does
//	throttled          is refused by the service with TooManyRequestsException
//	absent             is not there
type functions struct{ server *httptest.Server }

func newFunctions(t *testing.T) *functions {
	f := &functions{httptest.NewServer(http.HandlerFunc(serveInvoke))}
	t.Cleanup(f.server.Close)
	return f
}

func (f *functions) port() string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(f.server.URL, "http://"))
	return port
}

// Invoke is how the local lake's state machines reach the functions.
func (f *functions) Invoke(_ context.Context, arn string, payload []byte) (output []byte, functionError string, err error) {
	output, failed, refused := invoke(arn, payload)
	if refused != nil {
		return nil, "", refused
	}
	if failed {
		functionError = "Unhandled"
	}
	return output, functionError, nil
}

// serveInvoke is how moto's state machines reach them: with botocore.
func serveInvoke(w http.ResponseWriter, r *http.Request) {
	path, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/2015-03-31/functions/"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	payload, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	output, failed, refused := invoke(strings.TrimSuffix(path, "/invocations"), payload)
	w.Header().Set("Content-Type", "application/json")
	if refused != nil {
		w.Header().Set("X-Amzn-Errortype", refused.Code)
		wire.WriteJSON(w, refused.Status, map[string]string{"Type": "User", "Message": refused.Message})
		return
	}
	if failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	_, _ = w.Write(output) // a client that has gone does not want to know
}

func invoke(arn string, payload []byte) (output []byte, failed bool, refused *wire.Error) {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	errorType, fails := strings.CutPrefix(name, "fails-")
	switch {
	case fails:
		return []byte(`{"errorMessage":"m","errorType":"` + errorType + `"}`), true, nil
	case name == "dies":
		return []byte(`{"errorMessage":"RequestId: 1 Error: Runtime exited"}`), true, nil
	case name == "throttled":
		return nil, false, &wire.Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded."}
	case name == "absent":
		return nil, false, &wire.Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: "Function not found: " + arn}
	}
	return payload, false, nil
}
