package dictionary_test

// This file is about what the standard says where other sources are wrong.

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"hl7lake/hl7/dictionary"
	"hl7lake/hl7/dictionary/internal/facts"
)

// A change is a line of the patch: what the standard says where the sources are wrong.
type change struct {
	versions               []string
	what, element, section string
}

func readPatch(t *testing.T) (changes []change) {
	t.Helper()
	text, err := os.ReadFile(patchFile)
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for v := range dictionary.Versions() {
		versions = append(versions, v.Name)
	}
	for line := range strings.Lines(string(text)) {
		c := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if line[0] == '#' || len(c) != 6 {
			continue
		}
		first, last, ok := strings.Cut(c[0], "-")
		if !ok {
			last = first
		}
		changes = append(changes, change{versions[slices.Index(versions, first) : slices.Index(versions, last)+1], c[1], c[2], c[4]})
	}
	return changes
}

// concerns reports whether the change is about the claim in the disagreement.
func (c change) concerns(d disagreement) bool {
	if !slices.Contains(c.versions, d.version) {
		return false
	}
	what := map[string][]string{
		"name": {"field name", "component name"}, "type": {"field type", "component type"}, "usage": {"field required"},
		"repetitions": {"field repetitions"}, "table": {"field table", "component table"}, "length": {"field length"},
		"event": {"event", "structure"}, "structure": {"structure shape"}, "add structure": {"structure"}, "keep structure": {"structure"}, "drop structure": {"structure"},
	}
	switch c.what {
	case "group":
		return d.kind == "group names" && strings.Contains(d.theirs, c.element)
	case "keep segment":
		return d.kind == "field" && strings.HasPrefix(d.element, c.element+"-")
	}
	return c.element == d.element && slices.Contains(what[c.what], d.kind)
}

// reasons explains why the dictionary does not follow a source.
type reasons struct {
	changes  []change
	ours     map[claim]string
	sources  map[string]map[claim]string
	holds    map[[3]string]bool // a source has data of a kind in a version
	segments map[[3]string]bool // a source has a segment in a version
}

func newReasons(changes []change, ours map[claim]string, sources map[string]map[claim]string) reasons {
	r := reasons{changes, ours, sources, map[[3]string]bool{}, map[[3]string]bool{}}
	for source, all := range sources {
		for c := range all {
			r.holds[[3]string{source, c.version, c.kind}] = true
			if segment, _, ok := strings.Cut(c.element, "-"); ok && c.kind == "field" {
				r.segments[[3]string{source, c.version, segment}] = true
			}
		}
	}
	return r
}

// of returns why the dictionary says what it says, or "" if no rule explains it.
func (r reasons) of(d disagreement) string {
	for _, c := range r.changes {
		if c.concerns(d) {
			return "the standard: " + c.section
		}
	}
	other := facts.HAPI
	if d.source == facts.HAPI {
		other = facts.HL7apy
	}
	second, told := r.sources[other][d.claim]
	switch {
	case d.source == facts.HAPI && r.shifted(d):
		return "HAPI's fields are out of step here: this is its next one or the last"
	case d.version >= "2.8" && d.kind == "field repetitions" && d.source == facts.HL7apy && d.theirs == "0" && !r.before(d):
		return "new after v2.7.1, where hl7apy has no limit whatever the table says"
	case strings.HasPrefix(d.version, "2.5") && d.kind == "field repetitions" && d.theirs == "0" && d.ours > "1":
		return "the versions around this one have the limit"
	case existence(d.kind) && told == (d.theirs == "") && r.holds[[3]string{other, d.version, d.kind}], !existence(d.kind) && told && second == d.ours:
		return outvoted(d, other)
	case d.kind == "structure":
		return r.ofStructure(d)
	case d.kind == "event":
		return r.ofEvent(d)
	case d.kind == "field" && d.theirs == "" && !r.segments[[3]string{d.source, d.version, segmentOf(d.element)}]:
		return "a structure of the version has the segment"
	case d.version == "2.3" && (d.kind == "field repetitions" && d.ours == "0" || d.kind == "field required" && d.ours == "false"):
		return "v2.3.1 corrects v2.3"
	case r.withdrawn(d):
		return "withdrawn from this version"
	case d.version == "2.8.2":
		return "as was decided for v2.8.1, of which hl7apy says the same"
	case strings.HasPrefix(d.kind, "component"):
		return "the npm package's stays where hl7apy alone says otherwise"
	case d.kind == "field length":
		return "the npm package's stays where HAPI alone says otherwise"
	case !told:
		return "what the sources do not agree on stays as in the npm package or the version before"
	case second != d.theirs:
		return "all differ: as in the npm package or the version before"
	}
	return r.againstBoth(d)
}

