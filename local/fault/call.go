package fault

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// maxBody is more than any request of a function: S3's single puts are limited by what a
// function can hold.
const maxBody = 64 << 20

// Process is a function's process that is working on an event.
type Process struct {
	Function string
	Run      string // the id of this run
	Payload  []byte // the event
	Kill     func() // ends the process and returns when it is gone
}

// Serve answers a function's call to a service, unless the plan has a fault for it.
func (i *Injector) Serve(w http.ResponseWriter, r *http.Request, service wire.Dialect, by Process, next http.Handler) {
	i.calls.Add(1)
	defer i.calls.Done()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		abort() // the caller has gone, or is not ours
	}
	serve := func(w http.ResponseWriter) {
		// The call takes effect even if the caller is gone by then.
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, again)
	}
	f := i.At(Point{
		Function: by.Function, Call: service.Service + ":" + operation(r, service, body),
		Run: by.Run, CallID: r.Header.Get("Amz-Sdk-Invocation-Id"), Attempt: attempt(r), Payload: by.Payload,
	})
	switch f.Kind {
	case Fail:
		wire.Refuse(w, r, service.Service, service.Failed.Error(words))
	case Throttle:
		wire.Refuse(w, r, service.Service, service.Throttled.Error(words))
	case Lose:
		serve(&answer{})
		abort()
	case Late:
		i.Wait(f.Delay)
		serve(w)
	case Stall:
		held := &answer{}
		serve(held)
		i.Wait(f.Delay)
		held.copyTo(w)
	case Repeat:
		serve(&answer{})
		serve(w)
	case KillBefore:
		by.Kill()
		abort()
	case KillAfter:
		serve(&answer{})
		by.Kill()
		abort()
	default:
		serve(w)
	}
}

// answer keeps an answer that is not sent, or not yet.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's header.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader keeps the first status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps a part of the body.
func (a *answer) Write(part []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(part)
}

func (a *answer) copyTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	a.WriteHeader(http.StatusOK)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // the client has gone
}

// abort cuts the connection: the caller gets no answer.
func abort() { panic(http.ErrAbortHandler) }

// words are the text of a fault's error.
const words = "a fault of the test's plan"

// operation returns the name of the operation that a request with that body asks for.
func operation(r *http.Request, service wire.Dialect, body []byte) string {
	read := r.Clone(r.Context())
	read.Body = io.NopCloser(bytes.NewReader(body))
	return service.Operation(read)
}

// attempt returns which of the SDK's attempts a request is, from a header such as
// "amz-sdk-request: attempt=2; max=3".
func attempt(r *http.Request) int {
	_, rest, _ := strings.Cut(r.Header.Get("Amz-Sdk-Request"), "attempt=")
	number, _, _ := strings.Cut(rest, ";")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 1
	}
	return n
}
