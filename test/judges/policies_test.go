package judges

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"hl7lake/local/template"
)

const iamPolicy = "@cloud-copilot/iam-policy"

// TestIAMPolicyTakesEveryPolicyDocument asks iam-policy, which knows the grammar of IAM's
// policies (IAM User Guide, Grammar of the IAM JSON policy language). IAM, S3, SNS, SQS,
// KMS and X-Ray refuse at deployment what breaks it.
func TestIAMPolicyTakesEveryPolicyDocument(t *testing.T) {
	hear(t, iamPolicy, judgePolicies(t, environments(t, *snapshots)))
}

func judgePolicies(t *testing.T, all []environment) verdict {
	t.Helper()
	var subjects []subject
	var findings []finding
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		found := policies{place: place, resourceType: r.Type}
		found.lookInto("", "", properties)
		subjects = append(subjects, found.documents...)
		findings = append(findings, found.findings...)
		if slices.Contains(alwaysWithPolicy, r.Type) && len(found.documents)+len(found.findings) == 0 {
			findings = append(findings, finding{place, "no policy", "no policy document was found in a " + r.Type})
		}
	})
	says := askNode(t, "policies.mjs", iamPolicy, "policy documents", subjects)
	says.findings = append(says.findings, findings...)
	return says
}

// alwaysWithPolicy are the types that always have a policy: if none is found in one, it
// was not understood.
var alwaysWithPolicy = []string{
	"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::KMS::Key", "AWS::Logs::ResourcePolicy",
	"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::XRay::ResourcePolicy",
}

// policies collects the policy documents of one resource.
type policies struct {
	place, resourceType string
	documents           []subject
	findings            []finding
}

// lookInto finds the documents in a property's value, also in JSON texts: whatever is in
// a policy's place, and whatever looks like a policy in any place.
func (p *policies) lookInto(path, name string, value any) {
	belongs := slices.Contains([]string{"PolicyDocument", "AssumeRolePolicyDocument", "KeyPolicy"}, name)
	switch value := value.(type) {
	case string:
		p.lookIntoText(path, name, value, belongs)
	case map[string]any:
		if _, looksLikeOne := value["Statement"]; looksLikeOne || belongs {
			p.documents = append(p.documents, subject{Place: p.place, Kind: p.kind(name), Document: value})
			return
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			p.lookInto(path+"."+key, key, value[key])
		}
	case []any:
		for i, member := range value {
			p.lookInto(fmt.Sprintf("%s[%d]", path, i), "", member)
		}
	}
}

func (p *policies) lookIntoText(path, name, text string, belongs bool) {
	var parsed any
	err := json.Unmarshal([]byte(text), &parsed)
	switch {
	case err == nil:
		p.lookInto(path, name, parsed)
	case belongs || strings.Contains(text, `"Statement"`):
		p.findings = append(p.findings, finding{p.place, "no JSON", strings.TrimPrefix(path, ".") + ": " + err.Error()})
	}
}

// kind says by which rules a policy is judged.
func (p *policies) kind(name string) string {
	switch {
	case name == "AssumeRolePolicyDocument":
		return "trust"
	case strings.HasPrefix(p.resourceType, "AWS::IAM::"):
		return "identity"
	}
	return "resource"
}

func TestIAMPolicyRefusesBrokenPolicies(t *testing.T) {
	policy := func(statement string) string {
		return `{"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "Roles": ["r"],
			"PolicyDocument": {"Version": "2012-10-17", "Statement": [` + statement + `]}}}`
	}
	inText := func(text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return `{"Type": "AWS::XRay::ResourcePolicy", "Properties": {"PolicyName": "p", "PolicyDocument":
			{"Fn::Join": ["", [` + string(quoted) + `]]}}}`
	}
	mustRefuse(t, judgePolicies, map[string]wrong{
		"nothing wrong": {policy(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}`), ""},
		"a wrapper of jsii in a condition, inside a text": {inText(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
			"Principal": {"Service": "sns.amazonaws.com"}, "Action": "xray:PutTraceSegments", "Resource": "*",
			"Condition": {"StringEquals": {"$jsii.map": {"aws:SourceAccount": "123456789012"}}}}]}`), "StringEquals.$jsii.map"},
		"a wrapper of jsii instead of the operators": {policy(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
			"Condition": {"$jsii.map": {"Bool": {"aws:SecureTransport": "true"}}}}`), "Condition operator is invalid"},
		"a text that is no JSON":      {inText(`{"Version": "2012-10-17", "Statement": [}`), "no JSON: PolicyDocument"},
		"a text that is no policy":    {inText(`{}`), "Statement is required"},
		"no effect":                   {policy(`{"Action": "s3:GetObject", "Resource": "*"}`), "Effect must be present"},
		"a misspelt element":          {policy(`{"Effect": "Allow", "Actions": "s3:GetObject", "Resource": "*"}`), "Invalid key Actions"},
		"an effect in lower case":     {policy(`{"Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}`), `exactly "Allow"`},
		"an action without a service": {policy(`{"Effect": "Allow", "Action": "GetObject", "Resource": "*"}`), "2 segments"},
		"an unknown set operator": {policy(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
			"Condition": {"ForAll:StringEquals": {"aws:TagKeys": "1"}}}`), "set operator"},
		"a principal in a role's policy": {policy(`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
			"Principal": "*"}`), "Principal is not allowed in an identity policy"},
		"two statements of one name": {policy(`{"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
			{"Sid": "A", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}`), "Sid"},
		"a key's policy with an element of its own": {`{"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy":
			{"Comment": "mine", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}]}}}`,
			"Invalid key Comment"},
		"a bucket's policy for a principal of no known kind": {`{"Type": "AWS::S3::BucketPolicy", "Properties":
			{"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",
			"Principal": {"Services": "sns.amazonaws.com"}}]}}}`, "Invalid key Services"},
		"a table's policy of another version": {`{"Type": "AWS::DynamoDB::Table", "Properties": {"ResourcePolicy":
			{"PolicyDocument": {"Version": "2012-10-18", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem",
			"Resource": "*", "Principal": "*"}]}}}}`, "Version must be"},
		"a trust policy with a resource": {`{"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument":
			{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*",
			"Principal": {"Service": "lambda.amazonaws.com"}}}}}`, "Resource is not allowed in a trust policy"},
		"a bucket's policy that is missing": {`{"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "b"}}`,
			"no policy document was found"},
		"a policy in the JSON of a custom resource": {`{"Type": "Custom::AWS", "Properties": {"ServiceToken": "arn:x",
			"Create": "{\"parameters\": {\"PolicyDocument\": \"{\\\"Statement\\\": [{\\\"Effect\\\": \\\"allow\\\"}]}\"}}"}}`,
			"Effect must be present"},
	})
}
