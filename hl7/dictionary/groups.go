package dictionary

import (
	"slices"
	"strconv"

	"hl7lake/hl7"
)

// A Location says where in its message's structure a segment stands.
type Location struct {
	Group    string // such as "PATIENT_RESULT[1]/ORDER_OBSERVATION[2]"; empty outside of all groups
	Expected bool   // the structure has the segment at this point
}

// Locate returns the location of each segment of m in the structure.
//
// A structure may have several places for a segment. It goes on from where the segment
// before it was, to the first of these that there is, each looked for in the innermost
// group first and then in those around it:
//
//  1. a place further on or a repetition, in the group or as the very first segment of
//     one that begins there: an ORC begins the next ORDER of an OML_O21, rather than a
//     PRIOR_RESULT without its patient;
//  2. the same, with optional parts of the groups that begin there passed over;
//  3. a place further on, with required segments of the groups that begin there missing;
//     or a repetition of a group that already began with such a segment;
//  4. a place for a segment of whatever name ([AnySegment]), unless the structure has
//     another one for it.
//
// Required segments may be missing on the way, but only if they do not come later in the
// same group: an NTE between ORC and OBR is out of place, and does not make the OBR that of
// another order. What finds no place, such as a Z segment, stays in the group of the
// segment before it and opens none. ADD and DSC, which continue a segment or a message,
// may follow every segment (HL7 v2.5.1, 2.10.2).
func (s *Structure) Locate(m *hl7.Message) []Location {
	w := newWalk(s, m)
	locations := make([]Location, m.Len())
	for i := range locations {
		placed := w.step()
		locations[i] = Location{w.path(), placed == inPlace}
	}
	return locations
}

// A placing says what became of a segment in a walk.
type placing int

const (
	inPlace   placing = iota
	misplaced         // the structure has such segments, but not here
	unknown           // it has none
)

// A walk follows the segments of a message through a structure.
type walk struct {
	open []*instance // the groups around the current segment, outermost first
	all  []*instance // every one there was

	names []string         // of the message's segments
	at    int              // how many of them were taken
	later map[string][]int // where those of each name are, from at on
}

// An instance is one repetition of a group.
type instance struct {
	group  *Node
	number int   // which repetition, counting from 1
	at     int   // the child that came last; -1 before the first
	counts []int // how often each child came

	path    string
	first   string   // the name of the segment that it began with
	strayed []string // the names of those that are misplaced in it, each once
}

func newWalk(s *Structure, m *hl7.Message) *walk {
	w := &walk{names: make([]string, m.Len()), later: map[string][]int{}}
	for i := range w.names {
		name := placeName(m.Segment(i).Name())
		w.names[i] = name
		w.later[name] = append(w.later[name], i)
	}
	w.enter(s.Root, 1, "MSH")
	return w
}

func (w *walk) enter(group *Node, number int, first string) {
	i := &instance{group: group, number: number, at: -1, counts: make([]int, len(group.Children)), first: first}
	if len(w.open) > 0 {
		i.path = group.Name + "[" + strconv.Itoa(number) + "]"
		if around := w.path(); around != "" {
			i.path = around + "/" + i.path
		}
	}
	w.open, w.all = append(w.open, i), append(w.all, i)
}

// path is that of the current group.
func (w *walk) path() string { return w.open[len(w.open)-1].path }

// step takes the next segment.
func (w *walk) step() placing {
	name := w.names[w.at]
	w.at++
	w.later[name] = w.later[name][1:]
	if w.placed(name) || continues(name) {
		return inPlace
	}
	if !w.has(name) {
		return unknown
	}
	for _, i := range w.open {
		i.stray(name)
	}
	return misplaced
}

// stray notes the name of a segment that is misplaced in a group. Their number is bounded
// by that of the structure's own names.
func (i *instance) stray(name string) {
	if !slices.Contains(i.strayed, name) {
		i.strayed = append(i.strayed, name)
	}
}

// A fit reports how a segment of a name goes with a child of an open group.
type fit func(child *Node, name string) bool

// placed looks for the place of a segment, by the rules of [Structure.Locate] in their
// order, and goes there.
func (w *walk) placed(name string) bool {
	return w.search(name, (*Node).startsWith, true) ||
		w.search(name, (*Node).beginsWith, true) ||
		w.search(name, (*Node).contains, false) ||
		isOther(name) && !w.has(name) && w.search(name, (*Node).takesAny, true)
}

