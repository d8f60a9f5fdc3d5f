package lambda

import "sync"

// queue is an unbounded queue of asynchronous events by their keys. The events themselves
// stay in the store, so that a long queue uses little memory. A short queue keeps them in
// memory too.
type queue struct {
	mu      sync.Mutex
	filled  *sync.Cond
	waiting []queued
	closed  bool
}

// queued is an event by its key in the store.
type queued struct {
	key   uint64
	event *pendingEvent // nil if it must be read
}

// atHand is the length up to which a queue keeps its events in memory.
const atHand = 256

func newQueue() *queue {
	q := &queue{}
	q.filled = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(next queued) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= atHand {
		next.event = nil
	}
	q.waiting = append(q.waiting, next)
	q.filled.Signal()
}

// pop waits for an event. open is false after the queue was closed.
func (q *queue) pop() (next queued, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return queued{}, false
	}
	next, q.waiting = q.waiting[0], q.waiting[1:]
	return next, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}
