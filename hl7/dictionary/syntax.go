package dictionary

import "slices"

// A syntax is a structure in the form of a regular expression over the names of segments.
// Every structure is one, because no group contains itself. A syntax tells whether a
// message conforms to the structure, and which places its segments can have.
type syntax struct {
	places []*Node          // the segments and choices of the structure, in order
	named  map[string][]int // the places for segments of a name
	other  []int            // the places for segments of any name
	first  set              // the places that a message may begin with
	last   set              // the places that a message may end with
	before []set            // for each place, the places that may come right before it
	number map[*Node]int    // the index of a node in places
}

// newSyntax analyses a structure. No node may occur in it twice.
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

// list numbers the places in nodes.
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

// A part describes a node: the places that it may begin and end with, and whether it may
// be empty.
type part struct {
	first, last set
	empty       bool
}

// read describes a node and records what may come right before each of its places.
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

// readAll does so for consecutive nodes.
func (x *syntax) readAll(nodes []*Node) part {
	p := part{x.none(), x.none(), true}
	for _, n := range nodes {
		p = x.then(p, x.read(n))
	}
	return p
}

// then joins a part and the part that follows it.
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

// follow records that each place of before may come right before each place of after.
func (x *syntax) follow(before, after set) {
	for place := range x.places {
		if after.has(place) {
			x.before[place].unite(before)
		}
	}
}

// A forecast says, for each segment of a message, which places the previous segment may
// have, so that this segment and all later ones conform to the structure.
type forecast struct {
	words set   // the sets, one after another
	size  int   // of each, in words
	at    []int // where in words the set of each segment begins; consecutive segments may share one
}

// forecast reads a message from its end. It returns nil if the message does not conform
// to the structure. It ignores segments that the structure does not have, and those that
// may follow any other.
func (x *syntax) forecast(names []string) *forecast {
	f := &forecast{words: slices.Clone(x.last), size: len(x.last), at: make([]int, len(names)+1)}
	possible := x.none()
	for i := len(names) - 1; i >= 0; i-- {
		after := f.before(i + 1)
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
			f.at[i] = len(f.words)
			f.words = append(f.words, possible...)
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

// before returns the places that the segment before a position may have.
func (f *forecast) before(position int) set { return f.words[f.at[position]:][:f.size] }

// allows reports whether the segments from a position on fit after a segment at a place.
func (f *forecast) allows(place, position int) bool { return f.before(position).has(place) }

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
