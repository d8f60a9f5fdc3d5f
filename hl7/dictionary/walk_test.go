package dictionary_test

// This file is about the walk of segments through a structure: places.go, groups.go and
// ragged.go.

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hl7lake/hl7"
	"hl7lake/hl7/dictionary"
)

// written returns names of segments as a structure allows them: all required ones, and as
// many optional and repeating ones as choose says.
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

// anyName returns a name for a segment of any name.
func anyName(name string) string {
	if name == dictionary.AnySegment {
		return "XYZ"
	}
	return name
}

// of returns a message of a structure with segments of the given names.
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

// isMessage excludes batches, and queries that hold other messages.
func isMessage(names []string) bool {
	boundaries := []string{"MSH", "BHS", "FHS", "BTS", "FTS"}
	return len(names) > 0 && names[0] == "MSH" &&
		!slices.ContainsFunc(names[1:], func(name string) bool { return slices.Contains(boundaries, name) })
}

func TestEachPlaceOfAStructureIsFoundAgain(t *testing.T) {
	checked := 0
	for v := range dictionary.Versions() {
		for s := range v.Structures() {
			for name, choose := range map[string]func(least, most int) int{
				"the least that may be": func(least, _ int) int { return least },
				"each segment once":     func(_, _ int) int { return 1 },
				"all that may be twice": func(_, most int) int { return most },
			} {
				names := written(s.Root, choose)
				if !isMessage(names) {
					continue
				}
				checked++
				if found := departures(v, of(v, s.Name, names)); found != nil {
					t.Errorf("%s of v%s, %s: %v in %v", s.Name, v.Name, name, found, names)
				}
			}
		}
	}
	if checked < 4000 {
		t.Errorf("%d messages were checked", checked)
	}
}

func structureAndVersion(t *rapid.T) (*dictionary.Version, *dictionary.Structure) {
	v := rapid.SampledFrom(slices.Collect(dictionary.Versions())).Draw(t, "version")
	return v, rapid.SampledFrom(slices.Collect(v.Structures())).Draw(t, "structure")
}

func TestAMessageThatIsWrittenByItsStructureHasEachSegmentInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, s := structureAndVersion(t)
		names := written(s.Root, func(least, most int) int { return rapid.IntRange(least, most).Draw(t, "how often") })
		if !isMessage(names) {
			t.Skip("a batch")
		}
		if found := departures(v, of(v, s.Name, names)); found != nil {
			t.Fatalf("%s of v%s: %v in %v", s.Name, v.Name, found, names)
		}
	})
}

func TestASegmentThatNoStructureHasLeavesAllOthersWhereTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, s := structureAndVersion(t)
		names := written(s.Root, func(least, most int) int { return rapid.IntRange(least, most).Draw(t, "how often") })
		if !isMessage(names) || find(s.Root, dictionary.AnySegment) != nil {
			t.Skip("a batch, or one with place for any segment")
		}
		at := rapid.IntRange(1, len(names)).Draw(t, "at")
		name := rapid.SampledFrom([]string{"ZZZ", "???", "QQQ", "ADD"}).Draw(t, "name")
		alone := s.Locate(of(v, s.Name, names))
		among := s.Locate(of(v, s.Name, slices.Insert(slices.Clone(names), at, name)))
		if among[at].Group != among[at-1].Group {
			t.Errorf("%s is in %q behind %q", name, among[at].Group, among[at-1].Group)
		}
		if diff := cmp.Diff(alone, slices.Delete(among, at, at+1)); diff != "" {
			t.Errorf("%s of v%s with %s at %d in %v (-alone +among):\n%s", s.Name, v.Name, name, at, names, diff)
		}
	})
}

