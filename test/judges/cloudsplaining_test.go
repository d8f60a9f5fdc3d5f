package judges

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"hl7lake/local/template"
)

const cloudsplaining = "cloudsplaining"

// TestCloudsplainingFindsNoMoreThanIsAccepted asks cloudsplaining what the roles may do
// without a limit on the resource: leak data, widen their own rights, expose resources,
// change infrastructure, read credentials. The templates do not hold AWS's own policies
// that a role names, so it does not see those.
func TestCloudsplainingFindsNoMoreThanIsAccepted(t *testing.T) {
	hear(t, cloudsplaining, judgeByCloudsplaining(t, environments(t, *snapshots)))
}

// accountDetails is IAM's answer to GetAccountAuthorizationDetails, as far as
// cloudsplaining reads it.
type accountDetails struct {
	UserDetailList, GroupDetailList, Policies []any
	RoleDetailList                            []*roleDetail
}

type roleDetail struct {
	Path, RoleName, Arn, CreateDate                    string
	RoleID                                             string `json:"RoleId"`
	InstanceProfileList, AttachedManagedPolicies, Tags []any
	AssumeRolePolicyDocument                           any
	RolePolicyList                                     []inlinePolicy
}

type inlinePolicy struct {
	PolicyName     string
	PolicyDocument any
}

func judgeByCloudsplaining(t *testing.T, all []environment) verdict {
	t.Helper()
	program := pythonProgram(t, cloudsplaining, "requirements.txt")
	details, policies := rolesAsIAMTells(t, all)
	folder := t.TempDir()
	text, err := json.Marshal(details)
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(folder, "account.json")
	if err := os.WriteFile(input, text, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, exec.CommandContext(t.Context(), program, "scan", "--skip-open-report", "--input-file", input, "--output", folder))
	var report struct {
		InlinePolicies map[string]map[string]json.RawMessage `json:"inline_policies"`
	}
	readJSON(t, filepath.Join(folder, "iam-results-account.json"), &report)
	return verdict{looked: policies, of: "policies of roles", findings: cloudsplainingFindings(t, report.InlinePolicies)}
}

// rolesAsIAMTells collects the roles of all environments, each under its place instead of
// a name, and counts their policies.
func rolesAsIAMTells(t *testing.T, all []environment) (accountDetails, int) {
	t.Helper()
	details := accountDetails{UserDetailList: []any{}, GroupDetailList: []any{}, Policies: []any{}}
	roles := map[string]*roleDetail{} // by the value of Ref
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		if r.Type != "AWS::IAM::Role" {
			return
		}
		role := &roleDetail{
			Path: "/", RoleName: place, RoleID: fmt.Sprintf("AROA%d", len(roles)), CreateDate: "2020-01-01 00:00:00+00:00",
			Arn: "arn:aws:iam::123456789012:role/" + place, AssumeRolePolicyDocument: properties["AssumeRolePolicyDocument"],
			InstanceProfileList: []any{}, AttachedManagedPolicies: []any{}, Tags: []any{},
			RolePolicyList: []inlinePolicy{},
		}
		inline, _ := properties["Policies"].([]any)
		for _, policy := range inline {
			policy := policy.(map[string]any)
			role.RolePolicyList = append(role.RolePolicyList, inlinePolicy{place, policy["PolicyDocument"]})
		}
		roles[r.PhysicalID] = role
		details.RoleDetailList = append(details.RoleDetailList, role)
	})
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		if r.Type != "AWS::IAM::Policy" {
			return
		}
		for _, name := range properties["Roles"].([]any) {
			role := roles[fmt.Sprint(name)]
			if role == nil {
				t.Fatalf("%s is a policy of the role %v, which is in no template", place, name)
			}
			role.RolePolicyList = append(role.RolePolicyList, inlinePolicy{place, properties["PolicyDocument"]})
		}
	})
	policies := 0
	for _, role := range details.RoleDetailList {
		policies += len(role.RolePolicyList)
	}
	return details, policies
}

// cloudsplainingFindings reads what is said about each policy: by category, a list of
// actions, or of ways to widen rights.
func cloudsplainingFindings(t *testing.T, policies map[string]map[string]json.RawMessage) []finding {
	t.Helper()
	categories := []string{"CredentialsExposure", "DataExfiltration", "InfrastructureModification", "PrivilegeEscalation",
		"ResourceExposure", "ServiceWildcard"}
	var findings []finding
	for _, id := range slices.Sorted(maps.Keys(policies)) {
		var attached struct{ Roles []string }
		if err := json.Unmarshal(policies[id]["AttachedTo"], &attached); err != nil {
			t.Fatal(err)
		}
		for _, category := range categories {
			var says struct{ Findings []any }
			if err := json.Unmarshal(policies[id][category], &says); err != nil {
				t.Fatalf("%s: %v", category, err)
			}
			for _, each := range says.Findings {
				for _, role := range attached.Roles {
					findings = append(findings, finding{role, category, fmt.Sprint(each)})
				}
			}
		}
	}
	return findings
}

func TestCloudsplainingRefusesWideRights(t *testing.T) {
	role := func(statement string) string {
		return `{"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement":
			[{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]},
			"Policies": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [` + statement + `]}}]}}`
	}
	cases := map[string]wrong{}
	for name, test := range map[string]struct{ statement, want string }{
		"nothing wrong":      {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*"}`, ""},
		"reads every bucket": {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}`, "DataExfiltration: s3:GetObject"},
		"writes every table": {`{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}`,
			"InfrastructureModification: dynamodb:PutItem"},
		"may do all of a service":   {`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/*"}`, "ServiceWildcard: s3"},
		"changes keys' policies":    {`{"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}`, "ResourceExposure"},
		"hands roles to functions":  {`{"Effect": "Allow", "Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}`, "PrivilegeEscalation"},
		"gets credentials of roles": {`{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}`, "CredentialsExposure"},
	} {
		cases[name] = wrong{role(test.statement), test.want}
	}
	cases["no rights at all"] = wrong{`{"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}`, ""}
	mustRefuse(t, judgeByCloudsplaining, cases)
}
