package lambda

import "sync"

// queue is an unbounded queue of keys: the events themselves stay in the store,
// so that a long queue costs little memory.
type queue struct {
	mu     sync.Mutex
	filled *sync.Cond
	keys   []uint64
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.filled = sync.NewCond(&q.mu)
	return q
}

func (q *queue) push(key uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.keys = append(q.keys, key)
	q.filled.Signal()
}

// pop waits for a key; open is false once the queue is closed.
func (q *queue) pop() (key uint64, open bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.keys) == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return 0, false
	}
	key, q.keys = q.keys[0], q.keys[1:]
	return key, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}
