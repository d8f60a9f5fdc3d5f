// Package store keeps what the local services must not forget, in one bbolt file. Writers
// that come at the same time share one commit, and so wait for the disk once. What a
// service has acknowledged survives the death of the process, and a hundred writers cost
// little more than one.
package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/internal/boltfile"
)

// ErrClosed is the error of Update after the store was closed.
var ErrClosed = errors.New("the store is closed")

// maxGroup limits how many writes share one commit, so that the first of them does not
// wait for an endless queue.
const maxGroup = 256

// linger is how long a write that nobody waits for may wait before it is committed alone.
const linger = 20 * time.Millisecond

// Store is one open file. It is safe for concurrent use.
type Store struct {
	db       *bbolt.DB
	durable  Durability
	pending  chan write
	finished sync.WaitGroup // the committing goroutine

	mu     sync.RWMutex // held for reading while a write is handed over
	closed bool
}

type write struct {
	do   func(*bbolt.Tx) error
	done chan error // nil if nobody waits
}

// Durability says what an acknowledged write survives.
type Durability bool

const (
	// Durable writes survive a crash of the machine: each commit waits for the disk.
	Durable Durability = true
	// Fleeting writes survive nothing. They are for a lake that is deleted when its run
	// ends.
	Fleeting Durability = false
)

// Open opens the file at path, and makes it if there is none. The error is ErrInUse if
// another process has the file, after a short wait, and ErrDamaged if it is not whole.
func Open(path string, durability Durability) (*Store, error) {
	if err := inspect(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// The list of free pages is kept in the file. Otherwise bbolt would search for them
	// on opening, in a goroutine of its own that panics at damage.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: boltfile.LockWait, FreelistType: bbolt.FreelistMapType, NoSync: durability == Fleeting, NoGrowSync: durability == Fleeting,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, fileErrors().Opening(err))
	}
	s := &Store{db: db, durable: durability, pending: make(chan write, maxGroup)}
	s.finished.Go(s.commitAll)
	return s, nil
}

// Durability is what the store was opened with, for services that keep files
// beside it.
func (s *Store) Durability() Durability { return s.durable }

// Close waits for the writes under way and closes the file. Later calls of
// Update return ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if !already {
		close(s.pending)
	}
	s.finished.Wait()
	return s.db.Close()
}

// View runs a read on a consistent view of the last commit.
func (s *Store) View(read func(*bbolt.Tx) error) error { return s.db.View(read) }

// Update runs do inside a write transaction that other callers share, and returns after
// the commit. If do returns an error, Update returns it. do must then not have written
// anything, because the transaction of the others goes on: it must check first and write
// last.
func (s *Store) Update(do func(*bbolt.Tx) error) error {
	w := write{do: do, done: make(chan error, 1)}
	if !s.hand(w) {
		return ErrClosed
	}
	return <-w.done
}

// Later is Update for a caller who does not wait. do runs in a transaction soon after, in
// the order of all writes, and before Close returns. Its error is lost, and so is what it
// writes if a crash comes first. The only error is ErrClosed.
func (s *Store) Later(do func(*bbolt.Tx) error) error {
	if !s.hand(write{do: do}) {
		return ErrClosed
	}
	return nil
}

func (s *Store) hand(w write) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return false
	}
	s.pending <- w
	return true
}

// commitAll commits until the store is closed and nothing is left. Writes that nobody
// waits for share the next commit that somebody waits for: a commit of their own would
// cost as much, and the disk's time.
func (s *Store) commitAll() {
	var group []write
	var due <-chan time.Time // when the group has lain long enough; nil where it is empty
	for {
		select {
		case w, open := <-s.pending:
			if !open {
				s.commit(group)
				return
			}
			if group = append(group, w); w.done == nil && len(group) < maxGroup {
				if len(group) == 1 {
					due = time.After(linger)
				}
				continue
			}
		case <-due:
		}
		s.commit(group)
		group, due = nil, nil
	}
}

// commit runs the group, and all that has queued behind it, in one transaction.
func (s *Store) commit(group []write) {
	if len(group) == 0 {
		return
	}
	var results []error
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for i := 0; i < len(group); i++ {
			results = append(results, group[i].do(tx))
			if len(group) < maxGroup {
				group = append(group, s.waiting()...)
			}
		}
		return nil
	})
	for i, w := range group {
		switch {
		case w.done == nil:
		case err != nil:
			w.done <- committing(err)
		default:
			w.done <- results[i]
		}
	}
}

// waiting takes one write that is already there, if any.
func (s *Store) waiting() []write {
	select {
	case w, open := <-s.pending:
		if open {
			return []write{w}
		}
	default:
	}
	return nil
}
