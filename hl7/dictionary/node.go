package dictionary

import "slices"

// isSegment also reports true for a choice of segments.
func (n *Node) isSegment() bool { return n.Children == nil || n.Name == "" }

// repeats also reports true for a place of any segment: "one or more HL7 and/or Z
// segments carrying the data" (HL7 v2.5.1, 8.5.1).
func (n *Node) repeats() bool { return n.Repeats || n.isSegment() && n.is(AnySegment) }

// names returns the names of the segments that the node, a segment or a choice, stands
// for.
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

// holds reports whether other is the node itself or within it.
func (n *Node) holds(other *Node) bool {
	return n == other || slices.ContainsFunc(n.Children, func(child *Node) bool { return child.holds(other) })
}

// is reports whether the node is a segment of that name, or a choice that contains one.
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

// startsWith reports whether the node always begins with a segment of that name.
func (n *Node) startsWith(name string) bool {
	if n.isSegment() {
		return n.is(name)
	}
	return n.Children[0].startsWith(name)
}

// beginsWith reports whether the node may begin with a segment of that name.
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

// takesAny reports whether the node may begin with a segment of any name.
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

// isHead reports whether the node is a group that begins with such a segment, or is such
// a segment and required.
func (n *Node) isHead(name string) bool {
	return n.startsWith(name) && (n.Required || !n.isSegment())
}

// lacksOnlyDue reports whether, before the first segment of that name in a group, the
// only things missing are the beginnings of groups that are required.
func (n *Node) lacksOnlyDue(name string) bool {
	for k, child := range n.Children {
		if child.contains(name) {
			return (n.Required || missingBefore(n, 0, k, nil) == nil) && (child.isSegment() || child.lacksOnlyDue(name))
		}
	}
	return false
}

// missingBefore returns the first required segment, or choice of segments, that is
// missing among the children of a group from one to another. It returns nil if there is
// none.
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

// firstRequired returns the first segment or choice that the node must have.
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

// indexOf returns the first child of a group that a way leads to.
func (n *Node) indexOf(to way, name string) int {
	return slices.IndexFunc(n.Children, func(child *Node) bool { return to.fits(child, name) })
}
