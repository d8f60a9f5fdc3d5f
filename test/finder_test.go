package test

// This file is about Finder, which an environment need not have.

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/google/go-cmp/cmp"

	"hl7lake/stacks"
)

// withFinder synthesizes an environment with these settings.
func withFinder(t *testing.T, name string, of stacks.FinderSettings) assembly {
	t.Helper()
	env := settings(t, name)
	env.Finder = &of
	return synthApp(t.TempDir(), func(app awscdk.App) { stacks.NewSystem(app, env) })
}

// TestAVersionOfFindersKeyIsAKeyAndChangesNoOtherStack holds the templates of the two steps
// of replacing the key, which test/e2e runs.
func TestAVersionOfFindersKeyIsAKeyAndChangesNoOtherStack(t *testing.T) {
	for folder, versions := range map[string][]int{"dev-finder-keys-2-1": {2, 1}, "dev-finder-key-2": {2}} {
		made := withFinder(t, "dev", stacks.FinderSettings{KeyVersions: versions})
		for id, stack := range made {
			if diff := cmp.Diff(string(assemblies["dev"][id].snapshot), string(stack.snapshot)); diff != "" && id != "Finder" {
				t.Errorf("%s is another:\n%s", id, diff)
			}
		}
		if got := len(hashKeys(made["Finder"])); got != len(versions) {
			t.Errorf("%d keys, want those of the versions %v", got, versions)
		}
		path := filepath.Join("test", "testdata", folder)
		for name, text := range made.snapshots() {
			if name != "Finder.template.json" {
				continue
			}
			if *update {
				if err := os.MkdirAll(path, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			compare(t, filepath.Join(path, name), text)
		}
	}
}

// hashKeys returns the keys of a stack that make keyed hashes.
func hashKeys(stack stack) (keys []*resource) {
	for _, resource := range stack.template.Resources {
		if resource.Type == "AWS::KMS::Key" && resource.Properties["KeySpec"] == "HMAC_256" && resource.Properties["KeyUsage"] == "GENERATE_VERIFY_MAC" {
			keys = append(keys, resource)
		}
	}
	return keys
}

// TestFindersFunctionsAloneMakeItsHashes looks at who may use the keys, and who may let
// others use them.
func TestFindersFunctionsAloneMakeItsHashes(t *testing.T) {
	for _, key := range hashKeys(assemblies["dev"]["Finder"]) {
		var users []string
		for _, each := range key.Properties["KeyPolicy"].(map[string]any)["Statement"].([]any) {
			statement := each.(map[string]any)
			who, _ := json.Marshal(statement["Principal"])
			for _, action := range stringsOf(statement["Action"]) {
				switch {
				case action == "kms:GenerateMac" && !strings.Contains(string(who), ":root"):
					users = append(users, string(who))
				case strings.Contains(action, "Mac"), strings.Contains(action, "*"), action == "kms:CreateGrant":
					t.Errorf("%s may do %s", who, action)
				}
			}
		}
		if len(users) != 1 || strings.Count(users[0], "Role") != 3 {
			t.Errorf("the key is used by %v, want the roles of index, reindex and search", users)
		}
	}
}

// TestFindersRouteDemandsATokenOfTheUsers compares its authorizer with the one that
// FrontDoor tells of.
func TestFindersRouteDemandsATokenOfTheUsers(t *testing.T) {
	route := only(t, assemblies["dev"]["Finder"], "AWS::ApiGatewayV2::Route").Properties
	authorizer, _ := json.Marshal(route["AuthorizerId"])
	if route["AuthorizationType"] != "JWT" || !strings.Contains(string(authorizer), `"AuthorizerId"`) || route["RouteKey"] != "POST /messages/search" {
		t.Errorf("%v", route)
	}
}

// TestProdCanHaveFinder gives prod what only dev has so far, and an own place.
func TestProdCanHaveFinder(t *testing.T) {
	made := withFinder(t, "prod", stacks.FinderSettings{KeyVersions: []int{1}, Places: []string{"accession=OBR-18", "patient=MRG-1"}})
	for id, stack := range made {
		if len(stack.messages) > 0 {
			t.Errorf("%s: %q", id, stack.messages)
		}
		if diff := cmp.Diff(string(assemblies["prod"][id].snapshot), string(stack.snapshot)); diff != "" && id != "Finder" {
			t.Errorf("%s is another:\n%s", id, diff)
		}
	}
	told := 0
	for _, resource := range made["Finder"].template.Resources {
		if resource.Type != "AWS::Lambda::Function" {
			continue
		}
		variables := resource.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if variables["FINDER_PLACES"] == "accession=OBR-18 patient=MRG-1" {
			told++
		}
		if _, expires := variables["FINDER_DAYS"]; expires {
			t.Error("entries expire, and messages do not")
		}
	}
	if told != 3 {
		t.Errorf("%d functions are told the places", told)
	}
}

func TestFindersSettingsAreChecked(t *testing.T) {
	for name, of := range map[string]stacks.FinderSettings{
		"no key":               {},
		"a version twice":      {KeyVersions: []int{1, 1}},
		"version zero":         {KeyVersions: []int{0}},
		"a place without kind": {KeyVersions: []int{1}, Places: []string{"OBR-18"}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is accepted", name)
				}
			}()
			withFinder(t, "dev", of)
		}()
	}
	stackIDs := slices.Sorted(maps.Keys(assemblies["prod"]))
	if slices.Contains(stackIDs, "Finder") {
		t.Error("prod has Finder, whose price nobody has accepted")
	}
}
