package judges

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

const checkov = "checkov"

// TestCheckovFindsNoMoreThanIsAccepted asks checkov, whose rules for CloudFormation are
// about security. It gets the templates with every intrinsic function computed, because
// it may take a reference for a secret.
func TestCheckovFindsNoMoreThanIsAccepted(t *testing.T) {
	hear(t, checkov, judgeByCheckov(t, environments(t, *snapshots)))
}

func judgeByCheckov(t *testing.T, all []environment) verdict {
	t.Helper()
	program := pythonProgram(t, checkov, "requirements.txt")
	arguments := []string{"--framework", "cloudformation", "--output", "json", "--quiet", "--compact", "--soft-fail",
		"--skip-download", "--file"}
	arguments = append(arguments, withoutIntrinsics(t, all)...)
	var report struct {
		Results struct {
			FailedChecks []struct {
				ID       string `json:"check_id"`
				Name     string `json:"check_name"`
				File     string `json:"file_abs_path"`
				Resource string // AWS::S3::Bucket.Lake5F1B88EA
			} `json:"failed_checks"`
			ParsingErrors []string `json:"parsing_errors"`
		}
		Summary struct{ Passed, Failed int }
	}
	if err := json.Unmarshal(run(t, exec.CommandContext(t.Context(), program, arguments...)), &report); err != nil {
		t.Fatal(err)
	}
	says := verdict{looked: report.Summary.Passed + report.Summary.Failed, of: "checks of resources"}
	for _, each := range report.Results.FailedChecks {
		_, resource, _ := strings.Cut(each.Resource, ".")
		says.findings = append(says.findings, finding{placeIn(each.File, resource), each.ID, each.Name})
	}
	for _, file := range report.Results.ParsingErrors {
		says.findings = append(says.findings, finding{placeIn(file, ""), "parsing error", "checkov cannot read the template"})
	}
	return says
}

func TestCheckovRefusesWhatIsInsecure(t *testing.T) {
	mustRefuse(t, judgeByCheckov, map[string]wrong{
		"nothing wrong":              {`{"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/k"}}`, ""},
		"a topic without encryption": {`{"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}`, "CKV_AWS_26"},
		"a public bucket":            {`{"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}}`, "CKV_AWS_20"},
		"a key for everybody": {`{"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement":
			[{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}]}}}`, "CKV_AWS_33"},
		"a role that may do everything": {`{"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "Roles": ["r"],
			"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}}`,
			"CKV_AWS_62"},
	})
}
