package judges

import (
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const guardPackage = "@cdklabs/cdk-validator-cfnguard"

// TestGuardFindsNoMoreThanIsAccepted asks cfn-guard with the rules of AWS Control Tower's
// proactive controls. Both come in the package with which the CDK asks them. Here the
// program itself is asked about the committed templates. It gets them with every
// intrinsic function computed, because its rules know few of these and no reference to
// another stack.
func TestGuardFindsNoMoreThanIsAccepted(t *testing.T) {
	hear(t, guardPackage, judgeByGuard(t, environments(t, *snapshots)))
}

func judgeByGuard(t *testing.T, all []environment) verdict {
	t.Helper()
	folder := nodePackage(t, guardPackage)
	system := map[string]string{"linux": "ubuntu", "darwin": "macos"}[runtime.GOOS]
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if system == "" || machine == "" {
		t.Skipf("SKIPPED: there is no cfn-guard for %s on %s", runtime.GOOS, runtime.GOARCH)
	}
	arguments := []string{"validate", "--rules", filepath.Join(folder, "rules/control-tower/cfn-guard"),
		"--output-format", "json", "--show-summary", "none", "--structured"}
	for _, file := range withoutIntrinsics(t, all) {
		arguments = append(arguments, "--data", file)
	}
	const someRulesFailed = 19
	guard := exec.CommandContext(t.Context(), filepath.Join(folder, "bin", system, machine, "cfn-guard"), arguments...)
	var files []struct {
		Name         string
		Compliant    []string
		NotCompliant []struct{ Rule guardRule } `json:"not_compliant"`
	}
	if err := json.Unmarshal(run(t, guard, someRulesFailed), &files); err != nil {
		t.Fatal(err)
	}
	says := verdict{of: "rules that apply"}
	for _, file := range files {
		says.looked += len(file.Compliant) + len(file.NotCompliant)
		for _, each := range file.NotCompliant {
			resources := each.Rule.resources()
			if len(resources) == 0 { // the rule is broken nevertheless
				resources = []string{""}
			}
			for _, resource := range resources {
				says.findings = append(says.findings, finding{placeIn(file.Name, resource), each.Rule.Name, each.Rule.message()})
			}
		}
	}
	return says
}

// guardRule is a rule that does not hold, and its tree of checks.
type guardRule struct {
	Name   string
	Checks json.RawMessage
}

var (
	guardPath    = regexp.MustCompile(`"path":\s*"/Resources/(\w+)`)
	guardControl = regexp.MustCompile(`\[CT\.[A-Z0-9.]+\]: [^\\"]+`)
)

// resources are those at which a check failed.
func (r guardRule) resources() []string {
	found := map[string]bool{}
	for _, match := range guardPath.FindAllSubmatch(r.Checks, -1) {
		found[string(match[1])] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// message is the control that the rule checks, in AWS's words.
func (r guardRule) message() string { return strings.TrimSpace(string(guardControl.Find(r.Checks))) }

func TestGuardRefusesWhatControlTowerRefuses(t *testing.T) {
	mustRefuse(t, judgeByGuard, map[string]wrong{
		"nothing wrong": {`{"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365,
			"KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:key/k"}}`, ""},
		"a log group without encryption": {`{"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 365}}`,
			"CT.CLOUDWATCH.PR.3"},
		"a public bucket": {`{"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}`,
			"s3_bucket_level_public_access_prohibited_check"},
		"a table that cannot be restored": {`{"Type": "AWS::DynamoDB::Table", "Properties":
			{"KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}]}}`, "CT.DYNAMODB.PR.1"},
	})
}
