package dictionary

// This file is about segments that fit in two places of a message.

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"hl7lake/hl7"
)

const ambiguitiesFile = "testdata/ambiguities.tsv"

// A pair holds the places that two readings of a message give to one segment, the lower
// number first.
type pair [2]int

// An ambiguity is a segment that can have two places in a conforming message.
type ambiguity struct {
	names  []string // the segments of the shortest such message
	at     int      // the position of the segment
	places [2]string
}

// ambiguities finds all of a structure. It follows two readings of one message at the
// same time: they may separate wherever the structure allows it, and both must reach the
// end.
func ambiguities(s *Structure) (found []ambiguity) {
	x := s.syntax()
	after := x.after()
	var begin []pair
	for p := range x.places {
		if x.first.has(p) {
			begin = append(begin, pair{p, p})
		}
	}
	to, step := map[pair]pair{}, map[pair][]pair{} // from which pair each was reached first, and from which ones it can be
	x.reach(begin, func(p pair) (next []pair) {
		for _, a := range after[p[0]] {
			for _, b := range after[p[1]] {
				if q := (pair{min(a, b), max(a, b)}); len(shared(x.places[a], x.places[b])) > 0 && !slices.Contains(next, q) {
					next, step[q] = append(next, q), append(step[q], p)
				}
			}
		}
		return next
	}, to)
	var end []pair
	for p := range to {
		if x.last.has(p[0]) && x.last.has(p[1]) {
			end = append(end, p)
		}
	}
	on := map[pair]pair{}
	slices.SortFunc(end, comparePairs)
	x.reach(end, func(p pair) []pair { return step[p] }, on)
	for p := range on {
		for _, q := range step[p] {
			if p[0] != p[1] && q[0] == q[1] {
				found = append(found, x.ambiguity(s, p, q, to, on))
				break
			}
		}
	}
	return found
}

func comparePairs(a, b pair) int { return slices.Compare(a[:], b[:]) }

// after returns for each place those that may come right after it.
func (x *syntax) after() [][]int {
	after := make([][]int, len(x.places))
	for q := range x.places {
		for p := range x.places {
			if x.before[q].has(p) {
				after[p] = append(after[p], q)
			}
		}
	}
	return after
}

// reach visits all pairs that can be reached from begin, nearest first, and records in
// from where each was reached from.
func (x *syntax) reach(begin []pair, next func(pair) []pair, from map[pair]pair) {
	for _, p := range begin {
		from[p] = p
	}
	for todo := begin; len(todo) > 0; todo = todo[1:] {
		for _, q := range next(todo[0]) {
			if _, was := from[q]; !was {
				from[q] = todo[0]
				todo = append(todo, q)
			}
		}
	}
}

// ambiguity builds the shortest message in which the readings separate from pair q to
// pair p.
func (x *syntax) ambiguity(s *Structure, p, q pair, to, on map[pair]pair) ambiguity {
	name := func(p pair) string { return shared(x.places[p[0]], x.places[p[1]])[0] }
	names := []string{name(q)}
	for to[q] != q {
		q = to[q]
		names = append(names, name(q))
	}
	slices.Reverse(names)
	a := ambiguity{at: len(names), places: [2]string{s.Root.pathTo(x.places[p[0]]), s.Root.pathTo(x.places[p[1]])}}
	for names = append(names, name(p)); on[p] != p; names = append(names, name(p)) {
		p = on[p]
	}
	a.names = names
	return a
}

// shared returns the names that two places have.
func shared(a, b *Node) (names []string) {
	for _, name := range a.names() {
		if slices.Contains(b.names(), name) {
			names = append(names, strings.ReplaceAll(name, AnySegment, "XYZ"))
		}
	}
	return names
}

// pathTo names the groups around a place, and the segments that it is for.
func (n *Node) pathTo(place *Node) string {
	for _, child := range n.Children {
		switch {
		case child == place:
			return strings.Join(child.names(), "|")
		case child.holds(place):
			return child.Name + "/" + child.pathTo(place)
		}
	}
	return ""
}

// read returns the group in which Locate puts the segment.
func (a ambiguity) read(t *testing.T, v *Version, s *Structure) string {
	code, event, _ := strings.Cut(s.Name, "_")
	text := "MSH|^~\\&|||||||" + code + "^" + event + "^" + s.Name + "|1|P|" + v.Name + "\r" + strings.Join(a.names[1:], "|\r") + "|\r"
	m, err := hl7.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	locations := s.Locate(m)
	for i, l := range locations {
		if !l.Expected {
			t.Errorf("%s of v%s: %s, number %d of %v, is out of place", s.Name, v.Name, a.names[i], i, a.names)
		}
	}
	return locations[a.at].Group
}

func TestAmbiguousSegmentsGoWhereTheTableSays(t *testing.T) {
	versions, order := map[string][]string{}, []string(nil)
	for v := range Versions() {
		for s := range v.Structures() {
			if s.Root.Children[0].Name != "MSH" {
				continue
			}
			for _, a := range ambiguities(s) {
				message := append(slices.Clone(a.names[:a.at]), "*"+a.names[a.at])
				line := strings.Join([]string{s.Name, a.places[0], a.places[1], strings.Join(append(message, a.names[a.at+1:]...), " "), a.read(t, v, s)}, "\t")
				if versions[line] == nil {
					order = append(order, line)
				}
				versions[line] = append(versions[line], v.Name)
			}
		}
	}
	slices.Sort(order)
	var text strings.Builder
	text.WriteString("structure\tone place\tanother\tshortest message\tgroup of the segment with *\tversions\n")
	for _, line := range order {
		fmt.Fprintf(&text, "%s\t%s\n", line, strings.Join(versions[line], " "))
	}
	// agreement_test.go defines the flag.
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		if err := os.WriteFile(ambiguitiesFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(ambiguitiesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != text.String() {
		t.Errorf("%s is stale; run go test ./hl7/dictionary -run Ambiguous -update and read the difference", ambiguitiesFile)
	}
}
