package lambda

import (
	"context"
	"net/http"
	"sync"
	"time"

	"hl7lake/local/wire"
)

// pool hands out a function's instances, the one used last first, so that under
// little load few are kept warm. A slot stands for one event being handled; an
// instance is started only by who holds a slot and finds none idle, so there
// are never more instances than slots.
type pool struct {
	slots    chan struct{}
	throttle bool // refuse an event that finds no slot, rather than let it wait

	mu   sync.Mutex
	idle []*instance // in the order of their release
}

func newPool(limit int, throttle bool) *pool {
	return &pool{slots: make(chan struct{}, limit), throttle: throttle}
}

// take waits for a slot and returns an idle instance, or nil where the holder of
// the slot is to start one. The slot is given back by release or drop.
func (p *pool) take(ctx, service context.Context) (*instance, error) {
	if p.throttle {
		select {
		case p.slots <- struct{}{}:
			return p.pop(), nil
		default:
			return nil, throttled()
		}
	}
	select {
	case p.slots <- struct{}{}:
		return p.pop(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-service.Done():
		return nil, service.Err()
	}
}

func (p *pool) pop() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if last.alive() {
			return last
		}
	}
	return nil
}

// release puts an instance back that is ready for its next event.
func (p *pool) release(i *instance) {
	p.mu.Lock()
	i.idleSince = time.Now()
	p.idle = append(p.idle, i)
	p.mu.Unlock()
	<-p.slots
}

// drop gives back the slot of an instance that is no more.
func (p *pool) drop() { <-p.slots }

// expire takes out the instances that were released before limit.
func (p *pool) expire(limit time.Time) []*instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.idle) && p.idle[n].idleSince.Before(limit) {
		n++
	}
	expired := p.idle[:n:n]
	p.idle = p.idle[n:]
	return expired
}

func throttled() error {
	return &wire.Error{Status: http.StatusTooManyRequests, Code: "TooManyRequestsException", Message: "Rate Exceeded."}
}