func TestAPatientsSegmentBehindAnOrderLeavesTheResultsWithTheirPatient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := dictionary.Of(rapid.SampledFrom([]string{"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7.1", "2.8.2"}).Draw(t, "version"))
		s := v.Structure("ORU_R01")
		names := []string{"MSH"}
		for range rapid.IntRange(1, 3).Draw(t, "patients") {
			names = append(names, "PID")
			for range rapid.IntRange(1, 3).Draw(t, "orders") {
				names = append(names, "ORC", "OBR")
				for range rapid.IntRange(0, 3).Draw(t, "results") {
					names = append(names, "OBX")
				}
			}
		}
		var behind []int
		for i, name := range names {
			if name == "ORC" || name == "OBR" || name == "OBX" {
				behind = append(behind, i+1)
			}
		}
		at := rapid.SampledFrom(behind).Draw(t, "behind")
		name := rapid.SampledFrom([]string{"PV1", "PD1", "PV2"}).Draw(t, "name")
		alone := s.Locate(of(v, s.Name, names))
		m := of(v, s.Name, slices.Insert(slices.Clone(names), at, name))
		among := s.Locate(m)
		if among[at].Expected || among[at].Group != among[at-1].Group {
			t.Errorf("%s is in %q, expected %v, behind %q", name, among[at].Group, among[at].Expected, among[at-1].Group)
		}
		if diff := cmp.Diff(alone, slices.Delete(slices.Clone(among), at, at+1)); diff != "" {
			t.Errorf("v%s, %s at %d in %v (-alone +among):\n%s", v.Name, name, at, names, diff)
		}
		if diff := cmp.Diff([]string{name + "[1]: misplaced"}, departures(v, m)); diff != "" {
			t.Errorf("v%s, %s at %d in %v (-want +got):\n%s", v.Name, name, at, names, diff)
		}
	})
}

func TestSegmentsOutOfPlaceOfTheCasesStayWithWhatTheyFollow(t *testing.T) {
	for name, want := range map[string]struct{ groups, findings []string }{
		"group-oml-o21-two-orders-25": {[]string{
			"MSH ", "PID PATIENT[1]", "ORC ORDER[1]", "OBR ORDER[1]/OBSERVATION_REQUEST[1]", "NTE ORDER[1]/OBSERVATION_REQUEST[1]",
			"ORC ORDER[2]", "OBR ORDER[2]/OBSERVATION_REQUEST[1]", "NTE ORDER[2]/OBSERVATION_REQUEST[1]",
		}, nil},
		"group-oru-pv1-after-orc": {[]string{
			"MSH ", "PID PATIENT_RESULT[1]/PATIENT[1]", "ORC PATIENT_RESULT[1]/ORDER_OBSERVATION[1]", "PV1 PATIENT_RESULT[1]/ORDER_OBSERVATION[1]",
			"OBR PATIENT_RESULT[1]/ORDER_OBSERVATION[1]", "OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[1]/OBSERVATION[1]",
			"ORC PATIENT_RESULT[1]/ORDER_OBSERVATION[2]", "OBR PATIENT_RESULT[1]/ORDER_OBSERVATION[2]", "OBX PATIENT_RESULT[1]/ORDER_OBSERVATION[2]/OBSERVATION[1]",
		}, []string{"PV1[1]: misplaced"}},
		"group-srm-aip-before-ail": {[]string{
			"MSH ", "ARQ ", "PID PATIENT[1]", "DG1 PATIENT[1]", "RGS RESOURCES[1]", "AIP RESOURCES[1]/PERSONNEL_RESOURCE[1]", "AIL RESOURCES[1]/PERSONNEL_RESOURCE[1]",
		}, []string{"AIL[1]: misplaced"}},
		"oul-r22-specimen-without-container": {[]string{
			"MSH ", "SPM SPECIMEN[1]", "OBR SPECIMEN[1]/ORDER[1]", "OBX SPECIMEN[1]/ORDER[1]/RESULT[1]",
		}, nil},
		"oml-o21-single-order-26": {[]string{
			"MSH ", "PID PATIENT[1]", "ORC ORDER[1]", "OBR ORDER[1]/OBSERVATION_REQUEST[1]",
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := readCase(t, name)
			v := dictionary.Of(m.Version())
			var got []string
			for i, l := range v.StructureOf(m).Locate(m) {
				got = append(got, m.Segment(i).Name()+" "+l.Group)
			}
			if diff := cmp.Diff(want.groups, got); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.findings, departures(v, m)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// readCase parses an input that once went wrong. These inputs are beside the repository
// and are not copied into it.
func readCase(t *testing.T, name string) *hl7.Message {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../../shared/cases", name+".hl7"))
	if err != nil {
		t.Skipf("the cases are not beside the repository: %v", err)
	}
	m, err := hl7.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
