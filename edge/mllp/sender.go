package mllp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"hl7lake/hl7"
	"hl7lake/internal/pause"
)

// A Sender sends messages to one receiver, each until it is acknowledged, on a new
// connection if one breaks. It is safe for concurrent use. It keeps as many connections
// as are used at once.
type Sender struct {
	address  string
	secured  *tls.Config
	patience time.Duration
	idle     chan *Link
	pause    time.Duration // before the second attempt; it doubles
}

// NewSender returns a Sender to host:port, with TLS unless secured is nil. patience is
// the time for each acknowledgment, and connections is how many unused ones are kept at
// most.
func NewSender(address string, secured *tls.Config, patience time.Duration, connections int) *Sender {
	return &Sender{address, secured, patience, make(chan *Link, connections), firstPause}
}

const (
	attempts   = 6
	firstPause = 250 * time.Millisecond
)

// ErrNoAck says that no acknowledgment came in time.
var ErrNoAck = errors.New("no acknowledgment in time")

// Send sends a message and returns its acknowledgment, whatever that says, and the number
// of attempts. After an error the outcome of the message is unknown.
func (s *Sender) Send(ctx context.Context, message []byte) (answer *hl7.Message, attempt int, err error) {
	wait := s.pause
	for attempt = 1; ; attempt++ {
		if answer, err = s.once(ctx, message); err == nil {
			return answer, attempt, nil
		}
		if ctx.Err() != nil {
			return nil, attempt, context.Cause(ctx)
		}
		if attempt == attempts {
			return nil, attempt, fmt.Errorf("after %d attempts: %w", attempt, err)
		}
		if err := pause.For(ctx, wait); err != nil {
			return nil, attempt, err
		}
		wait *= 2
	}
}

// once makes one attempt, on an idle connection if there is one.
func (s *Sender) once(ctx context.Context, message []byte) (answer *hl7.Message, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, ErrNoAck)
	defer cancel()
	var link *Link
	select {
	case link = <-s.idle:
	default:
		if link, err = Dial(ctx, s.address, s.secured); err != nil {
			return nil, err
		}
	}
	if answer, err = link.Send(ctx, message); err != nil {
		return nil, errors.Join(err, link.Close())
	}
	select {
	case s.idle <- link:
		return answer, nil
	default:
		return answer, link.Close()
	}
}

// Close closes the connections. No call of Send may be under way.
func (s *Sender) Close() {
	for len(s.idle) > 0 {
		(<-s.idle).Close()
	}
}
