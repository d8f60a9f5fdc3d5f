package sqs

import (
	"container/heap"
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
	waiting schedule      // all messages, the next to become visible first
	changed chan struct{} // closed, and replaced, when a message may have become visible
}

// schedule is a heap of messages by when they are visible, then by age.
type schedule []*message

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	if !s[i].Visible.Equal(s[j].Visible) {
		return s[i].Visible.Before(s[j].Visible)
	}
	return s[i].key < s[j].key
}
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push is for package heap.
func (s *schedule) Push(x any) {
	m := x.(*message)
	m.index = len(*s)
	*s = append(*s, m)
}

// Pop is for package heap.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	m := (*s)[last]
	m.index = -1
	*s = (*s)[:last]
	return m
}

func (q *queue) bucket() []byte { return []byte("sqs/" + q.name) }

func openQueue(s *store.Store, name string, properties Queue) (*queue, error) {
	q := &queue{Queue: properties, name: name, store: s, byKey: map[uint64]*message{}, changed: make(chan struct{})}
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
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("messages of queue %s: %w", name, err)
	}
	return q, nil
}

// insert puts a message that is in the store into memory.
func (q *queue) insert(m *message) {
	q.byKey[m.key] = m
	heap.Push(&q.waiting, m)
	q.wake()
}

// drop takes a message out of memory.
func (q *queue) drop(m *message) {
	delete(q.byKey, m.key)
	if m.index >= 0 {
		heap.Remove(&q.waiting, m.index)
	}
}

// reschedule moves a message to when it is visible.
func (q *queue) reschedule(m *message, visible time.Time) {
	m.Visible = visible
	heap.Fix(&q.waiting, m.index)
	q.wake()
}

func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// due returns messages that are visible now, at most limit of them, and hides
// them until hidden. What is past its retention is returned apart and gone from
// memory.
func (q *queue) due(now, hidden time.Time, limit int) (visible, expired []*message) {
	retention := seconds(q.MessageRetentionPeriod, 4*24*60*60)
	for len(q.waiting) > 0 && len(visible) < limit {
		m := q.waiting[0]
		if m.Visible.After(now) {
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
	for _, m := range q.waiting {
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

// write returns what puts a message into the store, under its key or a new one.
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

// rewrite puts changed messages into the store. One that was deleted meanwhile
// stays so.
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
