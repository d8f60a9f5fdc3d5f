// Package altered gives tests the committed templates with some settings changed, for
// example with a lower limit that a test can reach, or with other templates beside them.
package altered

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hl7lake/internal/contract"
)

// Change is a change of the resources of a stack's template.
type Change struct {
	Stack string
	// Of reports whether the change applies to a resource. It must apply to at least one.
	Of func(logicalID string, resource map[string]any) bool
	// How changes the resource's properties.
	How func(properties map[string]any)
}

// Function selects the function of a package, such as lambdas/trigger.
func Function(of string) func(string, map[string]any) bool {
	return func(_ string, resource map[string]any) bool {
		metadata, _ := resource["Metadata"].(map[string]any)
		return metadata[contract.PackageMetadata] == of
	}
}

// Resource selects the resources of a type whose logical ids begin with a text.
func Resource(resourceType, prefix string) func(string, map[string]any) bool {
	return func(logicalID string, resource map[string]any) bool {
		return resource["Type"] == resourceType && strings.HasPrefix(logicalID, prefix)
	}
}

// Variables sets environment variables of a function.
func Variables(values map[string]string) func(properties map[string]any) {
	return func(properties map[string]any) {
		variables := properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		for name, value := range values {
			variables[name] = value
		}
	}
}

// Together returns a new folder with copies of the templates in several folders. Of those
// with one name, it has the one of the last folder.
func Together(t testing.TB, folders ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no templates in %s: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// Without returns a new folder with copies of the templates in a folder, except for that
// of a stack on which no other depends.
func Without(t testing.TB, committed, stack string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(committed)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, stack+".template.json")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	delete(manifest["artifacts"], stack)
	if text, err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Templates returns a new folder with changed copies of the templates in a folder.
func Templates(t testing.TB, committed string, changes ...Change) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(committed)); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change.apply(t, filepath.Join(dir, change.Stack+".template.json"))
	}
	return dir
}

func (c Change) apply(t testing.TB, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	found := false
	for id, value := range template["Resources"].(map[string]any) {
		if resource := value.(map[string]any); c.Of(id, resource) {
			c.How(resource["Properties"].(map[string]any))
			found = true
		}
	}
	if !found {
		t.Fatalf("%s has no such resource", file)
	}
	if text, err = json.Marshal(template); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
