package test

// This file is about the de-identified twin of the tables, which no environment has yet.

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/google/go-cmp/cmp"

	"hl7lake/stacks"
)

// deidentified synthesizes dev with a twin of its tables.
func deidentified(t *testing.T) assembly {
	t.Helper()
	env := settings(t, "dev")
	env.TablesDeid = true
	return synthApp(t.TempDir(), func(app awscdk.App) { stacks.NewSystem(app, env) })
}

// TestTheTwinIsItsSnapshotAndChangesNoOtherStack holds the template, which test/e2e runs,
// and wants no warning of it.
func TestTheTwinIsItsSnapshotAndChangesNoOtherStack(t *testing.T) {
	made := deidentified(t)
	for id, stack := range made {
		if len(stack.messages) > 0 {
			t.Errorf("%s: %q", id, stack.messages)
		}
		if diff := cmp.Diff(string(assemblies["dev"][id].snapshot), string(stack.snapshot)); (diff == "") != (id != "Tables") {
			t.Errorf("%s is another or, if it is Tables, the same:\n%s", id, diff)
		}
	}
	folder := filepath.Join("test", "testdata", "dev-deidentified")
	for name, text := range made.snapshots() {
		if name != "manifest.json" && name != "Tables.template.json" {
			continue
		}
		if *update {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		compare(t, filepath.Join(folder, name), text)
	}
}

func TestTabulateAloneMakesPseudonymsAndNobodyDecryptsThem(t *testing.T) {
	tables := deidentified(t)["Tables"]
	key := only(t, tables, "AWS::KMS::Key").Properties
	if key["KeySpec"] != "HMAC_256" || key["KeyUsage"] != "GENERATE_VERIFY_MAC" {
		t.Errorf("the key is %v for %v", key["KeySpec"], key["KeyUsage"])
	}
	uses := 0
	for _, each := range key["KeyPolicy"].(map[string]any)["Statement"].([]any) {
		statement := each.(map[string]any)
		who, _ := json.Marshal(statement["Principal"])
		for _, action := range stringsOf(statement["Action"]) {
			switch {
			case action == "kms:GenerateMac" && strings.Contains(string(who), `"TabulateRole`):
				uses++
			case strings.Contains(action, "Mac"), strings.Contains(action, "*"), strings.Contains(action, "Grant") && !strings.Contains(action, "List") &&
				action != "kms:RetireGrant" && action != "kms:RevokeGrant":
				t.Errorf("%s may do %s", who, action)
			}
		}
	}
	if uses != 1 {
		t.Errorf("%d statements let tabulate use the key", uses)
	}
}

func TestReadersOfTheTwinReadNothingElse(t *testing.T) {
	policy := only(t, deidentified(t)["Tables"], "AWS::IAM::ManagedPolicy").Properties
	if policy["Roles"] != nil || policy["Users"] != nil || policy["Groups"] != nil {
		t.Errorf("somebody has the policy: %v", policy)
	}
	for _, each := range policy["PolicyDocument"].(map[string]any)["Statement"].([]any) {
		statement := each.(map[string]any)
		resources, _ := json.Marshal(statement["Resource"])
		condition, _ := json.Marshal(statement["Condition"])
		for _, action := range stringsOf(statement["Action"]) {
			within := false
			switch action {
			case "s3:GetObject":
				within = strings.Contains(string(resources), `"/tables_deid/*"`)
			case "s3:ListBucket":
				within = string(condition) == `{"StringLike":{"s3:prefix":"tables_deid/*"}}`
			case "kms:Decrypt":
				within = strings.Contains(string(resources), "LakeKey")
			case "glue:GetDatabase", "glue:GetTable", "glue:GetTables":
				within = strings.Contains(string(resources), "hl7lake_dev_deid") && !strings.Contains(string(resources), "hl7lake_dev/")
			}
			if !within {
				t.Errorf("may do %s on %s if %s", action, resources, condition)
			}
		}
	}
}
