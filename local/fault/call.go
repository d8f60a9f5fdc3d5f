package fault

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hl7lake/local/wire"
)

// maxBody is more than any request of a function: S3's single puts are bounded
// by what a function can hold.
const maxBody = 64 << 20

// Process is a function's process at work on an event.
type Process struct {
	Function string
	Run      string // the id of this run
	Payload  []byte // the event
	Kill     func() // ends the process and returns when it is gone
}

// Serve answers a call of a function to a service, unless the plan has something
// else in mind.
func (i *Injector) Serve(w http.ResponseWriter, r *http.Request, service string, by Process, next http.Handler) {
	i.calls.Add(1)
	defer i.calls.Done()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		abort() // the caller went away, or is none of ours
	}
	serve := func(w http.ResponseWriter) {
		// The call takes effect even if the caller is gone by then.
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, again)
	}
	f := i.At(Point{
		Function: by.Function, Call: service + ":" + operation(r, service, body),
		Run: by.Run, CallID: r.Header.Get("Amz-Sdk-Invocation-Id"), Attempt: attempt(r), Payload: by.Payload,
	})
	switch f.Kind {
	case Fail, Throttle:
		refuse(w, service, f.Kind)
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

// answer takes an answer that is not sent, or not yet.
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
	_, _ = w.Write(a.body.Bytes()) // a client that has gone does not want to know
}

// abort cuts the connection: the caller hears nothing.
func abort() { panic(http.ErrAbortHandler) }

// operation is the name of what a request asks for, in the protocol of its
// service. Of S3 only objects as a whole are told apart: PutObject, GetObject,
// HeadObject.
func operation(r *http.Request, service string, body []byte) string {
	switch service {
	case "s3":
		return r.Method[:1] + strings.ToLower(r.Method[1:]) + "Object"
	case "sns":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return ""
		}
		return form.Get("Action")
	}
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

// attempt is which of the SDK's attempts a request is, from a header such as
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

// words are how each service says that it failed, and that it is asked for too
// much (the "Common Errors" of each API reference; Amazon S3, Error responses).
func words(service string, kind Kind) (status int, code string) {
	if kind == Fail {
		code = map[string]string{"dynamodb": "InternalServerError", "states": "InternalServerError"}[service]
		if code == "" {
			code = "InternalError"
		}
		return http.StatusInternalServerError, code
	}
	switch service {
	case "dynamodb":
		return http.StatusBadRequest, "ProvisionedThroughputExceededException"
	case "s3":
		return http.StatusServiceUnavailable, "SlowDown"
	case "sns":
		return http.StatusBadRequest, "Throttling"
	default:
		return http.StatusBadRequest, "ThrottlingException"
	}
}

// refuse answers in the service's protocol.
func refuse(w http.ResponseWriter, service string, kind Kind) {
	status, code := words(service, kind)
	const message = "a fault of the test's plan"
	switch service {
	case "s3":
		writeXML(w, status, struct {
			XMLName xml.Name `xml:"Error"`
			Code    string
			Message string
		}{Code: code, Message: message})
	case "sns":
		type detail struct{ Type, Code, Message string }
		writeXML(w, status, struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   detail
		}{Error: detail{"Receiver", code, message}})
	default:
		w.Header().Set("X-Amzn-Errortype", code)
		wire.WriteJSON(w, status, map[string]string{"__type": code, "message": message})
	}
}

func writeXML(w http.ResponseWriter, status int, answer any) {
	text, err := xml.Marshal(answer)
	if err != nil {
		panic(err) // structs of strings
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that has gone does not want to know
}
