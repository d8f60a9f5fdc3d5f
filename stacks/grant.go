package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
)

// grant lets the grantee perform the named actions on the named resources, and nothing
// else. The buckets' own grant methods add tagging, legal hold and retention to a plain
// put.
func grant(grantee awsiam.IGrantable, actions []string, resources ...*string) {
	awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee:      grantee,
		Actions:      texts(actions...),
		ResourceArns: &resources,
	}).AssertSuccess()
}

// texts returns a list of strings for jsii.
func texts(values ...string) *[]*string {
	list := []*string{}
	for _, value := range values {
		list = append(list, new(value))
	}
	return &list
}

// arnOf returns the ARN of a resource in the stack's account and region, as `type/name`
// or `type:name`.
func arnOf(stack awscdk.Stack, service, resource string) string {
	return "arn:" + *stack.Partition() + ":" + service + ":" + *stack.Region() + ":" + *stack.Account() + ":" + resource
}
