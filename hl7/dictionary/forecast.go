package dictionary

// placedAsForecast looks for the place of a segment in a message that conforms to its
// structure and goes there. It takes the first place after which the rest of the message
// fits: first among groups that always begin with such a segment, then among those that
// may. If neither has such a place, it takes any that the structure has.
func (w *walk) placedAsForecast(name string) bool {
	if w.searchForecast(name, way{fits: (*Node).startsWith}) || w.searchForecast(name, way{fits: (*Node).beginsWith}) {
		return true
	}
	for _, place := range w.syntax.placesOf(name) {
		leaf := w.syntax.places[place]
		if w.searchForecast(name, way{fits: func(child *Node, _ string) bool { return child.holds(leaf) }}) {
			return true
		}
	}
	return false
}

// searchForecast goes to the innermost place that fits and that the forecast allows. It
// uses no other part of the way.
func (w *walk) searchForecast(name string, to way) bool {
	for depth := len(w.open) - 1; depth >= 0; depth-- {
		i := w.open[depth]
		for n := max(i.at, 0); n < len(i.group.Children); n++ {
			child := i.group.Children[n]
			if !to.fits(child, name) || n == i.at && !child.repeats() {
				continue
			}
			if here := (place{depth, n}); w.isForecast(here, to, name) {
				w.open = w.open[:depth+1]
				w.take(n, name, to)
				return true
			}
		}
	}
	return false
}

// isForecast reports whether no required segment is missing before a place, and the rest
// of the message fits after it.
func (w *walk) isForecast(here place, to way, name string) bool {
	i := w.open[here.depth]
	node := i.group.Children[here.child]
	for !node.isSegment() {
		n := node.indexOf(to, name)
		if missingBefore(node, 0, n, nil) != nil {
			return false
		}
		node = node.Children[n]
	}
	if !w.forecast.allows(w.syntax.number[node], w.at) {
		return false
	}
	for _, i := range w.open[here.depth+1:] {
		if missingBefore(i.group, i.at+1, len(i.group.Children), i.counts) != nil {
			return false
		}
	}
	return missingBefore(i.group, i.at+1, here.child, i.counts) == nil
}
