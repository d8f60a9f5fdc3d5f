package dictionary

import "slices"

// A syntax is a structure as what it is, a regular expression over the names of segments: no
// group is a part of itself. With it a message that keeps to its structure is read as the
// structure says, however far ahead that is decided.
type syntax struct {
	places []*Node          // the segments and choices of the structure, in its order
	named  map[string][]int // the places of segments of that name
	other  []int            // the places of segments of whatever name
	first  set              // the places that a message may begin with
	last   set              // those that it may end with
	before []set            // of each place: those that may come right before it
	number map[*Node]int    // of each place
}

// newSyntax reads a structure whose nodes are all its own.
func newSyntax(root *Node) *syntax {
	x := &syntax{named: map[string][]int{}, number: map[*Node]int{}}
	x.list(root.Children)
	for range x.places {
		x.before = append(x.before, x.none())
	}
	whole := x.readAll(root.Children)
	x.first, x.last = whole.first, whole.last
	return x
}

// list numbers the places within nodes.
func (x *syntax) list(nodes []*Node) {
	for _, n := range nodes {
		if !n.isSegment() {
			x.list(n.Children)
			continue
		}
		number := len(x.places)
		x.places, x.number[n] = append(x.places, n), number
		for _, name := range n.names() {
			if name == AnySegment {
				x.other = append(x.other, number)
			} else {
				x.named[name] = append(x.named[name], number)
			}
		}
	}
}

func (x *syntax) none() set { return make(set, (len(x.places)+63)/64) }

// A part of a syntax says with which places a node begins and ends, and whether it may have
// nothing.
type part struct {
	first, last set
	empty       bool
}

// read finds what may come before each place of a node.
func (x *syntax) read(n *Node) part {
	var p part
	if n.isSegment() {
		p = part{x.none(), x.none(), false}
		p.first.add(x.number[n])
		p.last.add(x.number[n])
	} else {
		p = x.readAll(n.Children)
	}
	if n.repeats() {
		x.follow(p.last, p.first)
	}
	p.empty = p.empty || !n.Required
	return p
}

// readAll reads nodes that come one after another.
func (x *syntax) readAll(nodes []*Node) part {
	p := part{x.none(), x.none(), true}
	for _, n := range nodes {
		p = x.then(p, x.read(n))
	}
	return p
}

// then is one part after another.
func (x *syntax) then(a, b part) part {
	x.follow(a.last, b.first)
	if a.empty {
		a.first.unite(b.first)
	}
	if b.empty {
		b.last.unite(a.last)
	}
	return part{a.first, b.last, a.empty && b.empty}
}

// follow notes that each of some places may come right before each of others.
func (x *syntax) follow(before, after set) {
	for place := range x.places {
		if after.has(place) {
			x.before[place].unite(before)
		}
	}
}

// A forecast says for each segment of a message at which places the one before it may stand,
// so that what comes then can be as the structure has it.
type forecast struct {
	sets []set
	at   []int // which of the sets, by the segments' position; they seldom change
}

// forecast looks through a message from its end. It returns nil for one that does not keep to
// the structure. Segments that the structure has not count for nothing, and so do those that
// may follow every other one.
func (x *syntax) forecast(names []string) *forecast {
	f := &forecast{sets: []set{x.last}, at: make([]int, len(names)+1)}
	possible := x.none()
	for i := len(names) - 1; i >= 0; i-- {
		after := f.sets[f.at[i+1]]
		clear(possible)
		for _, place := range x.placesOf(names[i]) {
			if !after.has(place) {
				continue
			}
			if i == 0 && x.first.has(place) {
				return f
			}
			possible.unite(x.before[place])
		}
		if len(x.named[names[i]]) == 0 || continues(names[i]) {
			possible.unite(after)
		}
		switch {
		case possible.isEmpty():
			return nil
		case slices.Equal(possible, after):
			f.at[i] = f.at[i+1]
		default:
			f.sets = append(f.sets, slices.Clone(possible))
			f.at[i] = len(f.sets) - 1
		}
	}
	return nil
}

// placesOf returns the places for a segment of that name.
func (x *syntax) placesOf(name string) []int {
	if places := x.named[name]; len(places) > 0 {
		return places
	}
	if isOther(name) {
		return x.other
	}
	return nil
}

// allows reports whether a segment may stand at a place before the segment at a position.
func (f *forecast) allows(place, position int) bool { return f.sets[f.at[position]].has(place) }

// A set is a set of places.
type set []uint64

func (s set) add(place int)      { s[place/64] |= 1 << (place % 64) }
func (s set) has(place int) bool { return s[place/64]&(1<<(place%64)) != 0 }

func (s set) unite(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

func (s set) isEmpty() bool {
	return !slices.ContainsFunc(s, func(word uint64) bool { return word != 0 })
}
