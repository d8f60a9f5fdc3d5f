package dictionary

import (
	"slices"
	"strconv"

	"hl7lake/hl7"
)

// A Location says where in its message's structure a segment stands.
type Location struct {
	Group    string // such as "PATIENT_RESULT[1]/ORDER_OBSERVATION[2]"; empty outside all groups
	Expected bool   // the structure has the segment at this place
}

// Locate returns the location of each segment of m in the structure.
//
// A message that conforms to the structure is read exactly as the structure says, even
// where only a later segment decides. If the structure allows several readings, as the
// standard does in some places, a segment goes to the group of the previous segment, or
// to a group beside or within that one, rather than to one further out. But an ORC begins
// the next ORDER of an OML_O21, rather than a PRIOR_RESULT without its patient.
//
// In any other message, Locate starts from the place of the previous segment and takes
// the first of the following that exists. It looks for each in the innermost group first
// and then in the groups around it:
//
//  1. a place further on or a repetition, in the group or as the very first segment of
//     one that begins there;
//  2. the same, with optional parts passed over of a group that must be there or repeats;
//  3. a repetition of a group whose beginning is missing, where the segment is at the head of
//     what came already and comes once: the second OBR of an order is another order's;
//  4. an optional group, with optional parts of it passed over;
//  5. a group further on whose beginning is missing, if it must be there, is the only one that
//     has such segments, or is a part of the current group and has one itself;
//  6. a place for a segment of whatever name ([AnySegment]), unless the structure has
//     another one for it.
//
// Required segments may be missing before it, but only if they do not come later in the
// same group: an NTE between ORC and OBR is out of place, and the OBR belongs to the same
// order. A segment without a place, such as a Z segment, stays in the group of the
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

// A placing says what became of a segment during a walk.
type placing int

const (
	inPlace   placing = iota
	misplaced         // the structure has such segments, but not here
	unknown           // it has none at all
)

// A walk follows the segments of a message through a structure.
type walk struct {
	open []*instance // the groups around the current segment, outermost first
	all  []*instance // all groups so far

	syntax   *syntax
	forecast *forecast // nil if the message does not conform to its structure

	early int // the depth of the open group in which the current segment comes too early; 0 for none

	names []string         // the message's segments
	at    int              // how many of them were placed
	later map[string][]int // the positions of the segments of each name, from at on
}

// An instance is one repetition of a group.
type instance struct {
	group  *Node
	number int   // which repetition, counting from 1
	at     int   // the last child that came; -1 before the first
	counts []int // how many times each child came

	path    string
	first   string   // the name of its first segment
	strayed []string // the names of segments that are misplaced in it, each once
}

func newWalk(s *Structure, m *hl7.Message) *walk {
	w := &walk{names: make([]string, m.Len()), later: map[string][]int{}}
	for i := range w.names {
		w.names[i] = placeName(m.Segment(i).Name())
	}
	if s.syntax != nil {
		w.syntax = s.syntax()
		w.forecast = w.syntax.forecast(w.names)
	}
	if w.forecast == nil {
		for i, name := range w.names {
			w.later[name] = append(w.later[name], i)
		}
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

// path returns the path of the current group.
func (w *walk) path() string { return w.open[len(w.open)-1].path }

// step places the next segment.
func (w *walk) step() placing {
	name := w.names[w.at]
	w.at++
	if w.forecast == nil {
		w.later[name] = w.later[name][1:]
	}
	w.early = 0
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

// stray records the name of a segment that is misplaced in a group. There are never more
// of these than the structure has names.
func (i *instance) stray(name string) {
	if !slices.Contains(i.strayed, name) {
		i.strayed = append(i.strayed, name)
	}
}

// take records a segment at a child of the innermost group and, if that is a group, at
// the child's own children, down to the segment itself.
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
