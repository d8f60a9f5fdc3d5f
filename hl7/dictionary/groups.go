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
//  2. the same, with optional parts passed over of a group that must be there or repeats;
//  3. a repetition of a group whose beginning is missing, where the segment is at the head of
//     what came already and comes once: the second OBR of an order is another order's;
//  4. an optional group, with optional parts of it passed over;
//  5. a group further on whose beginning is missing, if it must be there, is the only one that
//     has such segments, or is a part of the current group and has one itself;
//  6. a place for a segment of whatever name ([AnySegment]), unless the structure has
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
	if w.count(name) == 0 {
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

// placed looks for the place of a segment, in the ways of [Structure.Locate] in their order,
// and goes there.
func (w *walk) placed(name string) bool {
	always := func(*Node) bool { return true }
	never := func(*Node) bool { return false }
	mustBe := func(child *Node) bool { return child.Required || child.isSegment() }
	isMeant := func(child *Node) bool { return w.isMeant(child, name) }
	return w.search(name, way{(*Node).startsWith, always, (*Node).repeats}) ||
		w.search(name, way{(*Node).beginsWith, mustBe, (*Node).repeats}) ||
		w.search(name, way{(*Node).contains, never, w.cameOnce(name)}) ||
		w.search(name, way{(*Node).beginsWith, always, never}) ||
		w.search(name, way{(*Node).contains, isMeant, never}) ||
		isOther(name) && w.count(name) == 0 && w.search(name, way{(*Node).takesAny, always, (*Node).repeats})
}

// A way is one of finding the place of a segment.
type way struct {
	fits    func(child *Node, name string) bool // whether the segment may be at or in that child of an open group
	further func(child *Node) bool              // whether at that child if it did not come yet
	again   func(child *Node) bool              // whether in a repetition of that child, which came last
}

// A place is a child of an open group.
type place struct{ depth, child int }

// search goes to the innermost place that a way leads to; where several groups may begin with
// the segment, to the first whose next required segment comes: an ORC begins the
// ORDER_TRAY of an OMD_O03, rather than another ORDER_DIET, where there is an ODT to come.
func (w *walk) search(name string, to way) bool {
	var chosen place
	best := absent - 1
	for depth := len(w.open) - 1; depth >= 0 && best < comes; depth-- {
		for n := max(w.open[depth].at, 0); n < len(w.open[depth].group.Children) && best < comes; n++ {
			here := place{depth, n}
			if !w.leads(here, to, name) {
				continue
			}
			if next := w.following(here, to, name); next > best {
				chosen, best = here, next
			}
		}
	}
	if best < absent {
		return false
	}
	w.open = w.open[:chosen.depth+1]
	w.take(chosen.child, name, to)
	return true
}

// leads reports whether a segment may go to a place in a way.
func (w *walk) leads(here place, to way, name string) bool {
	i := w.open[here.depth]
	child := i.group.Children[here.child]
	switch {
	case !to.fits(child, name):
		return false
	case here.child == i.at:
		return to.again(child)
	}
	return to.further(child) && !w.comesLater(here, to, name)
}

// A prospect says what is known of the next required segment of a group that may begin.
type prospect int

const (
	absent prospect = iota // it does not come before the group would end
	none                   // there is none
	comes                  // it comes, or no group begins
)

// following returns the prospect of the groups that a segment would begin at a place.
func (w *walk) following(here place, to way, name string) prospect {
	node := w.open[here.depth].group.Children[here.child]
	if node.isSegment() {
		return comes
	}
	var required *Node
	for !node.isSegment() {
		n := node.indexOf(to, name)
		if r := missingBefore(node, n+1, len(node.Children), nil); r != nil {
			required = r
		}
		node = node.Children[n]
	}
	switch {
	case required == nil:
		return none
	case w.nextOf(required) < min(w.next(name), w.end(here.depth)):
		return comes
	}
	return absent
}

// indexOf returns which child of a group a way leads to first.
func (n *Node) indexOf(to way, name string) int {
	return slices.IndexFunc(n.Children, func(child *Node) bool { return to.fits(child, name) })
}

// cameOnce returns a function that reports whether in an open group the segment came already,
// at the head of a part that does not repeat.
func (w *walk) cameOnce(name string) func(group *Node) bool {
	return func(group *Node) bool {
		if group.isSegment() || !group.Repeats {
			return false
		}
		for _, i := range w.open {
			if i.group != group {
				continue
			}
			for n, child := range group.Children {
				if i.counts[n] > 0 && !child.Repeats && child.isHead(name) {
					return true
				}
			}
		}
		return false
	}
}

// isMeant reports whether a segment goes to a child of an open group although its beginning is
// missing: where it must be there, is all that the structure has for such segments, or is the
// next thing that the innermost group has one in.
func (w *walk) isMeant(child *Node, name string) bool {
	if child.isSegment() || child.count(name) == w.count(name) || child.lacksOnlyDue(name) {
		return true
	}
	innermost := w.open[len(w.open)-1].group
	return slices.Contains(innermost.Children, child) && slices.ContainsFunc(child.Children, func(n *Node) bool { return n.isSegment() && n.is(name) })
}

// count returns how many places the structure has for segments of that name.
func (w *walk) count(name string) int {
	count := 0
	for _, child := range w.open[0].group.Children {
		count += child.count(name)
	}
	return count
}

// continues reports whether a segment of that name may follow every other one (HL7 v2.5.1,
// 2.10.2).
func continues(name string) bool { return name == "ADD" || name == "DSC" }

// isOther reports whether [AnySegment] may be a segment of that name.
func isOther(name string) bool { return name != noName && !continues(name) }

// comesLater reports whether a required segment that would be missing before a place, or
// within it before the segment, is still to come in the group.
func (w *walk) comesLater(here place, to way, name string) bool {
	i := w.open[here.depth]
	missing := missingBefore(i.group, i.at+1, here.child, i.counts)
	for node := i.group.Children[here.child]; missing == nil && !node.isSegment(); {
		n := node.indexOf(to, name)
		missing = missingBefore(node, 0, n, nil)
		node = node.Children[n]
	}
	return missing != nil && w.nextOf(missing) < w.end(here.depth)
}

// end returns where the open group at a depth ends at the latest: where a segment comes that
// began it or one around it, of those that repeat.
func (w *walk) end(depth int) int {
	end := len(w.names)
	for _, i := range w.open[1 : depth+1] {
		if i.group.Repeats {
			end = min(end, w.next(i.first))
		}
	}
	return end
}

// nextOf returns the position of the next segment that a node, a segment or a choice, stands
// for, or the end.
func (w *walk) nextOf(n *Node) int {
	if n.Children == nil {
		return w.next(n.Name)
	}
	next := len(w.names)
	for _, choice := range n.Children {
		next = min(next, w.next(choice.Name))
	}
	return next
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
func (w *walk) take(child int, name string, to way) {
	for {
		i := w.open[len(w.open)-1]
		i.at = child
		i.counts[child]++
		node := i.group.Children[child]
		if node.isSegment() {
			return
		}
		w.enter(node, i.counts[child], name)
		child = node.indexOf(to, name)
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
func (n *Node) contains(name string) bool { return n.count(name) > 0 }

// count returns how many places for a segment of that name the node has.
func (n *Node) count(name string) int {
	if n.isSegment() && n.is(name) {
		return 1
	}
	count := 0
	for _, child := range n.Children {
		count += child.count(name)
	}
	return count
}

// isHead reports whether the node is a group that such a segment starts, or is such a segment
// and required.
func (n *Node) isHead(name string) bool {
	return n.startsWith(name) && (n.Required || !n.isSegment())
}

// lacksOnlyDue reports whether, on the way to the first segment of that name in a group, only
// groups that must be there lack their beginning.
func (n *Node) lacksOnlyDue(name string) bool {
	for k, child := range n.Children {
		if child.contains(name) {
			return (n.Required || missingBefore(n, 0, k, nil) == nil) && (child.isSegment() || child.lacksOnlyDue(name))
		}
	}
	return false
}
