package dictionary

import "slices"

// isSegment holds for a choice of segments, too.
func (n *Node) isSegment() bool { return n.Children == nil || n.Name == "" }

// repeats holds for a place of any segment, too: "one or more HL7 and/or Z segments carrying
// the data" (HL7 v2.5.1, 8.5.1).
func (n *Node) repeats() bool { return n.Repeats || n.isSegment() && n.is(AnySegment) }

// names returns the names of the segments that may stand at the node, a segment or a choice.
func (n *Node) names() []string {
	if n.Children == nil {
		return []string{n.Name}
	}
	var names []string
	for _, child := range n.Children {
		names = append(names, child.Name)
	}
	return names
}

// holds reports whether another node is the node itself or within it.
func (n *Node) holds(other *Node) bool {
	return n == other || slices.ContainsFunc(n.Children, func(child *Node) bool { return child.holds(other) })
}

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

// missingBefore returns the first required segment, or choice of them, among the children
// of a group from one to another, if there is any that did not come.
func missingBefore(group *Node, from, to int, counts []int) *Node {
	for n := from; n < to; n++ {
		if counts != nil && counts[n] > 0 {
			continue
		}
		if required := group.Children[n].firstRequired(); required != nil {
			return required
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

// indexOf returns which child of a group a way leads to first.
func (n *Node) indexOf(to way, name string) int {
	return slices.IndexFunc(n.Children, func(child *Node) bool { return to.fits(child, name) })
}
