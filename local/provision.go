package local

import (
	"fmt"
	"slices"
	"strings"

	"hl7lake/internal/contract"
	"hl7lake/local/template"
	"hl7lake/local/wire"
)

// LeftOut is a resource, or a property of one, that the templates ask for and that is not run here.
type LeftOut struct {
	Resource string `json:"resource"`           // stack/logical id
	Type     string `json:"type"`               // AWS::CloudTrail::Trail
	Property string `json:"property,omitempty"` // its path; empty where the whole resource is left out
	Reason   string `json:"reason"`             // a short sentence
}

func (o LeftOut) String() string {
	return fmt.Sprintf("%s (%s): %s", strings.TrimSpace(o.Resource+" "+o.Property), o.Type, o.Reason)
}

// step provisions the resources of one type.
type step struct {
	resourceType string
	provisioner
}

// steps are the resource types that are run, each after the ones that it needs
// to find.
func steps() []step {
	return []step{
		{"AWS::IAM::Role", with(addRole)},
		{"AWS::IAM::Policy", with(addPolicy)},
		{"AWS::S3::Bucket", with(addBucket)},
		{"AWS::S3::BucketPolicy", with(addBucketPolicy)},
		{"AWS::DynamoDB::Table", with(addTable)},
		{"AWS::SQS::Queue", with(addQueue)},
		{"AWS::SQS::QueuePolicy", with(addQueuePolicy)},
		{"AWS::SNS::Topic", with(addTopic)},
		{"AWS::SNS::TopicPolicy", with(addTopicPolicy)},
		{"AWS::Lambda::Function", with(addFunction)},
		{"AWS::Lambda::EventInvokeConfig", with(addEventInvokeConfig)},
		{"AWS::Lambda::EventSourceMapping", with(addEventSourceMapping)},
		{"AWS::Lambda::Permission", with(addPermission)},
		{"AWS::SNS::Subscription", with(addSubscription)},
		{"AWS::Events::Rule", with(addRule)},
		{"AWS::StepFunctions::StateMachine", with(addStateMachine)},
		{"AWS::Cognito::UserPool", with(addUserPool)},
		{"AWS::Cognito::UserPoolDomain", with(addUserPoolDomain)},
		{"AWS::Cognito::UserPoolResourceServer", with(addUserPoolResourceServer)},
		{"AWS::Cognito::UserPoolClient", with(addUserPoolClient)},
		{"AWS::Cognito::IdentityPool", with(addIdentityPool)},
		{"AWS::Cognito::IdentityPoolRoleAttachment", with(addIdentityPoolRoles)},
		{"AWS::Cognito::IdentityPoolPrincipalTag", with(addIdentityPoolTags)},
		{"AWS::ApiGatewayV2::Api", with(addAPI)},
		{"AWS::ApiGatewayV2::Authorizer", with(addAuthorizer)},
		{"AWS::ApiGatewayV2::Integration", with(addIntegration)},
		{"AWS::ApiGatewayV2::Route", with(addRoute)},
		{"AWS::ApiGatewayV2::Stage", with(addStage)},
	}
}

// ignoredTypes are the resource types that are not run at all, and why not. Only their policy documents are looked at.
func ignoredTypes() wire.Ignored {
	return wire.Ignored{
		"AWS::Athena::NamedQuery":     "there is no Athena here; `lake sql` asks the tables' files",
		"AWS::Athena::WorkGroup":      "there is no Athena here; `lake sql` asks the tables' files",
		"AWS::CloudTrail::Trail":      "who called what is not recorded here",
		"AWS::CloudWatch::Alarm":      "nothing is measured that an alarm could watch",
		"AWS::CloudWatch::Dashboard":  "nothing is measured that a dashboard could show",
		"AWS::Glue::Database":         "`lake sql` makes views of the tables' files itself",
		"AWS::Glue::Table":            "`lake sql` makes views of the tables' files itself",
		"AWS::KMS::Key":               "nothing that is kept here is encrypted with a key of KMS",
		"AWS::Logs::LogGroup":         "a function's output goes to a file of its own",
		"AWS::Logs::MetricFilter":     "nothing is measured from logs here",
		"AWS::Logs::QueryDefinition":  "the logs are files, which grep can search",
		"AWS::XRay::ResourcePolicy":   "nothing is traced here",
		"Custom::S3AutoDeleteObjects": "it empties a bucket before its stack is deleted; here the data folder is deleted",
	}
}

// provision brings every resource of the assembly to life, and notes those of types that are ignored. It begins with what
// AWS would refuse at deployment, before anything is made.
func (l *Lake) provision() error {
	if err := l.knowTypes(); err != nil {
		return err
	}
	if err := checkPolicies(l.assembly); err != nil {
		return err
	}
	for _, s := range steps() {
		for _, r := range l.assembly.OfType(s.resourceType) {
			if err := s.run(l, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// knowTypes refuses a resource whose type is neither run nor ignored by name, and notes those that are ignored.
func (l *Lake) knowTypes() error {
	run, ignored := steps(), ignoredTypes()
	for _, stack := range l.assembly.Stacks {
		for _, r := range stack.Resources {
			if slices.ContainsFunc(run, func(s step) bool { return s.resourceType == r.Type }) {
				continue
			}
			reason, is := ignored[r.Type]
			if !is {
				return r.Fail("", wire.Unsupported("the resource type "+r.Type))
			}
			l.leaveOut(r, "", reason)
		}
	}
	return nil
}

// leaveOut notes a resource, or a property of it, that is not run.
func (l *Lake) leaveOut(r *template.Resource, property, reason string) {
	l.notRun = append(l.notRun, LeftOut{r.Stack.Name + "/" + r.LogicalID, r.Type, property, reason})
}

// packagesOf lists the packages of the functions that can be run here.
func packagesOf(a *template.Assembly) (packages []string) {
	for _, r := range a.OfType("AWS::Lambda::Function") {
		if p, ours := r.Metadata[contract.PackageMetadata].(string); ours {
			packages = append(packages, p)
		}
	}
	return packages
}
