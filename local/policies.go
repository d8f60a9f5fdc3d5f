package local

import (
	"strings"

	"hl7lake/local/iam"
	"hl7lake/local/lambda"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// role is an AWS::IAM::Role.
type role struct {
	AssumeRolePolicyDocument iam.Document // who may take it; the services do without asking
	Policies                 []struct {
		PolicyName     string
		PolicyDocument iam.Document
	}
	ManagedPolicyArns []string
}

// UnmarshalJSON refuses the properties that are not run here by name.
func (r *role) UnmarshalJSON(text []byte) error {
	type properties role
	return wire.Properties(text, (*properties)(r), wire.Ignored{
		"Description":        "nobody is shown it",
		"MaxSessionDuration": "a function's session lasts as long as its process",
		"RoleName":           "it is in the role's ARN already",
		"Tags":               "nothing here is billed or grouped by tags",
	})
}

// addRole attaches the policies that stand inside a role. AWS's own managed
// policies are not known here: what they grant is not granted.
func addRole(l *Lake, r *template.Resource, granted role) error {
	if len(granted.ManagedPolicyArns) > 0 {
		l.leaveOut(r, "ManagedPolicyArns")
	}
	if err := l.policies.AttachTrust(r.Attributes["Arn"], granted.AssumeRolePolicyDocument); err != nil {
		return err
	}
	for _, p := range granted.Policies {
		if err := l.policies.AttachToRole(r.Attributes["Arn"], p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// policy is an AWS::IAM::Policy, or a resource policy of one of the services.
type policy struct {
	PolicyName     string
	PolicyDocument iam.Document
	Roles          []string // names
	Bucket         string   // name
	Queues         []string // URLs
	Topics         []string // ARNs
}

func addPolicy(l *Lake, _ *template.Resource, p policy) error {
	for _, role := range p.Roles {
		if err := l.policies.AttachToRole("arn:aws:iam::"+wire.Account+":role/"+role, p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

func addBucketPolicy(l *Lake, _ *template.Resource, p policy) error {
	return l.policies.AttachToResource("arn:aws:s3:::"+p.Bucket, p.PolicyDocument)
}

func addQueuePolicy(l *Lake, _ *template.Resource, p policy) error {
	for _, url := range p.Queues {
		name := url[strings.LastIndexByte(url, '/')+1:]
		if err := l.policies.AttachToResource(wire.ARN("sqs", name), p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

func addTopicPolicy(l *Lake, _ *template.Resource, p policy) error {
	for _, arn := range p.Topics {
		if err := l.policies.AttachToResource(arn, p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// permission is an AWS::Lambda::Permission.
type permission struct{ Action, FunctionName, Principal, SourceArn, SourceAccount string }

// addPermission makes a statement of a function's resource policy, as Lambda's
// AddPermission does.
func addPermission(l *Lake, _ *template.Resource, p permission) error {
	conditions := map[string]map[string]string{}
	if p.SourceArn != "" {
		conditions["ArnLike"] = map[string]string{"aws:SourceArn": p.SourceArn}
	}
	if p.SourceAccount != "" {
		conditions["StringEquals"] = map[string]string{"aws:SourceAccount": p.SourceAccount}
	}
	function := p.FunctionName
	if !strings.HasPrefix(function, "arn:") {
		function = lambda.ARN(function)
	}
	return l.policies.AttachToResource(function, iam.Allow(p.Principal, p.Action, function, conditions))
}
