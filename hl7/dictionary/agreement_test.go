package dictionary_test

// This file is about the agreement of the dictionary with other sources of the standard.

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hl7lake/hl7/dictionary"
	"hl7lake/hl7/dictionary/internal/facts"
)

var update = flag.Bool("update", false, "write the tables of agreement and disagreement anew")

// Where the facts are that the dictionary is compared with, what the standard decides
// against them, and where the result is kept.
const (
	patchFile         = "generate/patch.tsv"
	factsFolder       = "../../../shared/facts"
	agreementFile     = "testdata/agreement.txt"
	disagreementsFile = "testdata/disagreements.tsv"
)

// A claim is one statement about the standard in one version.
type claim struct{ version, kind, element string }

// The kinds of claims, in the order in which they are counted. There is no claim about
// what a source does not hold: a table or a length that it does not give, how often a
// withdrawn field repeats, and names of groups that are made up.
var kinds = []string{
	"field", "field name", "field type", "field required", "field repetitions", "field table", "field length",
	"component", "component name", "component type", "component table",
	"structure", "structure shape", "group names", "event", "code",
}

// claims turns what the dictionary holds into claims.
func claims() map[claim]string {
	all := map[claim]string{}
	for v := range dictionary.Versions() {
		add := func(kind, element, value string) { all[claim{v.Name, kind, element}] = value }
		for s := range v.Segments() {
			for n, f := range v.Fields(s.Name) {
				element := s.Name + "-" + strconv.Itoa(n)
				add("field", element, "yes")
				add("field name", element, normal(f.Name))
				add("field type", element, f.Type)
				add("field required", element, strconv.FormatBool(f.Usage == dictionary.Required))
				add("field repetitions", element, strconv.Itoa(f.Repetitions))
				add("field table", element, strconv.Itoa(f.Table))
				add("field length", element, strconv.Itoa(f.Length))
			}
		}
		for t := range v.Types() {
			for i, c := range t.Components {
				element := t.Name + "." + strconv.Itoa(i+1)
				add("component", element, "yes")
				add("component name", element, normal(c.Name))
				add("component type", element, c.Type)
				add("component table", element, strconv.Itoa(c.Table))
			}
		}
		for s := range v.Structures() {
			root, err := facts.ParseStructure(grammar(s.Root))
			if err != nil {
				panic(err)
			}
			add("structure", s.Name, "yes")
			add("structure shape", s.Name, root.Shape())
			add("group names", s.Name, strings.Join(root.GroupNames(), " "))
		}
		for event, s := range v.Events() {
			add("event", event, s.Name)
		}
		for t := range v.Tables() {
			for code := range t.Values {
				add("code", fmt.Sprintf("%04d %s", t.Number, code), "yes")
			}
		}
	}
	return all
}

