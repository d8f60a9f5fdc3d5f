package sqs

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/local/store"
)

// queue is a queue with its messages in memory, as they are in the store.
type queue struct {
	Queue
	name  string
	store *store.Store

	mu      sync.Mutex
	byKey   map[uint64]*message
	waiting schedule          // those that were hidden when last looked at, the next to become visible first
	groups  map[string]*group // with those that were visible; by MessageGroupId, "" for none
	changed chan struct{}     // closed, and replaced, when a message may have become visible
}

func (q *queue) bucket() []byte { return []byte("sqs/" + q.name) }

func openQueue(s *store.Store, name string, properties Queue) (*queue, error) {
	q := &queue{Queue: properties, name: name, store: s, byKey: map[uint64]*message{}, groups: map[string]*group{}, changed: make(chan struct{})}
	err := s.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(q.bucket())
		if b == nil {
			return nil
		}
		return b.ForEach(func(key, text []byte) error {
			m := &message{key: binary.BigEndian.Uint64(key)}
			if err := json.Unmarshal(text, m); err != nil {
				return err
			}
			q.insert(m)
			q.setInFlight(m, m.Receives > 0 && m.Visible.After(time.Now()))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("messages of queue %s: %w", name, err)
	}
	return q, nil
}

// insert adds a message of the store to memory.
func (q *queue) insert(m *message) {
	q.byKey[m.key] = m
	q.waiting.add(m)
	q.wake()
}

// drop takes a message out of memory, if it is there.
func (q *queue) drop(m *message) {
	if m.home == nil {
		return
	}
	delete(q.byKey, m.key)
	m.leave()
	q.setInFlight(m, false)
	q.forgetIdle(m.Group)
}

// reschedule moves a message to when it is visible.
func (q *queue) reschedule(m *message, visible time.Time) {
	m.leave()
	m.Visible = visible
	q.waiting.add(m)
	q.wake()
}

func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// due returns messages that are visible now, at most limit of them, and hides them until
// hidden. Messages past their retention are returned separately and removed from memory.
func (q *queue) due(now, hidden time.Time, limit int) (visible, expired []*message) {
	retention := seconds(q.MessageRetentionPeriod, 4*24*60*60)
	q.show(now)
	for len(visible) < limit {
		m := q.next()
		if m == nil {
			break
		}
		if m.Sent.Add(retention).Before(now) {
			q.drop(m)
			expired = append(expired, m)
			continue
		}
		m.Receives++
		if m.FirstReceived.IsZero() {
			m.FirstReceived = now
		}
		q.setInFlight(m, true)
		q.reschedule(m, hidden)
		visible = append(visible, m)
	}
	return visible, expired
}

// counts are the approximate numbers of messages that can be received, are in
// flight, and are delayed.
func (q *queue) counts(now time.Time) (visible, inFlight, delayed int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	retention := seconds(q.MessageRetentionPeriod, 4*24*60*60)
	for _, m := range q.byKey {
		switch {
		case m.Sent.Add(retention).Before(now):
		case !m.Visible.After(now):
			visible++
		case m.Receives > 0:
			inFlight++
		default:
			delayed++
		}
	}
	return visible, inFlight, delayed
}

// write returns the function that puts a message into the store, under its key or a new
// one.
func (q *queue) write(m *message) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(q.bucket())
		if err != nil {
			return err
		}
		if m.key == 0 {
			if m.key, err = b.NextSequence(); err != nil {
				return err
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return b.Put(storeKey(m.key), text)
	}
}

// rewrite puts changed messages into the store. One that was deleted meanwhile stays
// deleted.
func (q *queue) rewrite(messages ...message) error {
	return q.store.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(q.bucket())
		for i := range messages {
			if b.Get(storeKey(messages[i].key)) == nil {
				continue
			}
			if err := q.write(&messages[i])(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// erase takes messages out of the store.
func (q *queue) erase(messages ...*message) error {
	if len(messages) == 0 {
		return nil
	}
	return q.store.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(q.bucket())
		for _, m := range messages {
			if err := b.Delete(storeKey(m.key)); err != nil {
				return err
			}
		}
		return nil
	})
}

func storeKey(key uint64) []byte { return binary.BigEndian.AppendUint64(nil, key) }
