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

// ownCleanerLogs gives the function by which the CDK empties a stack's buckets on destroy a log group of the stack. It
// would otherwise make one itself, which outlives the stack and keeps its lines for ever. Where data is kept, there is no
// such function.
func ownCleanerLogs(stack awscdk.Stack, base Foundation) {
	cleaner := stack.Node().TryFindChild(new("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
	if cleaner == nil {
		return
	}
	logs := newLogGroup(stack, "BucketCleanerLogs", base)
	handler := cleaner.Node().FindChild(new("Handler")).(awscdk.CfnResource)
	handler.AddPropertyOverride(new("LoggingConfig.LogGroup"), logs.LogGroupName())
}
