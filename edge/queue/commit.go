package queue

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"hl7lake/internal/boltfile"
)

const (
	// maxGroup limits how many changes share one commit, so that the first does not wait
	// for all the others.
	maxGroup = 512
	// linger is how long a removal may wait before it is committed alone.
	linger = 50 * time.Millisecond
	// fill is how full pages are left. Ids only grow, so nothing is inserted between
	// them.
	fill = 0.95
)

// commitAll commits until the queue is closed and nothing is left. Removals share the
// commit of the next put.
func (q *Queue) commitAll() {
	var group []change
	var due <-chan time.Time // when the group has waited long enough; nil if it is empty
	for {
		select {
		case c, open := <-q.pending:
			if !open {
				q.commit(group)
				return
			}
			if group = append(group, c); c.done == nil && len(group) < maxGroup {
				if len(group) == 1 {
					due = time.After(linger)
				}
				continue
			}
		case <-due:
		}
		q.commit(q.gather(group))
		group, due = group[:0], nil
	}
}

// gather adds what is waiting already.
func (q *Queue) gather(group []change) []change {
	for len(group) < maxGroup {
		select {
		case c, open := <-q.pending:
			if !open {
				return group
			}
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// commit makes the changes of a group, all or none.
func (q *Queue) commit(group []change) {
	if len(group) == 0 {
		return
	}
	removed := make([]bool, len(group))
	err := q.db.Update(func(tx *bbolt.Tx) error {
		lanes := tx.Bucket(lanesBucket)
		for i, c := range group {
			b, err := lanes.CreateBucketIfNotExists([]byte(c.lane))
			if err != nil {
				return err
			}
			b.FillPercent = fill
			if c.put != nil {
				err = q.put(b, c)
			} else if removed[i] = b.Get(idKey(c.remove)) != nil; removed[i] {
				err = b.Delete(idKey(c.remove))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	err = committing(err)
	for i, c := range group {
		q.count(c, removed[i], err)
		if c.done != nil {
			c.done <- err
		}
	}
}

func (q *Queue) put(b *bbolt.Bucket, c change) error {
	id, err := b.NextSequence()
	if err != nil {
		return err
	}
	c.put.ID = id
	key := idKey(id)
	return b.Put(key, q.seal(c.lane, key, c.put))
}

// count records a change that was committed, or was not.
func (q *Queue) count(c change, removed bool, err error) {
	l := q.lane(c.lane)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case c.put != nil && err != nil:
		q.all.Messages--
		q.all.Bytes -= c.size
	case c.put != nil:
		l.usage.Messages++
		l.usage.Bytes += c.size
		select {
		case l.added <- struct{}{}:
		default:
		}
	case err == nil && removed:
		for _, u := range []*Usage{&q.all, &l.usage} {
			u.Messages--
			u.Bytes -= c.size
		}
	}
}

// committing translates an error of a commit.
func committing(err error) error {
	switch {
	case err == nil:
		return nil
	case boltfile.NoRoom(err):
		return fmt.Errorf("%w: the disk has no room (%w)", ErrFull, err)
	}
	return fmt.Errorf("commit to the queue: %w", err)
}
