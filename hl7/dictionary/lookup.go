package dictionary

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"hl7lake/hl7"
)

// What can be wrong with a path through groups, in addition to [hl7.ErrPath].
var (
	// ErrNoStructure: neither the version nor an earlier one has the message's structure.
	ErrNoStructure = errors.New("no structure is known for the message")
	// ErrNoGroup: the structure does not have such a group there.
	ErrNoGroup = errors.New("no such group")
)

// Text returns the text at a path through the groups of a message, with its escapes
// decoded, such as
//
//	PATIENT_RESULT[1]/OBSERVATION[2]/OBX-5
//	PATIENT_RESULT/ORDER_OBSERVATION[2]/OBX[3]-5.1
//
// The last part is a [hl7.Path], which counts the segments of the group, including those
// of groups within it. Without a group, it counts in the whole message. A group counts
// from 1 within the group before it, in the order of the message, and need not be a
// direct part of it: OBSERVATION[2] may be the first one of the second order. Without a
// number it is the first.
//
// The text is empty if the message does not reach that far. The error wraps [hl7.ErrPath]
// if the path is not valid; its text has the right spelling of paths such as HAPI's
// /PATIENT_RESULT(0)/OBX-5. Otherwise it wraps [ErrNoGroup], with the groups that exist
// in its text, or [ErrNoStructure].
func (v *Version) Text(m *hl7.Message, path string) (string, error) {
	groups, element := cutElement(path)
	p, err := hl7.ParsePath(element)
	if err != nil {
		return "", respelled(path, err)
	}
	if groups == "" && element == path {
		return m.GetAt(p), nil
	}
	segments, err := v.SegmentsIn(m, groups)
	if err != nil {
		return "", respelled(path, err)
	}
	n := max(p.Occurrence, 1)
	for _, s := range segments {
		if s.Name() != p.Segment {
			continue
		}
		if n--; n == 0 {
			within := p
			within.Segment, within.Occurrence = "", 0
			return s.Get(strings.TrimPrefix(within.String(), "-")), nil
		}
	}
	return "", nil
}

// SegmentsIn returns an iterator over the segments of a group, including those of groups
// within it, in their order and with their 0-based positions in the message. The group is
// given as in [Version.Text]: "PATIENT_RESULT[1]/OBSERVATION[2]". It yields nothing if
// the message does not have that group. The errors are those of Text.
func (v *Version) SegmentsIn(m *hl7.Message, group string) (iter.Seq2[int, hl7.Segment], error) {
	steps, err := parseGroups(group)
	if err != nil {
		return nil, err
	}
	s := v.StructureOf(m)
	if s == nil {
		return nil, fmt.Errorf("hl7/dictionary: %w", ErrNoStructure)
	}
	if err := s.check(steps); err != nil {
		return nil, err
	}
	wanted := s.find(m, steps)
	return func(yield func(int, hl7.Segment) bool) {
		for _, i := range wanted {
			if !yield(i, m.Segment(i)) {
				return
			}
		}
	}, nil
}

// Groups returns an iterator over the groups that a message has, in the order in which
// they begin, each once: "PATIENT_RESULT[1]", "PATIENT_RESULT[1]/PATIENT[1]", ….
func (s *Structure) Groups(m *hl7.Message) iter.Seq[string] {
	w := newWalk(s, m)
	for range m.Len() {
		w.step()
	}
	return func(yield func(string) bool) {
		for _, i := range w.all[1:] {
			if !yield(i.path) {
				return
			}
		}
	}
}

// A groupStep is one part of a path through groups.
type groupStep struct {
	name   string
	number int
}

