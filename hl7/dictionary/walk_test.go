package dictionary_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// written returns names of segments as a structure has them: what is required, and of what
// is optional or repeats as much as choose says.
func written(n *dictionary.Node, choose func(least, most int) int) []string {
	var names []string
	for _, child := range n.Children {
		least, most := 0, 1
		if child.Required {
			least = 1
		}
		if child.Repeats {
			most = 2
		}
		for range choose(least, most) {
			switch {
			case child.Name == "":
				names = append(names, anyName(child.Children[min(choose(0, len(child.Children)-1), len(child.Children)-1)].Name))
			case child.Children == nil:
				names = append(names, anyName(child.Name))
			default:
				names = append(names, written(child, choose)...)
			}
		}
	}
	return names
}

// anyName returns a name for a segment of whatever name.
func anyName(name string) string {
	if name == dictionary.AnySegment {
		return "XYZ"
	}
	return name
}

// of makes a message of a structure from the names of its segments.
func of(v *dictionary.Version, structure string, names []string) *hl7.Message {
	code, event, _ := strings.Cut(structure, "_")
	text := "MSH|^~\\&|||||||" + code + "^" + event + "^" + structure + "|1|P|" + v.Name + "\r"
	if len(names) > 1 {
		text += strings.Join(names[1:], "|\r") + "|\r"
	}
	m, err := hl7.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return m
}

// departures returns what is wrong with the places of a message's segments.
func departures(v *dictionary.Version, m *hl7.Message) (found []string) {
	for _, f := range v.Validate(m, dictionary.Lenient) {
		if slices.Contains([]dictionary.Rule{dictionary.Misplaced, dictionary.UnexpectedSegment, dictionary.MissingSegment}, f.Rule) {
			found = append(found, f.String())
		}
	}
	return found
}

func TestWhatEachStructureRequiresAndAllThatItHasIsInItsPlace(t *testing.T) {
	for v := range dictionary.Versions() {
		for s := range v.Structures() {
			for name, choose := range map[string]func(least, most int) int{
				"the least": func(least, _ int) int { return least },
				"each once": func(_, _ int) int { return 1 },
				"the most":  func(_, most int) int { return most },
			} {
				names := written(s.Root, choose)
				if len(names) == 0 || names[0] != "MSH" || slices.ContainsFunc(names[1:], func(n string) bool { return slices.Contains([]string{"MSH", "BHS", "FHS", "BTS", "FTS"}, n) }) {
					continue
				}
				if found := departures(v, of(v, s.Name, names)); found != nil {
					fmt.Println(v.Name, s.Name, name, found, names)
				}
			}
		}
	}
}

func TestRandom(t *testing.T) {
	bad := map[string]int{}
	total := 0
	rapid.Check(t, func(t *rapid.T) {
		v := dictionary.Of(rapid.SampledFrom([]string{"2.3", "2.5.1", "2.6", "2.8"}).Draw(t, "v"))
		var all []*dictionary.Structure
		for s := range v.Structures() {
			all = append(all, s)
		}
		s := rapid.SampledFrom(all).Draw(t, "s")
		names := written(s.Root, func(l, m int) int { return rapid.IntRange(l, m).Draw(t, "n") })
		if names[0] != "MSH" {
			return
		}
		total++
		if f := departures(v, of(v, s.Name, names)); f != nil {
			bad[v.Name+" "+s.Name]++
		}
	})
	fmt.Println(total, bad)
}
