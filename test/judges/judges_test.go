// Package judges asks programs by other makers about the templates that are committed, and about the workflows of CI.
// What this repository's own tests take for granted may be wrong in a way that they cannot see; each judge here was
// written by somebody else, from AWS's documentation.
//
// The templates are read from test/snapshots, or from the folder that -snapshots names, so no CDK is needed. A judge
// that looked at nothing fails, and so does an acceptance (accepted_test.go) of what is no longer found. A judge that is
// not installed is skipped, and its message says how to install it; in CI it must be there (see missing).
package judges

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"hl7lake/local/template"
)

var snapshots = flag.String("snapshots", "../snapshots", "the folder that has a folder of templates for each environment")

// finding is one thing that a judge does not like.
type finding struct {
	place   string // environment/stack/resource, or a file
	rule    string // as the judge names it
	message string
}

// verdict is what one judge says.
type verdict struct {
	looked   int    // how many things it looked at
	of       string // what these are: "policy documents"
	findings []finding
}

// environment is the stacks of one environment, as they would be deployed together.
type environment struct {
	name   string
	folder string
	stacks *template.Assembly
	ids    map[string]string // the name of each stack's file, by the name of the stack
}

// summary collects a line for each judge, which TestMain prints.
var summary struct {
	sync.Mutex
	lines []string
}

func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if len(summary.lines) > 0 {
		slices.Sort(summary.lines)
		fmt.Printf("judges of the templates in %s:\n  %s\n", *snapshots, strings.Join(summary.lines, "\n  "))
	}
	os.Exit(status)
}

// environments reads all folders of templates in a folder.
func environments(t *testing.T, folder string) []environment {
	t.Helper()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(folder, "*", "manifest.json"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no environments in %s: %v", folder, err)
	}
	var all []environment
	for _, manifest := range manifests {
		all = append(all, readEnvironment(t, filepath.Dir(manifest)))
	}
	return all
}

func readEnvironment(t *testing.T, folder string) environment {
	t.Helper()
	stacks, err := template.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Artifacts map[string]struct {
			Properties struct{ StackName string }
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for id, artifact := range manifest.Artifacts {
		ids[cmp.Or(artifact.Properties.StackName, id)] = id
	}
	return environment{name: filepath.Base(folder), folder: folder, stacks: stacks, ids: ids}
}

// files are the paths of the environment's templates.
func (e environment) files() []string {
	var files []string
	for _, stack := range e.stacks.Stacks {
		files = append(files, filepath.Join(e.folder, e.ids[stack.Name]+".template.json"))
	}
	return files
}

// place names a resource as the acceptances do: environment/stack/logical id.
func (e environment) place(r *template.Resource) string {
	return e.name + "/" + e.ids[r.Stack.Name] + "/" + r.LogicalID
}

// placeIn names a resource of a template's file, as judges that read files name it.
func placeIn(file, resource string) string {
	stack := strings.TrimSuffix(filepath.Base(file), ".template.json")
	return filepath.Base(filepath.Dir(file)) + "/" + stack + "/" + resource
}

// each calls f for each resource with its properties, every intrinsic function in them computed.
func each(t *testing.T, all []environment, f func(place string, r *template.Resource, properties map[string]any)) {
	t.Helper()
	for _, e := range all {
		for _, stack := range e.stacks.Stacks {
			for _, r := range stack.Resources {
				properties, err := r.Properties()
				if err != nil {
					t.Fatal(err)
				}
				f(e.place(r), r, properties)
			}
		}
	}
}

// hear fails the test for each finding that is not accepted, and for each acceptance of this judge that nothing needs.
func hear(t *testing.T, judge string, says verdict) {
	t.Helper()
	unaccepted, unneeded := weigh(judge, says.findings, accepted())
	line := fmt.Sprintf("%-14s looked at %d %s: %d findings, %d accepted", judge, says.looked, says.of,
		len(says.findings), len(says.findings)-len(unaccepted))
	t.Log(line)
	summary.Lock()
	summary.lines = append(summary.lines, line)
	summary.Unlock()
	if says.looked == 0 {
		t.Errorf("%s looked at nothing", judge)
	}
	for _, each := range unaccepted {
		t.Errorf("%s: %s: %s: %s", judge, each.place, each.rule, each.message)
	}
	for _, each := range unneeded {
		t.Errorf("accepted_test.go accepts what %s no longer finds: %s", judge, each)
	}
}

// weigh returns the findings of a judge that no acceptance covers, and what of the acceptances covers no finding.
func weigh(judge string, findings []finding, acceptances []acceptance) (unaccepted []finding, unneeded []string) {
	covered := make([]bool, len(findings))
	for _, each := range acceptances {
		if each.judge != judge {
			continue
		}
		for _, pattern := range each.where {
			needed := false
			for i, found := range findings {
				if each.covers(pattern, found) {
					covered[i], needed = true, true
				}
			}
			if !needed {
				unneeded = append(unneeded, strings.TrimSpace(each.rule+" "+each.about)+" at "+pattern)
			}
		}
	}
	for i, each := range findings {
		if !covered[i] {
			unaccepted = append(unaccepted, each)
		}
	}
	return unaccepted, unneeded
}

// brokenCase is resources (JSON, one of them named Subject) and what a judge must say of Subject: words that its rule and
// message contain, or nothing at all where want is empty.
type brokenCase struct{ resources, want string }

// mustRefuse has a judge look at all cases at once, as it starts slowly.
func mustRefuse(t *testing.T, judge func(*testing.T, []environment) verdict, cases map[string]brokenCase) {
	t.Helper()
	names := slices.Sorted(maps.Keys(cases))
	together := map[string]json.RawMessage{}
	for i, name := range names {
		var resources map[string]json.RawMessage
		if err := json.Unmarshal([]byte(cases[name].resources), &resources); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for id, resource := range resources {
			text := bytes.ReplaceAll(resource, []byte(`"Subject"`), fmt.Appendf(nil, `"Subject%d"`, i))
			together[id+strconv.Itoa(i)] = text
		}
	}
	says := judge(t, broken(t, together))
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			mustFind(t, says, "broken/Stack/Subject"+strconv.Itoa(i), cases[name].want)
		})
	}
}

// broken writes a template of the given resources as the only stack of an environment.
func broken(t *testing.T, resources map[string]json.RawMessage) []environment {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "broken")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"manifest.json": []byte(`{"artifacts": {"Stack": {"type": "aws:cloudformation:stack",
			"properties": {"templateFile": "Stack.template.json", "stackName": "stack"}}}}`),
		"Stack.template.json": text,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []environment{readEnvironment(t, folder)}
}

// mustFind fails the test unless the judge finds, at the place, something whose rule and message contain want; with
// want empty, it must find nothing there.
func mustFind(t *testing.T, says verdict, place, want string) {
	t.Helper()
	var there []finding
	for _, each := range says.findings {
		if each.place == place {
			there = append(there, each)
		}
	}
	if want == "" && len(there) > 0 {
		t.Errorf("found fault with what is right: %v", there)
	}
	if want != "" && !slices.ContainsFunc(there, func(f finding) bool { return strings.Contains(f.rule+": "+f.message, want) }) {
		t.Errorf("did not find %q at %s; found %v", want, place, there)
	}
}