// parseGroups reads a path through groups.
func parseGroups(path string) ([]groupStep, error) {
	var steps []groupStep
	for part := range strings.SplitSeq(path, "/") {
		name, number, numbered := strings.Cut(part, "[")
		n := 1
		if numbered {
			var err error
			n, err = strconv.Atoi(strings.TrimSuffix(number, "]"))
			if err != nil || n < 1 || !strings.HasSuffix(number, "]") || number[0] == '+' {
				name = ""
			}
		}
		if name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return nil, fmt.Errorf("hl7/dictionary: %w: %q, want one as PATIENT_RESULT[1]/OBSERVATION[2]", hl7.ErrPath, path)
		}
		steps = append(steps, groupStep{name, n})
	}
	return steps, nil
}

// respelled adds the right spelling of a path to an error if HAPI's Terser writes it in
// another way.
func respelled(path string, err error) error {
	if !errors.Is(err, hl7.ErrPath) {
		return err
	}
	groups, element := cutElement(fromHAPI(strings.TrimPrefix(path, "/")))
	if segment, rest, found := strings.Cut(element, "-"); found {
		element = segment + "-" + strings.ReplaceAll(rest, "-", ".")
	}
	right := element
	if groups != "" {
		right = groups + "/" + element
		if _, bad := parseGroups(groups); bad != nil {
			return err
		}
	}
	if _, bad := hl7.ParsePath(element); bad != nil || right == path {
		return err
	}
	return fmt.Errorf("hl7/dictionary: %w: %q, which is %q here", hl7.ErrPath, path, right)
}

// fromHAPI rewrites a repetition of HAPI's Terser, such as (0), as [1].
func fromHAPI(path string) string {
	before, after, found := strings.Cut(path, "(")
	number, rest, closed := strings.Cut(after, ")")
	n, err := strconv.Atoi(number)
	if !found || !closed || err != nil {
		return path
	}
	return before + "[" + strconv.Itoa(n+1) + "]" + fromHAPI(rest)
}

// cutElement splits a path into its groups, which may be empty, and the rest.
func cutElement(path string) (groups, element string) {
	slash := strings.LastIndexByte(path, '/')
	return path[:max(slash, 0)], path[slash+1:]
}

// check returns an error if the structure does not have a group within the one before it.
func (s *Structure) check(steps []groupStep) error {
	around := s.Root.Children
	where := s.Name
	for _, step := range steps {
		groups := groupsIn(around)
		n := slices.IndexFunc(groups, func(g *Node) bool { return g.Name == step.name })
		if n < 0 {
			return fmt.Errorf("hl7/dictionary: %w: %s in %s, which has %s", ErrNoGroup, step.name, where, names(groups))
		}
		around = nil
		for _, g := range groups[n:] { // several groups may have one name
			if g.Name == step.name {
				around = append(around, g.Children...)
			}
		}
		where = step.name
	}
	return nil
}

// groupsIn returns the groups among nodes, and those within them.
func groupsIn(nodes []*Node) []*Node {
	var groups []*Node
	for _, n := range nodes {
		if !n.isSegment() {
			groups = append(append(groups, n), groupsIn(n.Children)...)
		}
	}
	return groups
}

// names lists the names of groups for the text of an error.
func names(groups []*Node) string {
	var all []string
	for _, g := range groups {
		if !slices.Contains(all, g.Name) {
			all = append(all, g.Name)
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// find returns the positions of the segments in the group at the end of steps.
func (s *Structure) find(m *hl7.Message, steps []groupStep) []int {
	w := newWalk(s, m)
	var wanted []int
	var found *instance      // the group at the last step that was found
	seen, at := 0, 0         // how many groups with the next step's name it has had; the number of that step
	entered := len(w.all)    // how many groups there were
	var target *instance     // the group at the end
	for i := range m.Len() { // groups begin in the order of their segments
		w.step()
		for _, began := range w.all[entered:] {
			if at == len(steps) || began.group.Name != steps[at].name || found != nil && !slices.Contains(w.open, found) {
				continue
			}
			if seen++; seen == steps[at].number {
				found, seen, at = began, 0, at+1
				if at == len(steps) {
					target = began
				}
			}
		}
		entered = len(w.all)
		if target != nil && slices.Contains(w.open, target) {
			wanted = append(wanted, i)
		}
	}
	return wanted
}
