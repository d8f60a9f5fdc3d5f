package dictionary

import "slices"

func always(*Node) bool { return true }

func never(*Node) bool { return false }

// mustBe reports false only for an optional group.
func mustBe(child *Node) bool { return child.Required || child.isSegment() }

// placed looks for the place of a segment, in the order that [Structure.Locate]
// describes, and goes there.
func (w *walk) placed(name string) bool {
	if w.forecast != nil {
		return w.placedAsForecast(name)
	}
	isMeant := func(child *Node) bool { return w.isMeant(child, name) }
	return w.search(name, way{(*Node).startsWith, always, (*Node).repeats}) ||
		w.search(name, way{(*Node).beginsWith, mustBe, (*Node).repeats}) ||
		w.search(name, way{(*Node).contains, never, w.cameOnce(name)}) ||
		w.search(name, way{(*Node).beginsWith, always, never}) ||
		w.search(name, way{(*Node).contains, isMeant, never}) ||
		isOther(name) && w.count(name) == 0 && w.search(name, way{(*Node).takesAny, always, (*Node).repeats})
}

// A way is one of the ways to find the place of a segment.
type way struct {
	fits    func(child *Node, name string) bool // whether the segment may go to that child of an open group
	further func(child *Node) bool              // whether it may go to that child, if the child has not come yet
	again   func(child *Node) bool              // whether it may go to a repetition of that child, the last one that came
}

// A place is a child of an open group.
type place struct{ depth, child int }

// search goes to the innermost place that a way leads to. If several groups may begin
// with the segment, it goes to the first one whose next required segment comes: an ORC
// begins the ORDER_TRAY of an OMD_O03, rather than another ORDER_DIET, if an ODT follows.
func (w *walk) search(name string, to way) bool {
	var chosen place
	best := absent - 1
	early := w.early // by the earlier ways: another place can only be within that group
	for depth := len(w.open) - 1; depth >= early && best < comes; depth-- {
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
	if !to.further(child) {
		return false
	}
	if w.comesLater(here, to, name) {
		w.early = max(w.early, here.depth+1)
		return false
	}
	return true
}

// A prospect says what is known about the next required segment of a group that may
// begin.
type prospect int

const (
	absent prospect = iota // it does not come before the group would have to end
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

// cameOnce returns a function that reports whether an open group already had the segment,
// as the head of a part that does not repeat.
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

// isMeant reports whether a segment goes to a child of an open group although the
// beginning of that child is missing. It does if the segment is required there, if the
// structure has no other place for it, or if it is the next place that the innermost
// group has for it.
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

// continues reports whether a segment of that name may follow every other one (HL7
// v2.5.1, 2.10.2).
func continues(name string) bool { return name == "ADD" || name == "DSC" }

// isOther reports whether [AnySegment] may be a segment of that name.
func isOther(name string) bool { return name != noName && !continues(name) }

// comesLater reports whether a required segment that would be missing before a place, or
// before the segment within that place, still comes in the group.
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

// end returns where the open group at a depth must end: at a segment that begins it
// again, or begins again a repeating group around it.
func (w *walk) end(depth int) int {
	end := len(w.names)
	for _, i := range w.open[1 : depth+1] {
		if i.group.Repeats {
			end = min(end, w.next(i.first))
		}
	}
	return end
}

// nextOf returns the position of the next segment that a node, which is a segment or a
// choice, stands for. It returns the end if there is none.
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

// next returns the position of the next segment of that name, or the end if there is
// none.
func (w *walk) next(name string) int {
	if positions := w.later[name]; len(positions) > 0 {
		return positions[0]
	}
	return len(w.names)
}