// grammar writes a structure in the notation of the tables.
func grammar(n *dictionary.Node) string {
	var parts []string
	for _, child := range n.Children {
		part := child.Name
		if child.Name == "" {
			part = "<" + grammar(child) + ">"
		} else if child.Children != nil {
			part += "(" + grammar(child) + ")"
		}
		switch {
		case child.Required && child.Repeats:
			part += "+"
		case child.Repeats:
			part += "*"
		case !child.Required:
			part += "?"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// normal returns a name's letters and digits. Sources differ in how they spell the rest.
func normal(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToUpper(name))
}

// sourceClaims turns what a source holds into claims.
func sourceClaims(s *facts.Source) map[claim]string {
	all := map[claim]string{}
	for version, segments := range s.Fields {
		for name, fields := range segments {
			for i, f := range fields {
				if f.Missing {
					continue
				}
				add := func(kind, value string) { all[claim{version, kind, name + "-" + strconv.Itoa(i+1)}] = value }
				add("field", "yes")
				add("field name", normal(f.Name))
				add("field type", f.Type)
				add("field required", strconv.FormatBool(f.Required))
				if f.Type != "" {
					add("field repetitions", strconv.Itoa(f.Most))
				}
				if f.Table != 0 {
					add("field table", strconv.Itoa(f.Table))
				}
				if f.Length != 0 {
					add("field length", strconv.Itoa(f.Length))
				}
			}
		}
	}
	for version, types := range s.Components {
		for name, components := range types {
			for i, c := range components {
				if c.Missing || strings.HasSuffix(name, "_SIMPLE") {
					continue
				}
				add := func(kind, value string) { all[claim{version, kind, name + "." + strconv.Itoa(i+1)}] = value }
				add("component", "yes")
				add("component name", normal(c.Name))
				add("component type", c.Type)
				if c.Table != 0 {
					add("component table", strconv.Itoa(c.Table))
				}
			}
		}
	}
	for version, structures := range s.Structures {
		for name, root := range structures {
			all[claim{version, "structure", name}] = "yes"
			all[claim{version, "structure shape", name}] = root.Shape()
			if !root.NamesMadeUp() {
				all[claim{version, "group names", name}] = strings.Join(root.GroupNames(), " ")
			}
		}
	}
	for version, events := range s.Events {
		for event, structure := range events {
			all[claim{version, "event", event}] = structure
		}
	}
	for version, tables := range s.Codes {
		for number, printed := range tables {
			codes, _ := facts.CleanCodes(printed)
			for _, code := range codes {
				all[claim{version, "code", fmt.Sprintf("%04d %s", number, code)}] = "yes"
			}
		}
	}
	return all
}

// A count says how many claims of a kind there are, and how many of them are the same.
type count struct{ same, all int }

// A disagreement is a claim on which the dictionary and a source differ. A value is empty
// if that side makes no such claim.
type disagreement struct {
	claim
	source, ours, theirs string
}

// compare counts by source, kind and version. If a source has no data of a kind in a
// version, that is not a disagreement.
func compare(ours map[claim]string, sources map[string]map[claim]string) (map[[3]string]*count, []disagreement) {
	counts, all := map[[3]string]*count{}, []disagreement(nil)
	for source, theirs := range sources {
		held := map[[2]string]bool{}
		for c := range theirs {
			held[[2]string{c.version, c.kind}] = true
		}
		union := maps.Clone(theirs)
		for c := range ours {
			if existence(c.kind) && held[[2]string{c.version, c.kind}] && c.kind != "event" {
				union[c] = ""
			}
		}
		for c := range union {
			value, has := ours[c]
			if !has && !existence(c.kind) { // reported once, as the existence of the element
				continue
			}
			n := counts[[3]string{source, c.kind, c.version}]
			if n == nil {
				n = new(count)
				counts[[3]string{source, c.kind, c.version}] = n
			}
			n.all++
			if value == theirs[c] {
				n.same++
			} else {
				all = append(all, disagreement{c, source, value, theirs[c]})
			}
		}
	}
	slices.SortFunc(all, func(a, b disagreement) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)), cmp.Compare(a.element, b.element),
			cmp.Compare(a.version, b.version), cmp.Compare(a.source, b.source))
	})
	return counts, all
}

func existence(kind string) bool {
	return kind == "field" || kind == "component" || kind == "structure" || kind == "event" || kind == "code"
}

// agreementTable writes the counts, with a line for each source and kind.
func agreementTable(counts map[[3]string]*count) string {
	var text strings.Builder
	versions := []string{"all"}
	for v := range dictionary.Versions() {
		versions = append(versions, v.Name)
	}
	fmt.Fprintf(&text, "%-7s %-18s", "source", "kind")
	for _, v := range versions {
		fmt.Fprintf(&text, " %11s", v)
	}
	for _, source := range []string{facts.HL7apy, facts.HAPI} {
		for _, kind := range kinds {
			total := new(count)
			for _, v := range versions[1:] {
				if n := counts[[3]string{source, kind, v}]; n != nil {
					total.same, total.all = total.same+n.same, total.all+n.all
				}
			}
			if total.all == 0 {
				continue
			}
			counts[[3]string{source, kind, "all"}] = total
			fmt.Fprintf(&text, "\n%-7s %-18s", source, kind)
			for _, v := range versions {
				cell := ""
				if n := counts[[3]string{source, kind, v}]; n != nil {
					cell = fmt.Sprintf("%d/%d", n.same, n.all)
				}
				fmt.Fprintf(&text, " %11s", cell)
			}
		}
	}
	return strings.ReplaceAll(text.String()+"\n", " \n", "\n")
}

func TestAgreementWithTwoIndependentImplementationsIsAsRecorded(t *testing.T) {
	hl7apy, hapi, err := facts.Read(factsFolder)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the facts of two other implementations are not beside the module (../shared/facts)")
	}
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]map[claim]string{facts.HL7apy: sourceClaims(hl7apy), facts.HAPI: sourceClaims(hapi)}
	ours := claims()
	counts, disagreements := compare(ours, sources)
	recorded(t, agreementFile, agreementTable(counts))
	recorded(t, disagreementsFile, newReasons(readPatch(t), ours, sources).list(t, disagreements))
}

// recorded compares a text with the one kept in a file. With -update it writes the file
// instead.
func recorded(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != text {
		t.Errorf("%s is stale; run go test ./hl7/dictionary -run %s -update and read the difference", file, t.Name())
	}
}
