package lambda

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// runtimePath is the path of each instance's Runtime API, followed by the instance's id.
// aws-lambda-go appends the rest of the path to the value of AWS_LAMBDA_RUNTIME_API.
const runtimePath = "/_lambda/"

// Unsigned returns the Runtime API if an unsigned request is for it, and nil otherwise.
func (s *Service) Unsigned(r *http.Request) http.Handler {
	if !strings.HasPrefix(r.URL.Path, runtimePath) {
		return nil
	}
	return s.runtime
}

// serveRuntime returns the Lambda Runtime API of every instance
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
func (s *Service) serveRuntime() http.Handler {
	mux := http.NewServeMux()
	const version = runtimePath + "{instance}/2018-06-01/runtime/"
	mux.HandleFunc("GET "+version+"invocation/next", s.ofInstance((*instance).serveNext))
	mux.HandleFunc("POST "+version+"invocation/{request}/response", s.ofInstance((*instance).serveResponse))
	mux.HandleFunc("POST "+version+"invocation/{request}/error", s.ofInstance((*instance).serveError))
	mux.HandleFunc("POST "+version+"init/error", s.ofInstance((*instance).serveInitError))
	return mux
}

func (s *Service) ofInstance(serve func(*instance, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		i, known := s.instances[r.PathValue("instance")]
		s.mu.RUnlock()
		if !known {
			http.Error(w, "no such instance", http.StatusForbidden)
			return
		}
		serve(i, w, r)
	}
}

// serveNext keeps the process waiting until there is an event for it.
func (i *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	i.setReady()
	var event *invocation
	select {
	case event = <-i.events:
	case <-i.exited:
		return
	case <-r.Context().Done():
		return
	}
	i.mu.Lock()
	i.inFlight[event.requestID] = event
	i.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(event.payload)))
	header.Set("Lambda-Runtime-Aws-Request-Id", event.requestID)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(event.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", i.function.arn)
	header.Set("Lambda-Runtime-Trace-Id", "Root="+event.traceID+";Sampled=0")
	_, _ = w.Write(event.payload) // the owner sees that a process has gone
}

func (i *instance) setReady() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.isReady {
		i.isReady = true
		close(i.ready)
	}
}

func (i *instance) serveResponse(w http.ResponseWriter, r *http.Request) {
	i.answer(w, r, "")
}

func (i *instance) serveError(w http.ResponseWriter, r *http.Request) {
	i.answer(w, r, "Unhandled")
}

// answer passes on what the process says about its event.
func (i *instance) answer(w http.ResponseWriter, r *http.Request, functionError string) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload+1))
	event := i.finish(r.PathValue("request"))
	switch {
	case event == nil:
		http.Error(w, "no such request", http.StatusBadRequest)
	case err != nil || len(payload) > MaxPayload:
		event.answer <- failure("Function.ResponseSizeTooLarge",
			"Response payload size exceeded maximum allowed payload size (6291556 bytes).")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	default:
		event.answer <- result{payload: payload, functionError: functionError}
		w.WriteHeader(http.StatusAccepted)
	}
}

// finish takes the named event, or nil if it is not under way.
func (i *instance) finish(requestID string) *invocation {
	i.mu.Lock()
	defer i.mu.Unlock()
	event := i.inFlight[requestID]
	delete(i.inFlight, requestID)
	return event
}

func (i *instance) serveInitError(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		i.mu.Lock()
		i.initError = &result{payload: payload, functionError: "Unhandled"}
		i.mu.Unlock()
	}
	w.WriteHeader(http.StatusAccepted)
}

// ServeHTTP answers the Invoke operation of Lambda's own API
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html), and those that only
// read.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.describes(w, r) {
		return
	}
	name, isInvoke := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/invocations")
	if !isInvoke || r.Method != http.MethodPost {
		refuse(w, wire.Unsupported("Lambda's "+r.Method+" "+r.URL.Path))
		return
	}
	if !strings.HasPrefix(name, "arn:") {
		name = ARN(name)
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxPayload+1))
	if err != nil {
		refuse(w, tooLarge(MaxPayload+1, MaxPayload))
		return
	}
	if r.Header.Get("X-Amz-Invocation-Type") == "Event" {
		if err := s.InvokeAsync(r.Context(), Event{FunctionARN: name, Payload: payload}); err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	answer, functionError, err := s.Invoke(r.Context(), name, payload)
	if err != nil {
		refuse(w, err)
		return
	}
	if functionError != "" {
		w.Header().Set("X-Amz-Function-Error", functionError)
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	_, _ = w.Write(answer) // the client has gone
}

func refuse(w http.ResponseWriter, err error) {
	answer := wire.AsError(err)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", answer.Code)
	wire.WriteJSON(w, answer.Status, map[string]string{"Message": answer.Message, "Type": "User"})
}
