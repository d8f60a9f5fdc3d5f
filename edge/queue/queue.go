// Package queue keeps messages on disk between their acknowledgment and their delivery,
// in one bbolt file. After [Queue.Put] has returned, a message survives a crash of the
// machine. Puts that come at the same time share one commit, and so wait for the disk
// once. Each content is encrypted.
//
// A queue has named lanes, one for each listener. The messages of a lane are in the order
// of their ids. The queue is bounded: a message that does not fit is refused with
// [ErrFull].
package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

// Errors of the queue.
var (
	// ErrFull: the message would exceed the queue's limits, or the disk has no room.
	ErrFull = errors.New("the queue is full")
	// ErrClosed: the queue is closed.
	ErrClosed = errors.New("the queue is closed")
	// ErrInUse: another process has the file open.
	ErrInUse = errors.New("the queue is in use by another process: stop that one, or name another folder")
	// ErrDamaged: the file is not, or no longer, what the queue wrote.
	ErrDamaged = errors.New("the queue's file is damaged: move it away and keep it, as messages may be recovered from it; a new one is made")
)

// A Message is one that waits to be delivered.
type Message struct {
	ID       uint64 // its place in its lane, 1 or more
	Body     []byte
	Received time.Time // to the millisecond
	Origin   uint64    // by which the caller of Put recognizes it; 0 means none
}

// Limits limit what a queue holds.
type Limits struct {
	Messages int64
	Bytes    int64 // of contents, encrypted
}

// Usage is what a queue or a lane holds.
type Usage struct{ Messages, Bytes int64 }

// Queue is one open file. It is safe for concurrent use.
type Queue struct {
	db       *bbolt.DB
	key      Key
	limits   Limits
	pending  chan change
	finished sync.WaitGroup // the committing goroutine

	mu     sync.Mutex
	lanes  map[string]*lane
	all    Usage // of the lanes, and of the puts under way
	beside Usage // other data that counts against the limits
	closed bool
	busy   sync.WaitGroup // calls that hand over a change
}

type lane struct {
	usage Usage
	added chan struct{} // holds one value if messages were added since it was last received from
}

// change is what a commit is to do.
type change struct {
	lane   string
	put    *Message // nil to remove
	remove uint64
	size   int64      // that was reserved
	done   chan error // nil if nobody waits
}

// Put adds a message to the end of a lane, sets its ID and returns once it is safe on
// disk. The errors wrap [ErrFull] or [ErrClosed], or are of the disk.
func (q *Queue) Put(name string, m *Message) error {
	size := sealedSize(m)
	if err := q.reserve(size); err != nil {
		return err
	}
	c := change{lane: name, put: m, size: size, done: make(chan error, 1)}
	if err := q.hand(c); err != nil {
		q.release(size)
		return err
	}
	return <-c.done
}

// Remove removes a message from its lane. It does not wait for the disk: after a crash
// the message may still be there.
func (q *Queue) Remove(name string, m Message) error {
	return q.hand(change{lane: name, remove: m.ID, size: sealedSize(&m)})
}

// hand passes a change to the committing goroutine.
func (q *Queue) hand(c change) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	q.busy.Add(1)
	q.mu.Unlock()
	q.pending <- c
	q.busy.Done()
	return nil
}

// reserve makes sure that a message of that size fits until it is in the queue or
// released.
func (q *Queue) reserve(size int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.fits(size) {
		return ErrFull
	}
	q.all.Messages++
	q.all.Bytes += size
	return nil
}

// fits is called with q.mu held.
func (q *Queue) fits(size int64) bool {
	return q.all.Messages+q.beside.Messages < q.limits.Messages && q.all.Bytes+q.beside.Bytes+size <= q.limits.Bytes
}

// Full reports whether there is no room for even an empty message.
func (q *Queue) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.fits(sealedSize(&Message{}))
}

// KeepRoom counts data elsewhere against the queue's limits, in place of the amount given
// before.
func (q *Queue) KeepRoom(beside Usage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.beside = beside
}

func (q *Queue) release(size int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all.Messages--
	q.all.Bytes -= size
}

// Next returns the first messages of a lane whose ids are above after: at most n, and
// none beyond the given number of bytes.
func (q *Queue) Next(name string, after uint64, n, bytes int) (messages []Message, err error) {
	err = q.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(lanesBucket).Bucket([]byte(name))
		if b == nil {
			return nil
		}
		cursor := b.Cursor()
		for k, sealed := cursor.Seek(idKey(after + 1)); k != nil && len(messages) < n && bytes > 0; k, sealed = cursor.Next() {
			m, err := q.open(name, k, sealed)
			if err != nil {
				return err
			}
			messages = append(messages, m)
			bytes -= len(m.Body)
		}
		return nil
	})
	return messages, err
}

// Added returns a channel that has a value when messages were added to the lane since it
// was last received from.
func (q *Queue) Added(name string) <-chan struct{} { return q.lane(name).added }

// Usage returns what the queue holds, with the puts under way.
func (q *Queue) Usage() Usage {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all
}

// LaneUsage returns what a lane holds.
func (q *Queue) LaneUsage(name string) Usage {
	l := q.lane(name)
	q.mu.Lock()
	defer q.mu.Unlock()
	return l.usage
}

// Lanes returns the names of the lanes, including empty ones, in no order.
func (q *Queue) Lanes() (names []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name := range q.lanes {
		names = append(names, name)
	}
	return names
}

// lane returns the lane of that name, and makes it if there is none.
func (q *Queue) lane(name string) *lane {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lanes[name] == nil {
		q.lanes[name] = &lane{added: make(chan struct{}, 1)}
	}
	return q.lanes[name]
}

// Close waits for the changes that were passed on and closes the file. Later calls return
// [ErrClosed].
func (q *Queue) Close() error {
	q.mu.Lock()
	already := q.closed
	q.closed = true
	q.mu.Unlock()
	if !already {
		q.busy.Wait()
		close(q.pending)
	}
	q.finished.Wait()
	return q.db.Close()
}

func idKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// place is the place for which the content of a message is sealed.
func place(name string, key []byte) string { return "lane " + name + " " + string(key) }

// header comes before the body: a version, when it was received, and its origin.
const header = 1 + 8 + 8

const formatVersion = 1

// overhead is what encryption adds: the nonce and the tag.
const overhead = 12 + 16

func sealedSize(m *Message) int64 { return int64(header + len(m.Body) + overhead) }

func (q *Queue) seal(name string, key []byte, m *Message) []byte {
	content := make([]byte, 0, header+len(m.Body))
	content = append(content, formatVersion)
	content = binary.BigEndian.AppendUint64(content, uint64(m.Received.UnixMilli()))
	content = binary.BigEndian.AppendUint64(content, m.Origin)
	return q.key.Seal(append(content, m.Body...), place(name, key))
}

func (q *Queue) open(name string, key, sealed []byte) (Message, error) {
	content, err := q.key.Open(sealed, place(name, key))
	if err != nil {
		return Message{}, fmt.Errorf("message %d of %s: %w", binary.BigEndian.Uint64(key), name, err)
	}
	if len(content) < header || content[0] != formatVersion {
		return Message{}, fmt.Errorf("message %d of %s: %w", binary.BigEndian.Uint64(key), name, ErrDamaged)
	}
	return Message{
		ID:       binary.BigEndian.Uint64(key),
		Body:     content[header:],
		Received: time.UnixMilli(int64(binary.BigEndian.Uint64(content[1:]))),
		Origin:   binary.BigEndian.Uint64(content[9:]),
	}, nil
}
