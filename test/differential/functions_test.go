package differential_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hl7lake/local/wire"
)

// functions stand in for Lambda in the state machines of both, which call them over the
// Invoke operation or directly and get the same answers. A function's name contains its
// answer, so that a case says everything about itself:
//
//	echo               answers what it was given
//	third-<s>-<s>      fails with E until it is called for the third time, and then says whether its
//	                   caller waited so many seconds before the second call and before the third
//	fails-<Type>       fails with an errorType
//	dies               fails without one, as a process that exits does
//	throttled          is refused by the service with TooManyRequestsException
//	absent             is not there
type functions struct {
	server *httptest.Server

	mu    sync.Mutex
	calls map[string][]time.Time // of the functions that count, by side and name
}

func newFunctions(t *testing.T) *functions {
	f := &functions{calls: map[string][]time.Time{}}
	f.server = httptest.NewServer(http.HandlerFunc(f.serveInvoke))
	t.Cleanup(f.server.Close)
	return f
}

func (f *functions) port() string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(f.server.URL, "http://"))
	return port
}

// Invoke is how the local lake's state machines reach the functions.
func (f *functions) Invoke(_ context.Context, arn string, payload []byte) (output []byte, functionError string, err error) {
	output, failed, refused := f.invoke("local", arn, payload)
	if refused != nil {
		return nil, "", refused
	}
	if failed {
		functionError = "Unhandled"
	}
	return output, functionError, nil
}

// serveInvoke is how moto's state machines reach them: with botocore.
func (f *functions) serveInvoke(w http.ResponseWriter, r *http.Request) {
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
	output, failed, refused := f.invoke("moto", strings.TrimSuffix(path, "/invocations"), payload)
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
	_, _ = w.Write(output) // a client that has gone needs no answer
}

func (f *functions) invoke(side, arn string, payload []byte) (output []byte, failed bool, refused *wire.Error) {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	errorType, fails := strings.CutPrefix(name, "fails-")
	waits, counts := strings.CutPrefix(name, "third-")
	switch {
	case counts:
		output, failed := f.third(side+" "+name, waits)
		return output, failed, nil
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

// third is the function that succeeds when it is called for the third time.
func (f *functions) third(caller, waits string) (output []byte, failed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[caller] = append(f.calls[caller], time.Now())
	calls := f.calls[caller]
	if len(calls) < 3 {
		return []byte(`{"errorMessage":"m","errorType":"E"}`), true
	}
	waited := true
	for i, text := range strings.Split(waits, "-") {
		seconds, err := strconv.Atoi(text)
		waited = waited && err == nil && calls[i+1].Sub(calls[i]) >= time.Duration(seconds)*time.Second
	}
	return fmt.Appendf(nil, `{"calls":%d,"waited":%t}`, len(calls), waited), false
}
