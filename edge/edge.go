// Package edge takes messages from interface engines over MLLP and brings them to a lake.
// An engine is answered when its message is safe in a queue on disk, or when the lake has
// it. If the lake is unreachable, the edge waits for it. Nothing that was acknowledged is
// lost. Because the lake finds duplicates, sending a message again is harmless.
//
// A [Listener] answers engines and puts messages into the [queue.Queue]. A sender for
// each listener takes them out in their order and posts them. What the lake refuses for
// good goes to the [quarantine.Folder]. The package uses only hl7 and client.
package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hl7lake/client"
	"hl7lake/edge/config"
	"hl7lake/edge/quarantine"
	"hl7lake/edge/queue"
)

// Names in the data folder.
const (
	queueFile        = "queue.db"
	quarantineFolder = "quarantine"
)

// Edge is an open edge: it holds its ports and its queue.
type Edge struct {
	queue      *queue.Queue
	quarantine quarantine.Folder
	listeners  []*Listener
	status     net.Listener // nil if there is none
	metrics    *metrics
	log        *slog.Logger
}

// Options say what an edge does not read from its configuration.
type Options struct {
	// Target returns the lake with the credentials of a listener. It is called once for
	// each listener.
	Target func(config.Listener) (*client.Client, error)
	Log    *slog.Logger // no message's content is written to it
}

// Open opens the queue and the ports of a configuration from [config.Read]. It does not
// call the lake.
func Open(ctx context.Context, c config.Config, o Options) (_ *Edge, err error) {
	key, err := queue.ReadKey(c.KeyFile)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	e := &Edge{log: o.Log}
	if e.quarantine, err = OpenQuarantine(c, key); err != nil {
		return nil, err
	}
	limits := queue.Limits{Messages: c.Queue.MaxMessages, Bytes: int64(c.Queue.MaxBytes)}
	if e.queue, err = queue.Open(filepath.Join(c.Data, queueFile), key, limits); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	e.metrics = newMetrics(e.queue, e.quarantine)
	for _, l := range c.Listeners {
		target, err := o.Target(l)
		if err != nil {
			return nil, fmt.Errorf("listener %s: %w", l.Name, err)
		}
		listener, err := e.listen(ctx, l, target)
		if err != nil {
			return nil, fmt.Errorf("listener %s: %w", l.Name, err)
		}
		e.listeners = append(e.listeners, listener)
	}
	if c.Status != "" {
		if e.status, err = new(net.ListenConfig).Listen(ctx, "tcp", c.Status); err != nil {
			return nil, fmt.Errorf("status: %w", err)
		}
	}
	return e, e.orphans()
}

// OpenQuarantine opens the quarantine of a configuration, which a running edge may use as
// well.
func OpenQuarantine(c config.Config, key queue.Key) (quarantine.Folder, error) {
	return quarantine.Open(filepath.Join(c.Data, quarantineFolder), key)
}

// orphans returns an error if the queue holds messages of a listener that the
// configuration no longer has.
func (e *Edge) orphans() error {
	known := map[string]bool{}
	for _, l := range e.listeners {
		known[l.config.Name] = true
	}
	for _, name := range e.queue.Lanes() {
		if n := e.queue.LaneUsage(name).Messages; n > 0 && !known[name] {
			return fmt.Errorf("the queue holds %d messages of the listener %s, which the configuration does not have: "+
				"put it back until they are delivered", n, name)
		}
	}
	return nil
}

// Listeners returns the listeners, in the order of the configuration.
func (e *Edge) Listeners() []*Listener { return e.listeners }

// StatusAddr returns the address of /healthz and /metrics; nil if there is none.
func (e *Edge) StatusAddr() net.Addr {
	if e.status == nil {
		return nil
	}
	return e.status.Addr()
}

// Run listens and delivers until ctx ends, and then closes the edge. Messages that are
// being received are first put into the queue and acknowledged. What is queued is
// delivered by the next run.
func (e *Edge) Run(ctx context.Context) error {
	delivering, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var receiving, rest sync.WaitGroup
	for _, l := range e.listeners {
		receiving.Go(func() { l.run(ctx) })
		rest.Go(func() { l.sender.run(delivering) })
	}
	if e.status != nil {
		rest.Go(func() { e.serveStatus(delivering) })
	}
	rest.Go(func() { e.watchQuarantine(delivering) })
	receiving.Wait()
	stop()
	rest.Wait()
	return e.close()
}

// watchQuarantine watches how much room the quarantine takes, because others may empty
// it.
func (e *Edge) watchQuarantine(ctx context.Context) {
	const interval = 10 * time.Second
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		e.countQuarantine(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (e *Edge) countQuarantine(ctx context.Context) {
	usage, err := e.quarantine.Usage()
	if err != nil {
		e.log.ErrorContext(ctx, "the quarantine cannot be read", "error", err)
		return
	}
	e.queue.KeepRoom(usage)
}

// close releases what Open acquired.
func (e *Edge) close() error {
	var errs []error
	for _, l := range e.listeners {
		if err := l.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if e.status != nil {
		if err := e.status.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, e.queue.Close())...)
}
