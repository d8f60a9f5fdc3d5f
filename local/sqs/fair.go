package sqs

import (
	"container/heap"
	"time"
)

// schedule is a heap of messages by when they are visible, then by age.
type schedule []*message

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].before(s[j]) }
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
	*s = (*s)[:last]
	return m
}

func (s *schedule) add(m *message) {
	m.home = s
	heap.Push(s, m)
}

// leave takes the message out of the heap that it is in.
func (m *message) leave() {
	heap.Remove(m.home, m.index)
	m.home = nil
}

func (m *message) before(other *message) bool {
	if !m.Visible.Equal(other.Visible) {
		return m.Visible.Before(other.Visible)
	}
	return m.key < other.key
}

// group is what a queue has of one MessageGroupId.
type group struct {
	shown    schedule
	inFlight int
}

func (q *queue) group(name string) *group {
	if q.groups[name] == nil {
		q.groups[name] = &group{}
	}
	return q.groups[name]
}

// forgetIdle forgets a group that has nothing in the queue, or only hidden messages
// that nobody has received.
func (q *queue) forgetIdle(name string) {
	if g := q.groups[name]; g != nil && g.inFlight == 0 && len(g.shown) == 0 {
		delete(q.groups, name)
	}
}

// setInFlight counts a message among those of its group that are in flight, or no
// longer. One without a group is a group of its own, which never has another in
// flight.
func (q *queue) setInFlight(m *message, is bool) {
	if m.inFlight == is {
		return
	}
	m.inFlight = is
	switch {
	case m.Group == "":
	case is:
		q.group(m.Group).inFlight++
	default:
		q.group(m.Group).inFlight--
	}
}

// show moves the messages that have become visible to their groups.
func (q *queue) show(now time.Time) {
	for len(q.waiting) > 0 && !q.waiting[0].Visible.After(now) {
		m := q.waiting[0]
		m.leave()
		q.setInFlight(m, false)
		q.group(m.Group).shown.add(m)
	}
}

// next is the visible message that is to be received next, or nil: the oldest of a group
// with the fewest in flight. SQS prefers so only where a group has become a noisy
// neighbor, by its messages in flight or by the time that they take
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
func (q *queue) next() (next *message) {
	fewest := 0
	for _, g := range q.groups {
		if len(g.shown) == 0 {
			continue
		}
		first := g.shown[0]
		if next == nil || g.inFlight < fewest || g.inFlight == fewest && first.before(next) {
			next, fewest = first, g.inFlight
		}
	}
	return next
}
