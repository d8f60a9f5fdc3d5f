package dictionary

import (
	"strconv"
	"strings"

	"hl7lake/hl7"
)

// A Location says where in its message's structure a segment stands.
type Location struct {
	Group    string // such as "PATIENT_RESULT[1]/ORDER_OBSERVATION[2]"; empty outside of all groups
	Expected bool   // the structure has the segment at this point
}

// Locate returns the location of each segment of m in the structure.
//
// A segment goes to the nearest place that its name allows from where the one before it
// was: further on in the same group, in a repetition of the group, or likewise in the
// groups around it. Required segments may be missing on the way. A segment that fits
// nowhere, such as a Z segment, stays in the group of the one before it.
func (s *Structure) Locate(m *hl7.Message) []Location {
	w := newWalk(s)
	locations := make([]Location, m.Len())
	for i := range locations {
		expected := w.step(m.Segment(i).Name())
		locations[i] = Location{w.path(), expected}
	}
	return locations
}

// A walk follows the segments of a message through a structure.
type walk struct {
	open []*instance // the groups around the current segment, outermost first
	all  []*instance // every one there was
}

// An instance is one repetition of a group.
type instance struct {
	group  *Node
	number int   // which repetition, counting from 1
	at     int   // the child that came last; -1 before the first
	counts []int // how often each child came
}

func newWalk(s *Structure) *walk {
	w := new(walk)
	w.enter(s.Root, 1)
	return w
}

func (w *walk) enter(group *Node, number int) {
	i := &instance{group: group, number: number, at: -1, counts: make([]int, len(group.Children))}
	w.open, w.all = append(w.open, i), append(w.all, i)
}

func (w *walk) path() string {
	var parts []string
	for _, i := range w.open[1:] {
		parts = append(parts, i.group.Name+"["+strconv.Itoa(i.number)+"]")
	}
	return strings.Join(parts, "/")
}

// step moves on to the segment of that name and reports whether the structure has it
// there. A group is first looked for where the segment may begin it, then wherever it
// has the segment at all.
func (w *walk) step(name string) bool {
	for _, admits := range []func(*Node, string) bool{(*Node).beginsWith, (*Node).contains} {
		for depth := len(w.open) - 1; depth >= 0; depth-- {
			if child, ok := w.open[depth].next(name, admits); ok {
				w.open = w.open[:depth+1]
				w.take(child, name, admits)
				return true
			}
		}
	}
	return false
}

// next returns the child that a segment of that name goes to: the current one again,
// where it repeats, or a later one.
func (i *instance) next(name string, admits func(*Node, string) bool) (int, bool) {
	for n := max(i.at, 0); n < len(i.group.Children); n++ {
		child := i.group.Children[n]
		if (n > i.at || child.Repeats) && admits(child, name) {
			return n, true
		}
	}
	return 0, false
}

// take notes a segment at a child of the innermost group, and in that one's own, down to
// the segment itself.
func (w *walk) take(child int, name string, admits func(*Node, string) bool) {
	for {
		i := w.open[len(w.open)-1]
		i.at = child
		i.counts[child]++
		node := i.group.Children[child]
		if node.isSegment() {
			return
		}
		w.enter(node, i.counts[child])
		child, _ = w.open[len(w.open)-1].next(name, admits)
	}
}

// isSegment holds for a choice of segments, too.
func (n *Node) isSegment() bool { return n.Children == nil || n.Name == "" }

// is reports whether the node is a segment of that name, or a choice that has it.
func (n *Node) is(name string) bool {
	if n.Children == nil {
		return n.Name == name
	}
	for _, child := range n.Children {
		if child.Name == name && n.isSegment() {
			return true
		}
	}
	return false
}

// beginsWith reports whether a segment of that name may be the first of the node.
func (n *Node) beginsWith(name string) bool {
	if n.isSegment() {
		return n.is(name)
	}
	for _, child := range n.Children {
		if child.beginsWith(name) {
			return true
		}
		if child.Required {
			return false
		}
	}
	return false
}

// contains reports whether the node has a segment of that name.
func (n *Node) contains(name string) bool {
	if n.isSegment() {
		return n.is(name)
	}
	for _, child := range n.Children {
		if child.contains(name) {
			return true
		}
	}
	return false
}
