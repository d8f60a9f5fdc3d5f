package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
)

// grant lets the grantee do the named actions on the named resources and nothing else. The buckets' own grant methods
// add tagging, legal hold and retention to a plain put.
func grant(grantee awsiam.IGrantable, actions []string, resources ...*string) {
	awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee:      grantee,
		Actions:      texts(actions...),
		ResourceArns: &resources,
	}).AssertSuccess()
}

// texts is a list of strings as jsii takes it.
func texts(values ...string) *[]*string {
	list := []*string{}
	for _, value := range values {
		list = append(list, new(value))
	}
	return &list
}

// arnOf is the ARN of a resource of the stack's account and region, as `type/name` or `type:name`.
func arnOf(stack awscdk.Stack, service, resource string) string {
	return "arn:" + *stack.Partition() + ":" + service + ":" + *stack.Region() + ":" + *stack.Account() + ":" + resource
}
