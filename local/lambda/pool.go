package lambda

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// pool hands out a function's instances, the last used one first, so that few are kept
// warm under little load. A slot stands for one event being handled. An instance is
// started only by a holder of a slot who finds no instance with room, so there are never
// more instances than slots.
type pool struct {
	slots    chan struct{}
	throttle bool // refuse an event that finds no slot, and do not let it wait
	events   int  // that an instance takes at once

	starting sync.Mutex // held while an instance is started, so that those who wait may share it

	mu   sync.Mutex
	open []*instance // with room for another event, in the order of their release

	streams []string // names of the log streams of processes that have ended
}

func newPool(limit, events int, throttle bool) *pool {
	return &pool{slots: make(chan struct{}, limit), events: max(events, 1), throttle: throttle}
}

// take waits for a slot and returns an instance with room for an event. If there is none,
// start makes one. The caller gives it back with release.
func (p *pool) take(ctx, service context.Context, start func() (*instance, error)) (*instance, error) {
	if err := p.slot(ctx, service); err != nil {
		return nil, err
	}
	if i := p.last(); i != nil {
		return i, nil
	}
	i, err := p.started(start)
	if err != nil {
		<-p.slots
	}
	return i, err
}

func (p *pool) slot(ctx, service context.Context) error {
	if p.throttle {
		select {
		case p.slots <- struct{}{}:
			return nil
		default:
			return throttled()
		}
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-service.Done():
		return service.Err()
	}
}

// started starts an instance, unless another one that was started meanwhile has room.
func (p *pool) started(start func() (*instance, error)) (*instance, error) {
	p.starting.Lock()
	defer p.starting.Unlock()
	if i := p.last(); i != nil {
		return i, nil
	}
	i, err := start()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i.atWork = 1
	if i.atWork < p.events {
		p.open = append(p.open, i)
	}
	return i, nil
}

// last takes the open instance that was released last, or nil.
func (p *pool) last() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.open) > 0 {
		last := p.open[len(p.open)-1]
		if last.alive() {
			if last.atWork++; last.atWork == p.events {
				p.open = p.open[:len(p.open)-1]
			}
			return last
		}
		p.open = p.open[:len(p.open)-1]
	}
	return nil
}

// release gives an instance back. An instance that must get no more events is killed when
// it has finished those that it has.
func (p *pool) release(i *instance, another bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i.idleSince = time.Now()
	i.atWork--
	i.retired = i.retired || !another
	at := slices.Index(p.open, i)
	switch {
	case i.retired && at >= 0:
		p.open = slices.Delete(p.open, at, at+1)
	case !i.retired && at < 0:
		p.open = append(p.open, i)
	}
	if i.retired && i.atWork == 0 {
		i.kill()
	}
	<-p.slots
}

// stream names the log stream of a process that is about to start: the stream of the last
// one that ended, as when Lambda starts a function again in the execution environment in
// which it died, or a new one. No two processes have it at once.
func (p *pool) stream() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.streams); n > 0 {
		last := p.streams[n-1]
		p.streams = p.streams[:n-1]
		return last
	}
	return uuid.NewString()
}

// ended leaves the log stream of an ended process to the next.
func (p *pool) ended(stream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams = append(p.streams, stream)
}

// expire removes the instances that have not been used since limit.
func (p *pool) expire(limit time.Time) (expired []*instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = slices.DeleteFunc(p.open, func(i *instance) bool {
		old := i.atWork == 0 && i.idleSince.Before(limit)
		if old {
			expired = append(expired, i)
		}
		return old
	})
	return expired
}

func throttled() error {
	return &wire.Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded."}
}
