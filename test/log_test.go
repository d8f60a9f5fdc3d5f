package test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestNoRoleCanMakeALogGroup: a group that is not of the stack outlives it and keeps its
// lines for ever, unencrypted. AWS's managed policies for functions allow it (AWS Managed
// Policy Reference, AWSLambdaBasicExecutionRole).
func TestNoRoleCanMakeALogGroup(t *testing.T) {
	for env, assembly := range assemblies {
		roles := 0
		for id, stack := range assembly {
			for name, resource := range stack.template.Resources {
				if !strings.HasPrefix(resource.Type, "AWS::IAM::") {
					continue
				}
				roles++
				text, err := json.Marshal(resource.Properties)
				if err != nil {
					t.Fatal(err)
				}
				for _, allows := range []string{"logs:CreateLogGroup", `"logs:*"`, "service-role/AWSLambda"} {
					if strings.Contains(string(text), allows) {
						t.Errorf("%s %s: %s has %s", env, id, name, allows)
					}
				}
			}
		}
		if roles == 0 {
			t.Errorf("%s has no role", env)
		}
	}
}

// TestTheWorkflowsLogsAreWhereServicesDeliverThem: each other group uses a part of the
// 5,120 characters of a policy that the account's services share (AWS Step Functions
// Developer Guide, Avoiding Amazon CloudWatch Logs resource policy size restrictions).
// The key's policy must name the group by that name.
func TestTheWorkflowsLogsAreWhereServicesDeliverThem(t *testing.T) {
	for env, assembly := range assemblies {
		found := false
		for name, resource := range assembly["StagingER7"].template.Resources {
			if resource.Type == "AWS::Logs::LogGroup" && strings.HasPrefix(name, "WorkflowLogs") {
				text, _ := json.Marshal(resource.Properties["LogGroupName"])
				found = strings.Contains(string(text), "/aws/vendedlogs/states/hl7lake-"+env+"-")
			}
		}
		if !found {
			t.Errorf("%s: the workflow logs elsewhere", env)
		}
		policies, _ := json.Marshal(keyPolicies(t, assembly)["LogsKeyA6AB43B2"])
		if !strings.Contains(string(policies), "log-group:/aws/vendedlogs/states/hl7lake-"+env+"-*") {
			t.Errorf("%s: the key does not serve the workflow's logs", env)
		}
	}
}
