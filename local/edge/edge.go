// Package edge serves HTTP to anybody, like the front of an API: a request that is wrong
// is the client's fault, and is answered as such. Go's HTTP server answers two kinds of
// wrong headers by itself, before it calls a handler, as if the fault were its own: an
// unknown transfer coding with 501, and an unsupported version of HTTP with 505. Here
// both are a 400.
package edge

import (
	"bytes"
	"context"
	"net"
	"net/http"
)

// Serve serves like server.Serve, and returns what that returns. The listener must be one
// of TCP. It uses the server's Handler, ConnContext and ConnState, of which the last two
// must be nil.
//
// A handler's answers are not touched: while a handler has the request, writes pass
// through the connection unchanged.
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

// key is the key of a request's connection in its context.
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

// conn is a connection that knows whether a handler has its request. It keeps all of
// TCP's own methods, because the server uses more of them than net.Conn has: it sends
// files with ReadFrom and ends its side with CloseWrite.
type conn struct {
	*net.TCPConn
	// handled is written only between requests, by the one goroutine in which the server
	// reads a request and calls the handler.
	handled bool
}

// refusal has the form of API Gateway's own answers.
const refusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n" +
	`{"message":"Bad Request"}`

// Write writes b. If the server itself says that it failed, Write says that the request
// is bad instead: the server writes such an answer at once, and then closes.
func (c *conn) Write(b []byte) (int, error) {
	if c.handled || !bytes.HasPrefix(b, []byte("HTTP/1.1 5")) {
		return c.TCPConn.Write(b)
	}
	if _, err := c.TCPConn.Write([]byte(refusal)); err != nil {
		return 0, err
	}
	return len(b), nil
}
