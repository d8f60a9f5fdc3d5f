package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hl7lake/local"
	"hl7lake/local/store"
)

// removeGrants enables a test that takes a quarter of an hour:
//
//	go test ./test/e2e -run TestWithoutAnyOneGrantSomethingFails -grants -timeout 60m -v
var removeGrants = flag.Bool("grants", false, "remove each grant of the templates in turn and show what then fails")

// assembly is where a run of this test in a process of its own finds its templates.
var assembly = flag.String("assembly", "", "templates to run instead of the committed ones")

// onlyGrants selects some of the grants.
var onlyGrants = flag.String("only", "", "of -grants, only those that match this regular expression")

// together is how many lakes run at the same time.
const together = 2

// grant is one permission of the templates, and the place to remove it from.
type grant struct {
	stack, resource, action string
	to                      string // the principal of a resource policy
	remove                  func()
	restore                 func()
}

func (g grant) String() string { return g.stack + "/" + g.resource + ": " + g.action }

// TestWithoutAnyOneGrantSomethingFails removes each action of each statement of each
// role, and each permission of a resource policy, from a copy of the templates. It then
// walks every way that a message can take through a lake of that copy, and something must
// fail.
func TestWithoutAnyOneGrantSomethingFails(t *testing.T) {
	if !*removeGrants {
		t.Skip("runs a lake for each grant: ask for it with -grants")
	}
	stacks := readStacks(t)
	if failure := walkIn(t, writeStacks(t, stacks)); failure != "" {
		t.Fatalf("with every grant: %s", failure)
	}
	wanted, err := regexp.Compile(*onlyGrants)
	if err != nil {
		t.Fatal(err)
	}
	places := make(chan struct{}, together)
	var running sync.WaitGroup
	for _, g := range grantsOf(stacks) {
		if !wanted.MatchString(g.String()) {
			continue
		}
		if reason := g.notRun(); reason != "" {
			t.Logf("%-110s %s", g, reason)
			continue
		}
		g.remove()
		folder := writeStacks(t, stacks)
		g.restore()
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			failure := walkIn(t, folder)
			if failure == "" {
				t.Errorf("%-110s NOTHING FAILS WITHOUT IT", g)
				return
			}
			t.Logf("%-110s %s", g, failure)
		})
	}
	running.Wait()
}

// TestAMessageTakesEveryWay is what TestWithoutAnyOneGrantSomethingFails runs in
// processes of their own.
func TestAMessageTakesEveryWay(t *testing.T) {
	if *assembly == "" {
		t.Skip("TestEveryGrantOfTheTemplatesIsNeeded does the same with the committed templates")
	}
	startWith(t, local.Options{Assembly: *assembly, Dir: t.TempDir(), Addr: "127.0.0.1:0", Durability: store.Fleeting}).walkEveryWay(t)
}

// notRun says why a missing grant cannot be noticed in this test, if that is so.
func (g grant) notRun() string {
	service, _, _ := strings.Cut(g.action, ":")
	if slices.Contains([]string{"xray", "logs", "kms", "cloudwatch", "events"}, service) {
		return service + " is not run on this machine"
	}
	for part, reason := range map[string]string{
		"CustomS3AutoDelete": "for a part that is not run on this machine",
		"AccessLogs":         "for a part that is not run on this machine",
		"Alarms":             "for a part that is not run on this machine",
		"Trail":              "for a part that is not run on this machine",
		"ReconcileSchedule":  "EventBridge is not run by this test, which wakes reconcile itself",
		"IdentitiesReader":   "users take this role through the identity pool",
		"Readers":            "of that role too",
		"UndeliveredPolicy":  "missed only where the topic cannot invoke its function",
	} {
		if strings.Contains(g.resource+g.to, part) {
			return reason
		}
	}
	return ""
}

// stack is a template that can be changed.
type stack struct {
	name     string
	template map[string]any
}

func readStacks(t *testing.T) (stacks []stack) {
	t.Helper()
	files, err := filepath.Glob("../snapshots/dev/*.template.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := stack{name: filepath.Base(file)}
		if err := json.Unmarshal(text, &s.template); err != nil {
			t.Fatal(err)
		}
		stacks = append(stacks, s)
	}
	return stacks
}

// writeStacks writes the current templates into a folder of their own.
func writeStacks(t *testing.T, stacks []stack) (folder string) {
	t.Helper()
	folder = t.TempDir()
	manifest, err := os.ReadFile("../snapshots/dev/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"manifest.json": manifest}
	for _, s := range stacks {
		if files[s.name], err = json.Marshal(s.template); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// grantsOf finds what the templates allow.
func grantsOf(stacks []stack) (grants []grant) {
	for _, s := range stacks {
		resources, _ := s.template["Resources"].(map[string]any)
		for id, value := range resources {
			resource := value.(map[string]any)
			properties, _ := resource["Properties"].(map[string]any)
			if resource["Type"] == "AWS::Lambda::Permission" {
				grants = append(grants, grant{
					stack: s.name, resource: id, action: "lambda:InvokeFunction",
					remove: func() { delete(resources, id) }, restore: func() { resources[id] = resource },
				})
				continue
			}
			for _, document := range documentsOf(properties) {
				for _, g := range allowed(document) {
					g.stack, g.resource = s.name, id
					grants = append(grants, g)
				}
			}
		}
	}
	slices.SortFunc(grants, func(a, b grant) int { return strings.Compare(a.String(), b.String()) })
	return grants
}

// documentsOf returns the policy documents of a role, a policy or a resource policy.
func documentsOf(properties map[string]any) (documents []map[string]any) {
	if document, is := properties["PolicyDocument"].(map[string]any); is {
		documents = append(documents, document)
	}
	policies, _ := properties["Policies"].([]any)
	for _, policy := range policies {
		if inline, is := policy.(map[string]any); is {
			documents = append(documents, documentsOf(inline)...)
		}
	}
	return documents
}

// allowed returns the actions that a document's statements allow. An action is removed by
// replacing it with one that no service has.
func allowed(document map[string]any) (grants []grant) {
	statements, _ := document["Statement"].([]any)
	for _, value := range statements {
		statement := value.(map[string]any)
		if statement["Effect"] != "Allow" {
			continue
		}
		actions, several := statement["Action"].([]any)
		if !several {
			actions = []any{statement["Action"]}
		}
		for i, action := range actions {
			others := slices.Clone(actions)
			others[i] = "none:None"
			grants = append(grants, grant{
				action: fmt.Sprint(action), to: fmt.Sprint(statement["Principal"]),
				remove: func() { statement["Action"] = others }, restore: func() { statement["Action"] = actions },
			})
		}
	}
	return grants
}

// walkIn runs TestAMessageTakesEveryWay on the templates of a folder, and says what
// failed, if anything.
func walkIn(t *testing.T, folder string) (failure string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, "-test.run=^TestAMessageTakesEveryWay$", "-assembly="+folder, "-patience=25s")
	output, err := command.CombinedOutput()
	if err == nil && bytes.Contains(output, []byte("PASS")) {
		return ""
	}
	for line := range strings.Lines(string(output)) {
		if strings.Contains(line, "_test.go:") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(string(output)) // it did not even start
}