// search goes to the innermost place that fits. A group that repeats begins anew where a
// segment may begin it (begins), or where it began with such a segment before.
func (w *walk) search(name string, fits fit, begins bool) bool {
	for depth := len(w.open) - 1; depth >= 0; depth-- {
		i := w.open[depth]
		for n := max(i.at, 0); n < len(i.group.Children); n++ {
			child := i.group.Children[n]
			if !fits(child, name) {
				continue
			}
			if n == i.at && (!child.repeats() || !begins && !w.beganWith(depth+1, name)) {
				continue
			}
			if n > i.at && w.comesLater(depth, n, fits, name) {
				continue
			}
			w.open = w.open[:depth+1]
			w.take(n, name, fits)
			return true
		}
	}
	return false
}

// has reports whether the structure has a segment of that name.
func (w *walk) has(name string) bool {
	return slices.ContainsFunc(w.open[0].group.Children, func(n *Node) bool { return n.contains(name) })
}

// continues reports whether a segment of that name may follow every other one (HL7 v2.5.1,
// 2.10.2).
func continues(name string) bool { return name == "ADD" || name == "DSC" }

// isOther reports whether [AnySegment] may be a segment of that name.
func isOther(name string) bool { return name != noName && !continues(name) }

// beganWith reports whether the open group at a depth began with a segment of that name.
func (w *walk) beganWith(depth int, name string) bool {
	return depth < len(w.open) && w.open[depth].first == name
}

// comesLater reports whether a required segment that would be missing before the n-th child
// of an open group, or within it before the place that fits, is still to come in the group.
func (w *walk) comesLater(depth, n int, fits fit, name string) bool {
	i := w.open[depth]
	missing := missingBefore(i.group, i.at+1, n, i.counts)
	for node := i.group.Children[n]; missing == nil && !node.isSegment(); {
		first := 0
		for !fits(node.Children[first], name) {
			first++
		}
		missing = missingBefore(node, 0, first, nil)
		node = node.Children[first]
	}
	if missing == nil {
		return false
	}
	end := len(w.names)
	for _, i := range w.open[1 : depth+1] {
		end = min(end, w.next(i.first))
	}
	if missing.Children == nil {
		return w.next(missing.Name) < end
	}
	for _, choice := range missing.Children {
		if w.next(choice.Name) < end {
			return true
		}
	}
	return false
}

// next returns the position of the next segment of that name, or the end.
func (w *walk) next(name string) int {
	if positions := w.later[name]; len(positions) > 0 {
		return positions[0]
	}
	return len(w.names)
}

// missingBefore returns the first required segment, or choice of them, among the children
// of a group from one to another, if there is any that did not come.
func missingBefore(group *Node, from, to int, counts []int) *Node {
	for n := from; n < to; n++ {
		if counts != nil && counts[n] > 0 {
			continue
		}
		if child := group.Children[n].firstRequired(); child != nil {
			return child
		}
	}
	return nil
}

// firstRequired returns the first segment or choice that the node cannot be without.
func (n *Node) firstRequired() *Node {
	switch {
	case !n.Required:
		return nil
	case n.isSegment():
		return n
	}
	for _, child := range n.Children {
		if required := child.firstRequired(); required != nil {
			return required
		}
	}
	return nil
}

// take notes a segment at a child of the innermost group, and in that one's own, down to
// the segment itself.
func (w *walk) take(child int, name string, fits fit) {
	for {
		i := w.open[len(w.open)-1]
		i.at = child
		i.counts[child]++
		node := i.group.Children[child]
		if node.isSegment() {
			return
		}
		w.enter(node, i.counts[child], name)
		for child = 0; !fits(node.Children[child], name); {
			child++
		}
	}
}

// isSegment holds for a choice of segments, too.
func (n *Node) isSegment() bool { return n.Children == nil || n.Name == "" }

// repeats holds for a place of any segment, too: "one or more HL7 and/or Z segments carrying
// the data" (HL7 v2.5.1, 8.5.1).
func (n *Node) repeats() bool { return n.Repeats || n.isSegment() && n.is(AnySegment) }

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

// startsWith reports whether a segment of that name is the very first one of the node.
func (n *Node) startsWith(name string) bool {
	if n.isSegment() {
		return n.is(name)
	}
	return n.Children[0].startsWith(name)
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

// takesAny reports whether the node may begin with a segment of whatever name.
func (n *Node) takesAny(string) bool { return n.beginsWith(AnySegment) }

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
