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
	RoleName                 string       // its physical id
	AssumeRolePolicyDocument iam.Document // who may take it; the services do without asking
	Policies                 []struct {
		PolicyName     string
		PolicyDocument iam.Document
	}
}

// Ignored are the properties that are not run here, and why not.
func (*role) Ignored() wire.Ignored {
	return wire.Ignored{
		"Description":        "it is for people who read the template",
		"MaxSessionDuration": "credentials last as long as the lake runs",
	}
}

// addRole attaches the policies that stand inside a role, and that of who may take it.
func addRole(l *Lake, r *template.Resource, granted role) error {
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

// policy is an AWS::IAM::Policy.
type policy struct {
	PolicyName     string
	PolicyDocument iam.Document
	Roles          []string // names
}

func addPolicy(l *Lake, _ *template.Resource, p policy) error {
	for _, role := range p.Roles {
		if err := l.policies.AttachToRole("arn:aws:iam::"+wire.Account+":role/"+role, p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// bucketPolicy is an AWS::S3::BucketPolicy.
type bucketPolicy struct {
	PolicyDocument iam.Document
	Bucket         string // name
}

func addBucketPolicy(l *Lake, _ *template.Resource, p bucketPolicy) error {
	return l.policies.AttachToResource("arn:aws:s3:::"+p.Bucket, p.PolicyDocument)
}

// queuePolicy is an AWS::SQS::QueuePolicy.
type queuePolicy struct {
	PolicyDocument iam.Document
	Queues         []string // URLs
}

func addQueuePolicy(l *Lake, _ *template.Resource, p queuePolicy) error {
	for _, url := range p.Queues {
		name := url[strings.LastIndexByte(url, '/')+1:]
		if err := l.policies.AttachToResource(wire.ARN("sqs", name), p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// topicPolicy is an AWS::SNS::TopicPolicy.
type topicPolicy struct {
	PolicyDocument iam.Document
	Topics         []string // ARNs
}

func addTopicPolicy(l *Lake, _ *template.Resource, p topicPolicy) error {
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