// before reports whether v2.7.1 has the field, too.
func (r reasons) before(d disagreement) bool {
	_, has := r.ours[claim{"2.7.1", d.kind, d.element}]
	return has
}

// outvoted is the reason if the other source agrees with the dictionary.
func outvoted(d disagreement, other string) string {
	switch {
	case d.version < "2.8":
		return other + " and the npm package say otherwise"
	case d.source == facts.HAPI:
		return "hl7apy's stays where the version before does not bear HAPI out"
	}
	return "HAPI and the version before say otherwise"
}

// shifted reports whether HAPI gives a field the name of the field next to it.
func (r reasons) shifted(d disagreement) bool {
	if !strings.HasPrefix(d.kind, "field") {
		return false
	}
	segment, number, _ := strings.Cut(d.element, "-")
	var n int
	if _, err := fmt.Sscan(number, &n); err != nil {
		return false
	}
	name := r.sources[facts.HAPI][claim{d.version, "field name", d.element}]
	for _, beside := range []int{n - 1, n + 1} {
		if next := r.ours[claim{d.version, "field name", fmt.Sprintf("%s-%d", segment, beside)}]; next != "" && next == name {
			return r.ours[claim{d.version, "field name", d.element}] != name
		}
	}
	return name == "" && d.ours != "" && d.version == "2.3" // the last field, if an earlier one is missing
}

func (r reasons) ofStructure(d disagreement) string {
	v := dictionary.Of(d.version)
	_, shared := r.sources[facts.HAPI][claim{d.version, "event", d.element}]
	switch {
	case d.ours == "" && (shared || v.StructureFor(split(d.element)) != nil):
		return "table 0354 gives the event the structure of another"
	case d.ours == "":
		return "no other source has it"
	case v.Table(354) != nil && hasCode(v.Table(354), d.element):
		return "the version's table 0354 has it"
	}
	return "the npm package and one other have it"
}

func segmentOf(field string) string {
	segment, _, _ := strings.Cut(field, "-")
	return segment
}

func split(structure string) (code, event string) {
	code, event, _ = strings.Cut(structure, "_")
	return code, event
}

func hasCode(t *dictionary.Table, code string) bool {
	_, ok := t.Values[code]
	return ok
}

func (r reasons) ofEvent(d disagreement) string {
	switch {
	case r.ours[claim{d.version, "structure", d.theirs}] == "":
		return "no source but HAPI has that structure"
	case strings.HasSuffix(d.element, "nn"):
		return "nn stands for any number and is no event"
	case r.ours[claim{d.version, "structure", d.element}] != "":
		return "the version's table 0354 has a structure of that name"
	}
	return ""
}

// withdrawn reports whether the dictionary has the field as withdrawn.
func (r reasons) withdrawn(d disagreement) bool {
	dataType, ok := r.ours[claim{d.version, strings.Fields(d.kind)[0] + " type", d.element}]
	return ok && dataType == ""
}

// againstBoth is the reason if the dictionary differs from both sources and these agree.
func (r reasons) againstBoth(d disagreement) string {
	switch {
	case d.kind == "field name" && strings.Contains(d.theirs, "NUMBER"):
		return "the number only tells fields of one name apart"
	case d.kind == "group names":
		return "the groups are not the same"
	case d.kind == "structure shape" && strings.ReplaceAll(d.ours, " RXO RXE", "") == d.theirs:
		return "where the npm package names the segments the sources have any segment"
	}
	return ""
}

// list writes the disagreements, with one line for all versions that have the same one.
func (r reasons) list(t *testing.T, all []disagreement) string {
	t.Helper()
	versions, order := map[string][]string{}, []string(nil)
	for _, d := range all {
		reason := r.of(d)
		if reason == "" {
			t.Errorf("%s: the dictionary has %q for the %s of %s, %s %q, and no rule says why", d.version, d.ours, d.kind, d.element, d.source, d.theirs)
		}
		ours, theirs := difference(d.ours, d.theirs)
		line := strings.Join([]string{d.source, ours, theirs, reason}, "\t")
		key := d.kind + "\t" + d.element + "\t%s\t" + strings.ReplaceAll(line, "%", "%%")
		if versions[key] == nil {
			order = append(order, key)
		}
		versions[key] = append(versions[key], d.version)
	}
	var text strings.Builder
	text.WriteString("kind\telement\tversions\tsource\tdictionary\tsource's\treason\n")
	for _, key := range order {
		fmt.Fprintf(&text, key+"\n", strings.Join(versions[key], " "))
	}
	return text.String()
}

// difference removes the common beginning and end of two long values.
func difference(a, b string) (string, string) {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) < 6 || len(y) < 6 {
		return a, b
	}
	for len(x) > 1 && len(y) > 1 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 1 && len(y) > 1 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	return strings.Join(x, " "), strings.Join(y, " ")
}
