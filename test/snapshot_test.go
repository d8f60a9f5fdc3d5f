package test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stateful are the resource types whose content cannot be made again. What waits in a
// queue is a message that was accepted; without its key, nothing can be read.
var stateful = []string{"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::SQS::Queue", "AWS::KMS::Key"}

func TestTheAssembliesAreTheSnapshots(t *testing.T) {
	for env, assembly := range assemblies {
		files := assembly.snapshots()
		for _, name := range slices.Sorted(maps.Keys(files)) {
			t.Run(env+"/"+name, func(t *testing.T) {
				compare(t, filepath.Join("test", "snapshots", env, name), files[name])
			})
		}
	}
}

// compare fails the test if the file does not hold what was synthesized.
func compare(t *testing.T, path string, synthesized []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, synthesized, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), string(synthesized)); diff != "" {
		t.Errorf("differs from its snapshot (-committed +synthesized); if that is meant, run: go test ./test -update\n%s", diff)
	}
}

// TestOtherStacksDependOnCoreAlone but two: Tables, which adds a policy to the role of
// FrontDoor's users, since CloudFormation cannot delete a role that still has one, and
// Finder, which adds a route to FrontDoor's API.
func TestOtherStacksDependOnCoreAlone(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			want := []string{"Core"}
			switch id {
			case "Core":
				want = nil
			case "Tables":
				want = []string{"FrontDoor", "Core"}
			case "Finder":
				want = []string{"Core", "FrontDoor"}
			}
			if diff := cmp.Diff(want, stack.artifact.Dependencies); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", env, id, diff)
			}
		}
	}
}

func TestSynthesisGivesNoWarning(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			if len(stack.messages) > 0 {
				t.Errorf("%s %s: %q", env, id, stack.messages)
			}
		}
	}
}

// TestWhatHoldsDataKeepsItsName guards the logical ids of stateful resources.
// CloudFormation replaces a resource whose logical id changes: a new bucket or table,
// empty, in place of the one with the data.
func TestWhatHoldsDataKeepsItsName(t *testing.T) {
	everywhere := map[string]string{
		"Core/Lake5F1B88EA":                     "AWS::S3::Bucket",
		"Core/TrailLogs3B05809D":                "AWS::S3::Bucket",
		"Core/AccessLogs8B620ECA":               "AWS::S3::Bucket",
		"Core/LakeKey09476F72":                  "AWS::KMS::Key",
		"Core/HubKeyC2E414D4":                   "AWS::KMS::Key",
		"Core/TablesKey11820CBC":                "AWS::KMS::Key",
		"Core/LogsKeyA6AB43B2":                  "AWS::KMS::Key",
		"Core/ClaimCheckB4EF2317":               "AWS::S3::Bucket",
		"Core/Catalog742F25FD":                  "AWS::DynamoDB::Table",
		"FrontDoor/ReceivedE45C8E6C":            "AWS::DynamoDB::Table",
		"FrontDoor/Users0A0EEA89":               "AWS::Cognito::UserPool",
		"Core/WriterFailedC775F6C4":             "AWS::SQS::Queue",
		"Core/WriterUndeliveredBDBD2927":        "AWS::SQS::Queue",
		"StagingER7/Shares685AF19C":             "AWS::DynamoDB::Table",
		"StagingER7/TriggerDeferred01E8B166":    "AWS::SQS::Queue",
		"StagingER7/TriggerFailed85CD757D":      "AWS::SQS::Queue",
		"StagingER7/TriggerUndelivered1A059927": "AWS::SQS::Queue",
		"Tables/AccessLogs8B620ECA":             "AWS::S3::Bucket",
		"Tables/Answers9615456C":                "AWS::S3::Bucket",
		"Tables/Files8E6940B8":                  "AWS::S3::Bucket",
	}
	ofFinder := map[string]string{
		"Finder/HashesF2DA595D":           "AWS::DynamoDB::Table",
		"Finder/Key13EAD1396":             "AWS::KMS::Key",
		"Finder/IndexFailed866AD206":      "AWS::SQS::Queue",
		"Finder/IndexUndelivered572B08BA": "AWS::SQS::Queue",
	}
	for env, assembly := range assemblies {
		want := maps.Clone(everywhere)
		if settings(t, env).Finder != nil {
			maps.Copy(want, ofFinder)
		}
		got := map[string]string{}
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				if slices.Contains(stateful, resource.Type) {
					got[id+"/"+name] = resource.Type
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", env, diff)
		}
	}
}

func TestProdKeepsDataAndDevLeavesNothing(t *testing.T) {
	if !settings(t, "prod").KeepData || settings(t, "dev").KeepData {
		t.Error("prod does not keep data, or dev does")
	}
	// What a failed creation has made is deleted: it holds nothing, and the next try
	// would make it a second time.
	deletion := map[bool]string{false: "Delete", true: "RetainExceptOnCreate"}
	replacement := map[bool]string{false: "Delete", true: "Retain"}
	for env, assembly := range assemblies {
		keep := settings(t, env).KeepData
		for id, stack := range assembly {
			if got, want := stack.artifact.Properties.TerminationProtection, keep; got != want {
				t.Errorf("%s %s: termination protection is %t, want %t", env, id, got, want)
			}
			for name, resource := range stack.template.Resources {
				holdsData := slices.Contains(stateful, resource.Type) || resource.Type == "AWS::Logs::LogGroup"
				if !holdsData && resource.DeletionPolicy != "Retain" { // which nothing has
					continue
				}
				if resource.DeletionPolicy != deletion[keep] || resource.UpdateReplacePolicy != replacement[keep] {
					t.Errorf("%s %s/%s: DeletionPolicy %s, UpdateReplacePolicy %s, want %s and %s", env, id, name,
						resource.DeletionPolicy, resource.UpdateReplacePolicy, deletion[keep], replacement[keep])
				}
			}
		}
	}
}

// TestNoTemplateHoldsWhatTheBindingsWrapValuesIn: jsii marks maps and references that
// pass through it. AWS would take a mark in a policy's text for an unknown condition
// operator and refuse the whole.
func TestNoTemplateHoldsWhatTheBindingsWrapValuesIn(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			if n := bytes.Count(stack.snapshot, []byte("$jsii")); n > 0 {
				t.Errorf("%s %s: %d times", env, id, n)
			}
		}
	}
}

// TestEveryFunctionLogsToAGroupOfItsStack also applies to the CDK's own functions: a
// group that Lambda makes by itself keeps its lines for ever and outlives the stack.
func TestEveryFunctionLogsToAGroupOfItsStack(t *testing.T) {
	for env, assembly := range assemblies {
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				if resource.Type != "AWS::Lambda::Function" {
					continue
				}
				logging, _ := resource.Properties["LoggingConfig"].(map[string]any)
				group, _ := logging["LogGroup"].(map[string]any)
				named, _ := group["Ref"].(string)
				if stack.template.Resources[named] == nil {
					t.Errorf("%s %s: %s logs to %v", env, id, name, logging["LogGroup"])
				}
			}
		}
	}
}
