package iam

import (
	"strings"

	"hl7lake/local/resource"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// Dialect is that of IAM. None of its own operations is run.
func (e *Engine) Dialect() wire.Dialect { return wire.Speaks("iam") }

// Resources returns the resource types with policies in them, of any service.
func (e *Engine) Resources() []resource.Type {
	return []resource.Type{
		resource.Of("AWS::IAM::Role", identifyRole, e.addRole),
		resource.Of("AWS::IAM::Policy", nil, e.addPolicy),
		resource.Of("AWS::S3::BucketPolicy", nil, func(_ *resource.Resource, p bucketPolicy) error {
			return e.AttachToResource("arn:aws:s3:::"+p.Bucket, p.PolicyDocument)
		}),
		resource.Of("AWS::SQS::QueuePolicy", nil, e.addQueuePolicy),
		resource.Of("AWS::SNS::TopicPolicy", nil, e.addTopicPolicy),
		resource.Of("AWS::Lambda::Permission", nil, e.addPermission),
	}
}

// role is an AWS::IAM::Role.
type role struct {
	RoleName                 string   // its physical id
	AssumeRolePolicyDocument Document // who may assume it; services may without being listed
	Policies                 []struct {
		PolicyName     string
		PolicyDocument Document
	}
}

// Ignored are the properties that are not run here, and why not.
func (*role) Ignored() wire.Ignored {
	return wire.Ignored{
		"Description":        "it is for people who read the template",
		"MaxSessionDuration": "credentials last as long as the lake runs",
	}
}

func roleARN(name string) string { return "arn:aws:iam::" + wire.Account + ":role/" + name }

func identifyRole(r *template.Resource) (string, template.Attributes) {
	name := r.Name("RoleName", 64)
	return name, template.Attributes{"Arn": roleARN(name)}
}

// addRole attaches the policies in a role, and the one that says who may assume it.
func (e *Engine) addRole(r *resource.Resource, granted role) error {
	if err := e.AttachTrust(r.Attributes["Arn"], granted.AssumeRolePolicyDocument); err != nil {
		return err
	}
	for _, p := range granted.Policies {
		if err := e.AttachToRole(r.Attributes["Arn"], p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// policy is an AWS::IAM::Policy.
type policy struct {
	PolicyName     string
	PolicyDocument Document
	Roles          []string // names
}

func (e *Engine) addPolicy(_ *resource.Resource, p policy) error {
	for _, role := range p.Roles {
		if err := e.AttachToRole(roleARN(role), p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// bucketPolicy is an AWS::S3::BucketPolicy.
type bucketPolicy struct {
	PolicyDocument Document
	Bucket         string // name
}

// queuePolicy is an AWS::SQS::QueuePolicy.
type queuePolicy struct {
	PolicyDocument Document
	Queues         []string // URLs
}

func (e *Engine) addQueuePolicy(_ *resource.Resource, p queuePolicy) error {
	for _, url := range p.Queues {
		name := url[strings.LastIndexByte(url, '/')+1:]
		if err := e.AttachToResource(wire.ARN("sqs", name), p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// topicPolicy is an AWS::SNS::TopicPolicy.
type topicPolicy struct {
	PolicyDocument Document
	Topics         []string // ARNs
}

func (e *Engine) addTopicPolicy(_ *resource.Resource, p topicPolicy) error {
	for _, arn := range p.Topics {
		if err := e.AttachToResource(arn, p.PolicyDocument); err != nil {
			return err
		}
	}
	return nil
}

// permission is an AWS::Lambda::Permission.
type permission struct{ Action, FunctionName, Principal, SourceArn, SourceAccount string }

// addPermission adds a statement to a function's resource policy, as Lambda's
// AddPermission does.
func (e *Engine) addPermission(_ *resource.Resource, p permission) error {
	conditions := map[string]map[string]string{}
	if p.SourceArn != "" {
		conditions["ArnLike"] = map[string]string{"aws:SourceArn": p.SourceArn}
	}
	if p.SourceAccount != "" {
		conditions["StringEquals"] = map[string]string{"aws:SourceAccount": p.SourceAccount}
	}
	function := p.FunctionName
	if !strings.HasPrefix(function, "arn:") {
		function = wire.ARN("lambda", "function:"+function)
	}
	return e.AttachToResource(function, Allow(p.Principal, p.Action, function, conditions))
}
