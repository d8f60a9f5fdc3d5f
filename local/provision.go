package local

import (
	"fmt"

	"hl7lake/local/lambda"
	"hl7lake/local/template"
)

// step provisions the resources of one type.
type step struct {
	resourceType string
	add          provisioner
}

// steps are the resource types that are run, each after the ones that it needs
// to find.
func steps(programs map[string]string) []step {
	return []step{
		{"AWS::IAM::Role", with(addRole)},
		{"AWS::IAM::Policy", with(addPolicy)},
		{"AWS::Logs::LogGroup", with(addLogGroup)},
		{"AWS::S3::Bucket", with(addBucket)},
		{"AWS::S3::BucketPolicy", with(addBucketPolicy)},
		{"AWS::DynamoDB::Table", with(addTable)},
		{"AWS::SQS::Queue", with(addQueue)},
		{"AWS::SQS::QueuePolicy", with(addQueuePolicy)},
		{"AWS::SNS::Topic", with(addTopic)},
		{"AWS::SNS::TopicPolicy", with(addTopicPolicy)},
		{"AWS::Lambda::Function", addFunctionOf(programs)},
		{"AWS::Lambda::EventInvokeConfig", with(addEventInvokeConfig)},
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

// provision brings every resource of the assembly to life, and notes those of
// types that are not run. programs are the functions' programs by package.
func (l *Lake) provision(programs map[string]string) error {
	if err := deployable(l.assembly); err != nil {
		return err
	}
	run := map[string]bool{}
	for _, s := range steps(programs) {
		run[s.resourceType] = true
		for _, r := range l.assembly.OfType(s.resourceType) {
			if err := s.add(l, r); err != nil {
				return r.Fail("", err)
			}
		}
	}
	for _, stack := range l.assembly.Stacks {
		for _, r := range stack.Resources {
			if !run[r.Type] {
				l.leaveOut(r, "")
			}
		}
	}
	return nil
}

// leaveOut notes a resource, or a part of it, that is not run.
func (l *Lake) leaveOut(r *template.Resource, part string) {
	name := fmt.Sprintf("%s/%s (%s)", r.Stack.Name, r.LogicalID, r.Type)
	if part != "" {
		name += " " + part
	}
	l.notRun = append(l.notRun, name)
}

// packagesOf lists the packages of the functions that can be run here.
func packagesOf(a *template.Assembly) (packages []string) {
	for _, r := range a.OfType("AWS::Lambda::Function") {
		if p, ours := r.Metadata[packageKey].(string); ours {
			packages = append(packages, p)
		}
	}
	return packages
}

// addFunctionOf makes the provisioner of functions. One that names no package of
// ours, such as CDK's own that empties buckets, is not run.
func addFunctionOf(programs map[string]string) provisioner {
	return func(l *Lake, r *template.Resource) error {
		p, ours := r.Metadata[packageKey].(string)
		if !ours {
			l.leaveOut(r, "")
			return nil
		}
		return with(func(l *Lake, r *template.Resource, f lambda.Function) error {
			f.FunctionName = r.PhysicalID
			l.metering.functions[f.FunctionName] = p
			l.lambda.Add(f, programs[p])
			return nil
		})(l, r)
	}
}
