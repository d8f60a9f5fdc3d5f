package mllp

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"time"

	"hl7lake/hl7"
)

// Link is a connection on which messages are sent, each answered before the next. It is
// not safe for concurrent use.
type Link struct {
	conn   net.Conn
	frames *Reader
}

// answerLimit is the largest size of an answer.
const answerLimit = 1 << 20

// Dial connects to a receiver at host:port; with TLS unless secured is nil.
func Dial(ctx context.Context, address string, secured *tls.Config) (*Link, error) {
	var conn net.Conn
	var err error
	if secured == nil {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&tls.Dialer{Config: secured}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &Link{conn, NewReader(conn, answerLimit)}, nil
}

// Send sends a message, with or without a frame, and returns the first acknowledgment of
// it. It skips an answer to an earlier message, such as a late application
// acknowledgment. After an error, such as the end of ctx, the link cannot be used any
// more and the outcome of the message is unknown.
func (l *Link) Send(ctx context.Context, message []byte) (*hl7.Message, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.conn.SetDeadline(time.Now()) })
	defer stop()
	content := Content(message)
	if _, err := l.conn.Write(AppendFrame(nil, content)); err != nil {
		return nil, because(ctx, err)
	}
	header, _ := hl7.Peek(content)
	for {
		frame, err := l.frames.Next()
		if err != nil {
			return nil, because(ctx, err)
		}
		answer, err := hl7.Parse(frame)
		if err != nil {
			return nil, err
		}
		if of := answer.Get("MSA-2"); of == header.ControlID || of == "" {
			return answer, nil
		}
	}
}

// because returns why a call on a connection ended: because of ctx, or by itself.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Close closes the connection.
func (l *Link) Close() error { return l.conn.Close() }

// Content returns a message without its frame, if it has one.
func Content(message []byte) []byte {
	content, framed := bytes.CutPrefix(message, []byte{begin})
	if !framed {
		return message
	}
	if whole, ok := bytes.CutSuffix(bytes.TrimRight(content, "\r\n"), []byte{end}); ok {
		return whole
	}
	return content
}
