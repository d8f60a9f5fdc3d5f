package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
)

// newLogGroup makes an encrypted log group that is kept as long as the environment says.
func newLogGroup(scope constructs.Construct, id string, base Foundation) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{
		EncryptionKey: base.Keys.Logs,
		Retention:     base.LogRetention,
		RemovalPolicy: base.removalPolicy(),
	})
}

// newVendedLogGroup makes a log group to which the service delivers logs itself. For each
// such group the service adds to a resource policy of the account, which may have 5,120
// characters. For groups with this prefix it need not (AWS Step Functions Developer
// Guide, Avoiding Amazon CloudWatch Logs resource policy size restrictions). The name
// ends with the beginning of the stack's id, because a stack that is made again must not
// find the group that the last one left.
func newVendedLogGroup(stack awscdk.Stack, id, service string, base Foundation) awslogs.LogGroup {
	unique := awscdk.Fn_Select(new(2.0), awscdk.Fn_Split(new("/"), stack.StackId(), nil)) // arn:…:stack/NAME/ID
	unique = awscdk.Fn_Select(new(0.0), awscdk.Fn_Split(new("-"), unique, nil))
	return awslogs.NewLogGroup(stack, &id, &awslogs.LogGroupProps{
		LogGroupName:  new(vendedLogs + service + "/" + *stack.StackName() + "-" + *unique),
		EncryptionKey: base.Keys.Logs,
		Retention:     base.LogRetention,
		RemovalPolicy: base.removalPolicy(),
	})
}

// vendedLogs begins the names of groups to which services deliver logs themselves; the
// service's name follows.
const vendedLogs = "/aws/vendedlogs/"

// ownCleanerLogs gives the function with which the CDK empties a stack's buckets on
// destroy a log group of the stack. Otherwise the CDK makes one, which outlives the stack
// and keeps its lines for ever. An environment that keeps its data has no such function.
// The function's managed policy would let it make the group again after the stack and the
// group are gone, because Lambda writes what a function logged some time after it ran. A
// policy to write this group replaces it.
func ownCleanerLogs(stack awscdk.Stack, base Foundation) {
	cleaner := stack.Node().TryFindChild(new("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
	if cleaner == nil {
		return
	}
	logs := newLogGroup(stack, "BucketCleanerLogs", base)
	handler := cleaner.Node().FindChild(new("Handler")).(awscdk.CfnResource)
	handler.AddPropertyOverride(new("LoggingConfig.LogGroup"), logs.LogGroupName())
	role := cleaner.Node().FindChild(new("Role")).(awscdk.CfnResource)
	role.AddPropertyDeletionOverride(new("ManagedPolicyArns"))
	role.AddPropertyOverride(new("Policies"), []any{map[string]any{
		"PolicyName": "WriteLogs",
		"PolicyDocument": map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"}, "Resource": logs.LogGroupArn(),
			}},
		},
	}})
}
