package dictionary

import "slices"

func always(*Node) bool { return true }

func never(*Node) bool { return false }

// mustBe holds for what is not an optional group.
func mustBe(child *Node) bool { return child.Required || child.isSegment() }

// placed looks for the place of a segment, in the ways of [Structure.Locate] in their order,
// and goes there.
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

// placedAsForecast looks for the place of a segment of a message that keeps to its structure:
// the first in the ways that tolerate nothing missing from which all that follows has a place,
// too, else whichever has that.
func (w *walk) placedAsForecast(name string) bool {
	for _, to := range [...]way{
		{(*Node).startsWith, always, (*Node).repeats}, {(*Node).beginsWith, mustBe, (*Node).repeats},
		{(*Node).beginsWith, always, (*Node).repeats},
	} {
		if w.searchForecast(name, to) {
			return true
		}
	}
	for _, place := range w.syntax.placesOf(name) {
		leaf := w.syntax.places[place]
		if w.searchForecast(name, way{func(child *Node, _ string) bool { return child.holds(leaf) }, always, (*Node).repeats}) {
			return true
		}
	}
	return false
}

// searchForecast goes to the innermost place that a way leads to, on which nothing required is
// left out and from which the rest of the message has its places.
func (w *walk) searchForecast(name string, to way) bool {
	for depth := len(w.open) - 1; depth >= 0; depth-- {
		i := w.open[depth]
		for n := max(i.at, 0); n < len(i.group.Children); n++ {
			child := i.group.Children[n]
			if !to.fits(child, name) || n == i.at && !to.again(child) || n != i.at && !to.further(child) {
				continue
			}
			if here := (place{depth, n}); w.isAllowed(here, to, name) {
				w.open = w.open[:depth+1]
				w.take(n, name, to)
				return true
			}
		}
	}
	return false
}

// isAllowed reports whether a message goes on as its structure has it from a place.
func (w *walk) isAllowed(here place, to way, name string) bool {
	for _, i := range w.open[here.depth+1:] {
		if missingBefore(i.group, i.at+1, len(i.group.Children), i.counts) != nil {
			return false
		}
	}
	i := w.open[here.depth]
	node := i.group.Children[here.child]
	if here.child != i.at && missingBefore(i.group, i.at+1, here.child, i.counts) != nil {
		return false
	}
	for !node.isSegment() {
		n := node.indexOf(to, name)
		if missingBefore(node, 0, n, nil) != nil {
			return false
		}
		node = node.Children[n]
	}
	return w.forecast.allows(w.syntax.number[node], w.at)
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
	early := w.early // by the ways before: another place can only be within that group
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
