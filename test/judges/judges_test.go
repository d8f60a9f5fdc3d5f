// Package judges asks programs by other makers about the committed templates and about
// the workflows of CI. What this repository's own tests take for granted may be wrong in
// a way that they cannot see. Each judge was written by somebody else, from AWS's
// documentation.
//
// The templates are read from test/snapshots, or from the folder that -snapshots names,
// so the CDK is not needed. A judge that looked at nothing fails, and so does an
// acceptance (accepted_test.go) of something that is no longer found. A judge that is not
// installed is skipped, and its message says how to install it. JUDGES, which .ci/run
// sets, names those that must not be missing.
package judges

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"hl7lake/local"
	"hl7lake/local/template"
)

const committed = "../snapshots"

var snapshots = flag.String("snapshots", committed, "the folder that has a folder of templates for each environment")

// finding is one thing that a judge objects to.
type finding struct {
	place   string // environment/stack/resource, or a file
	rule    string // as the judge names it
	message string
}

// verdict is what one judge says.
type verdict struct {
	looked   int    // how many things it looked at
	of       string // what it looked at, such as "policy documents"
	findings []finding
}

// environment is the stacks of one environment, as they would be deployed together.
type environment struct {
	name   string
	folder string
	stacks *template.Assembly
	ids    map[string]string // the name of each stack's file, by the name of the stack
}

// summary has a line for each judge that ran, by its name; TestMain prints them.
var summary struct {
	sync.Mutex
	lines map[string]string
}

// required are the judges that the environment variable JUDGES names, separated by
// spaces, except for those that other packages ask: moto in test/differential,
// iam-simulate in test/judges/simulate, MiniStack in test/rehearse, DuckDB in test/sql,
// boto3 in test/e2e, the AWS CLI and DuckDB's own in test/docs, senders and receivers of
// MLLP in test/edge, a browser and axe in test/console.
func required() []string {
	return slices.DeleteFunc(strings.Fields(os.Getenv("JUDGES")), func(judge string) bool {
		elsewhere := []string{"moto_server", "iam-simulate", "ministack", "duckdb", "boto3", "awscli", "duckdb-cli", "python-hl7", "simple-hl7",
			"chromium", "axe-core"}
		return slices.Contains(elsewhere, judge)
	})
}

// TestMain tells what each judge looked at. If all tests ran, it also fails for each
// required judge that did not run.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if len(summary.lines) > 0 {
		fmt.Printf("judges of the templates in %s:\n", *snapshots)
	}
	for _, judge := range slices.Sorted(maps.Keys(summary.lines)) {
		fmt.Printf("  %s\n", summary.lines[judge])
	}
	if some := flag.Lookup("test.run").Value.String() + flag.Lookup("test.skip").Value.String(); some == "" {
		for _, judge := range required() {
			if summary.lines[judge] == "" {
				fmt.Printf("FAIL: JUDGES requires %s, which was not heard\n", judge)
				status = 1
			}
		}
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
	stacks, err := local.Load(folder)
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

// each calls f for each resource with its properties, with every intrinsic function in
// them computed.
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

// withoutIntrinsics writes the templates to files of the same names, with the values of
// their intrinsic functions.
func withoutIntrinsics(t *testing.T, all []environment) []string {
	t.Helper()
	type resource struct {
		Type       string
		Properties map[string]any
	}
	folder := t.TempDir()
	templates := map[string]map[string]resource{}
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		file := filepath.Join(folder, filepath.Dir(place)+".template.json")
		if templates[file] == nil {
			templates[file] = map[string]resource{}
		}
		templates[file][r.LogicalID] = resource{r.Type, properties}
	})
	for file, resources := range templates {
		text, err := json.Marshal(map[string]any{"Resources": resources})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return slices.Sorted(maps.Keys(templates))
}

// hear fails the test for each finding that is not accepted. For the committed templates
// it also fails for each acceptance of this judge that nothing needs.
func hear(t *testing.T, judge string, says verdict) {
	t.Helper()
	unaccepted, unneeded := weigh(judge, says.findings, accepted())
	line := fmt.Sprintf("%-33s looked at %d %s: %d findings, %d accepted", judge, says.looked, says.of,
		len(says.findings), len(says.findings)-len(unaccepted))
	t.Log(line)
	summary.Lock()
	if summary.lines == nil {
		summary.lines = map[string]string{}
	}
	summary.lines[judge] = line
	summary.Unlock()
	if says.looked == 0 {
		t.Errorf("%s looked at nothing", judge)
	}
	for _, each := range unaccepted {
		t.Errorf("%s: %s: %s: %s", judge, each.place, each.rule, each.message)
	}
	if *snapshots != committed {
		return
	}
	for _, each := range unneeded {
		t.Errorf("accepted_test.go accepts what %s no longer finds: %s", judge, each)
	}
}

// weigh returns the findings of a judge that no acceptance covers, and the acceptances
// that cover no finding.
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

// wrong is a resource (JSON) with a fault, and what a finding about it must contain, in
// its rule and message. A resource with an empty want has no fault, and the judge must
// find none.
type wrong struct{ resource, want string }

// mustRefuse fails the test for each case that the judge does not judge as it should. All
// are in one template, so that the judge starts only once.
func mustRefuse(t *testing.T, judge func(*testing.T, []environment) verdict, cases map[string]wrong) {
	t.Helper()
	resources, ids := map[string]json.RawMessage{}, map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		ids[name] = fmt.Sprintf("Case%d", i)
		resources[ids[name]] = json.RawMessage(cases[name].resource)
	}
	says := judge(t, []environment{broken(t, resources)})
	for name, each := range cases {
		t.Run(name, func(t *testing.T) { mustFind(t, says, "broken/Stack/"+ids[name], each.want) })
	}
}

// broken writes a template of the given resources as the only stack of an environment.
func broken(t *testing.T, resources map[string]json.RawMessage) environment {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "broken")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	template, err := json.Marshal(map[string]any{"Resources": resources})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"manifest.json": `{"artifacts": {"Stack": {"type": "aws:cloudformation:stack",
			"properties": {"templateFile": "Stack.template.json", "stackName": "stack"}}}}`,
		"Stack.template.json": string(template),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return readEnvironment(t, folder)
}

// mustFind fails the test unless the judge finds, at the place, something whose rule and
// message contain want. If want is empty, it must find nothing there.
func mustFind(t *testing.T, says verdict, place, want string) {
	t.Helper()
	var found []string
	for _, each := range says.findings {
		if each.place == place {
			found = append(found, each.rule+": "+each.message)
		}
	}
	if want == "" && len(found) > 0 {
		t.Errorf("found fault with what is right: %q", found)
	}
	if want != "" && !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, want) }) {
		t.Errorf("did not find %q but %q", want, found)
	}
}
