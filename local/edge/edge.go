// Package edge lets a client that is answered before it has sent its whole request
// receive the answer.
package edge

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The limits of what is read of a request that was answered before its end: more than any
// part that an SDK sends in one request here, and no longer than a working client takes
// from one piece to the next.
const (
	maxLeftover  = 64 << 20
	leftoverWait = 5 * time.Second
)

// Handler returns a handler that calls next and then reads what next left of the
// request's body. A server that answers and closes with content unread resets the
// connection, and with it the answer on its way (RFC 9112, 9.6). A client that sends
// while it is refused would see a broken connection, and not the reason.
//
// A client that sent Expect: 100-continue and was not told to continue gets the whole
// answer first, and need not send the body (RFC 9110, 10.1.1). It may still send it if it
// did not want to wait that long, and then the body is read as well. AWS's SDKs send that
// header for each object over 2 MB.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(next, w, r) })
}

func answer(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	content := &content{ReadCloser: r.Body}
	inner := r.WithContext(r.Context()) // the server itself looks at its own request's body later
	inner.Body = content
	if r.Header.Get("Expect") == "" || r.ContentLength == 0 {
		handler.ServeHTTP(w, inner)
	} else {
		early := &early{ResponseWriter: w, content: content}
		handler.ServeHTTP(early, inner)
		early.send()
	}
	if r.ContentLength != 0 && !content.ended {
		discard(http.NewResponseController(w), r.Body)
	}
}

// discard reads a body to its end or to the limits.
func discard(connection *http.ResponseController, body io.Reader) {
	body = io.LimitReader(body, maxLeftover)
	for {
		if connection.SetReadDeadline(time.Now().Add(leftoverWait)) != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, body, 1<<20); err != nil {
			break
		}
	}
	_ = connection.SetReadDeadline(time.Time{}) // the connection may have gone
}

// content is a request's body that knows how far it was read.
type content struct {
	io.ReadCloser
	begun, ended bool
}

// Read reads from the body.
func (c *content) Read(p []byte) (int, error) {
	c.begun = true
	n, err := c.ReadCloser.Read(p)
	c.ended = c.ended || errors.Is(err, io.EOF)
	return n, err
}

// early keeps an answer that is given before the content was asked for, so that it can be
// sent complete, with its length, before the client decides what to do.
type early struct {
	http.ResponseWriter
	content *content
	status  int // 0: there is no such answer
	body    bytes.Buffer
}

// WriteHeader begins the answer.
func (e *early) WriteHeader(status int) {
	if e.content.begun || status < http.StatusOK {
		e.ResponseWriter.WriteHeader(status)
	} else if e.status == 0 {
		e.status = status
	}
}

// Write goes on with the answer.
func (e *early) Write(p []byte) (int, error) {
	if e.status != 0 {
		return e.body.Write(p)
	}
	if e.content.begun {
		return e.ResponseWriter.Write(p)
	}
	e.status = http.StatusOK
	return e.body.Write(p)
}

// Unwrap is for an http.ResponseController.
func (e *early) Unwrap() http.ResponseWriter { return e.ResponseWriter }

// send sends the answer that was kept, if any.
func (e *early) send() {
	if e.status == 0 {
		return
	}
	e.Header().Set("Content-Length", strconv.Itoa(e.body.Len()))
	e.ResponseWriter.WriteHeader(e.status)
	_, _ = e.ResponseWriter.Write(e.body.Bytes())            // the client has gone
	_ = http.NewResponseController(e.ResponseWriter).Flush() // the same
}
