package judges

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
)

const cfnLint = "cfn-lint"

// TestCfnLintFindsNoMoreThanIsAccepted asks cfn-lint for errors, warnings and remarks. It
// knows CloudFormation's schemas and the limits of many services, and follows references.
func TestCfnLintFindsNoMoreThanIsAccepted(t *testing.T) {
	hear(t, cfnLint, judgeByCfnLint(t, environments(t, *snapshots)))
}

func judgeByCfnLint(t *testing.T, all []environment) verdict {
	t.Helper()
	linter := pythonProgram(t, cfnLint, "../../.ci/requirements.txt")
	arguments := []string{"--include-checks", "I", "--non-zero-exit-code", "none", "--format", "json", "--"}
	says := verdict{of: "resources"}
	for _, e := range all {
		arguments = append(arguments, e.files()...)
		for _, stack := range e.stacks.Stacks {
			says.looked += len(stack.Resources)
		}
	}
	var found []struct {
		Filename string
		Rule     struct{ ID string }
		Message  string
		Location struct{ Path []any }
	}
	if err := json.Unmarshal(run(t, exec.CommandContext(t.Context(), linter, arguments...)), &found); err != nil {
		t.Fatal(err)
	}
	for _, each := range found {
		where := "" // the whole template, or an output
		if path := each.Location.Path; len(path) > 1 && path[0] == "Resources" {
			where = fmt.Sprint(path[1])
		}
		says.findings = append(says.findings, finding{placeIn(each.Filename, where), each.Rule.ID, each.Message})
	}
	return says
}

func TestCfnLintRefusesBrokenTemplates(t *testing.T) {
	mustRefuse(t, judgeByCfnLint, map[string]wrong{
		"nothing wrong":       {`{"Type": "AWS::SNS::Topic"}`, ""},
		"an unknown property": {`{"Type": "AWS::SNS::Topic", "Properties": {"Topic": "t"}}`, "E3002"},
		"a policy without effect": {`{"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument":
			{"Version": "2012-10-17", "Statement": [{"Action": "s3:GetObject", "Resource": "*"}]}}}`, "E3510"},
		"an unknown operator in a condition": {`{"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument":
			{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
			"Condition": {"StringEqual": {"aws:PrincipalAccount": "123456789012"}}}]}}}`, "E3510"},
		"a runtime that is gone": {`{"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs12.x",
			"Handler": "index.handler", "Code": {"ZipFile": "x"}, "Role": "arn:aws:iam::123456789012:role/r"}}`, "E2533"},
		"data without a policy for its end": {`{"Type": "AWS::SQS::Queue"}`, "I3011"},
	})
}
