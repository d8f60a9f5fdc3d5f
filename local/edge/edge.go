// Package edge serves HTTP to anybody, as the front of an API does: a request
// that is wrong is the client's fault, and is answered so. Go's HTTP server
// answers two kinds of wrong heads by itself, before any handler is asked, as if
// the fault were its own: a transfer coding that it does not know with 501, a
// version of HTTP that it does not speak with 505. Here both are a 400.
package edge

import (
	"bytes"
	"context"
	"net"
	"net/http"
)

// Serve serves as server.Serve does, and returns what that returns. The listener
// is one of TCP. It takes the server's Handler, ConnContext and ConnState for
// itself, the latter two of which must be nil.
//
// What a handler answers is not touched, whatever it is: while a handler has the
// request, the connection is only passed on to.
func Serve(server *http.Server, listener net.Listener) error {
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Value(key{}).(*conn).handled = true
		answer(handler, w, r)
	})
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, key{}, c)
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateIdle { // the answer is written; another request may come
			c.(*conn).handled = false
		}
	}
	return server.Serve(edge{listener})
}

// key is of a request's connection in its context.
type key struct{}

type edge struct{ net.Listener }

// Accept waits for the next connection.
func (e edge) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: c.(*net.TCPConn)}, nil
}

// conn is a connection that knows whether a handler has its request. All of TCP's
// own methods remain, since the server uses more of them than net.Conn has: it
// sends files by ReadFrom and ends its side by CloseWrite.
type conn struct {
	*net.TCPConn
	// handled is written between requests only, by the one goroutine in which the
	// server reads a request and calls the handler.
	handled bool
}

// refusal has the form of the answers that API Gateway gives by itself.
const refusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n" +
	`{"message":"Bad Request"}`

// Write writes b or, where the server itself says that it failed, that the
// request is bad: the server writes such an answer at once, and then closes.
func (c *conn) Write(b []byte) (int, error) {
	if c.handled || !bytes.HasPrefix(b, []byte("HTTP/1.1 5")) {
		return c.TCPConn.Write(b)
	}
	if _, err := c.TCPConn.Write([]byte(refusal)); err != nil {
		return 0, err
	}
	return len(b), nil
}
