package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"hl7lake/client"
	"hl7lake/edge/config"
	"hl7lake/edge/queue"
	"hl7lake/internal/pause"
)

// Listener is one port on which engines send, with the queue behind it.
type Listener struct {
	config   config.Listener
	listener net.Listener
	queue    *queue.Queue
	sender   *sender
	metrics  listenerMetrics
	log      *slog.Logger

	mu            sync.Mutex
	conversations map[uint64]*conversation // by their numbers
}

// listen opens the port of a listener.
func (e *Edge) listen(ctx context.Context, c config.Listener, target *client.Client) (*Listener, error) {
	l := &Listener{
		config: c, queue: e.queue, metrics: e.metrics.of(c.Name), log: e.log.With("listener", c.Name),
		conversations: map[uint64]*conversation{},
	}
	l.sender = &sender{
		lane: c.Name, lanes: c.Lanes, charset: c.Charset, queue: e.queue, quarantine: e.quarantine, target: target,
		settled: l.settled, metrics: l.metrics, log: l.log,
	}
	var secured *tls.Config
	if c.TLS != nil {
		var err error
		if secured, err = newTLS(*c.TLS, l.log); err != nil {
			return nil, err
		}
	}
	port, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, err
	}
	l.listener = port
	if secured != nil {
		l.listener = tls.NewListener(port, secured)
	}
	return l, nil
}

// Name returns the name of the listener.
func (l *Listener) Name() string { return l.config.Name }

// Addr returns the address that engines connect to.
func (l *Listener) Addr() net.Addr { return l.listener.Addr() }

// run accepts connections until ctx ends, and then waits until everything under way has
// ended.
func (l *Listener) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { l.listener.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	// The queue stores the numbers, so they must differ from those of an earlier run.
	for number := rand.Uint64(); ; number++ {
		conn, err := l.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return
		case errors.Is(err, net.ErrClosed):
			l.log.ErrorContext(ctx, "the port was closed")
			return
		case err != nil: // for example because file descriptors ran out
			l.log.WarnContext(ctx, "connection not accepted", "error", err)
			if pause.For(ctx, time.Second) != nil {
				return
			}
			continue
		}
		c := &conversation{Listener: l, number: number, conn: conn, outcomes: make(chan outcome, outcomesHeld), original: make(chan struct{}, 1)}
		if !l.admit(ctx, c) {
			conn.Close()
			continue
		}
		running.Go(func() {
			defer l.leave(c)
			c.run(ctx)
		})
	}
}

// admit reports whether a connection may be used, and then counts it.
func (l *Listener) admit(ctx context.Context, c *conversation) bool {
	from, err := netip.ParseAddrPort(c.conn.RemoteAddr().String())
	if err != nil || !allows(l.config.Allow, from.Addr()) {
		l.metrics.refusedConnections.Inc()
		l.log.WarnContext(ctx, "connection refused: its address is not allowed", "from", c.conn.RemoteAddr().String())
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conversations) >= l.config.MaxConnections {
		l.metrics.refusedConnections.Inc()
		l.log.WarnContext(ctx, "connection refused: there are too many", "from", from.String())
		return false
	}
	l.conversations[c.number] = c
	l.metrics.connections.Inc()
	return true
}

func allows(prefixes []config.Prefix, address netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return len(prefixes) == 0
}

func (l *Listener) leave(c *conversation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conversations, c.number)
	l.metrics.connections.Dec()
}

// settled tells the conversation that a message came from, if it still goes on, what
// became of the message.
func (l *Listener) settled(m queue.Message, problem *client.Problem) {
	l.mu.Lock()
	c := l.conversations[m.Origin]
	l.mu.Unlock()
	if c == nil {
		return
	}
	select {
	case c.outcomes <- outcome{m, problem}:
	default:
		l.metrics.unsent.Inc()
	}
}
