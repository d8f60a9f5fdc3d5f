package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
)

// bucketProps is in what the buckets differ.
type bucketProps struct {
	// Versioned keeps each object's earlier versions.
	Versioned bool
	// ExpireAfterDays deletes objects of that age; zero keeps them.
	ExpireAfterDays float64
}

// newBucket makes an encrypted bucket that is reached over TLS only and never from the public.
func newBucket(scope constructs.Construct, id string, env Environment, props bucketProps) awss3.Bucket {
	rule := awss3.LifecycleRule{AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(new(7.0))}
	if props.ExpireAfterDays > 0 {
		rule.Expiration = awscdk.Duration_Days(new(props.ExpireAfterDays))
	}
	return awss3.NewBucket(scope, &id, &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL:        new(true),
		MinimumTLSVersion: new(1.2),
		Versioned:         new(props.Versioned),
		LifecycleRules:    &[]*awss3.LifecycleRule{&rule},
		RemovalPolicy:     env.removalPolicy(),
		AutoDeleteObjects: new(!env.KeepData),
	})
}

// ownCleanerLogs gives the function by which the CDK empties a stack's buckets on destroy a log group of the stack. It
// would otherwise make one itself, which outlives the stack and keeps its lines for ever. Where data is kept, there is no
// such function.
func ownCleanerLogs(stack awscdk.Stack, env Environment) {
	cleaner := stack.Node().TryFindChild(new("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
	if cleaner == nil {
		return
	}
	logs := newLogGroup(stack, "BucketCleanerLogs", env)
	handler := cleaner.Node().FindChild(new("Handler")).(awscdk.CfnResource)
	handler.AddPropertyOverride(new("LoggingConfig.LogGroup"), logs.LogGroupName())
}

// newLogGroup makes a log group that is kept as long as the environment says.
func newLogGroup(scope constructs.Construct, id string, env Environment) awslogs.LogGroup {
	return awslogs.NewLogGroup(scope, &id, &awslogs.LogGroupProps{
		Retention:     env.LogRetention,
		RemovalPolicy: env.removalPolicy(),
	})
}

// newTable makes an on-demand table with the given keys.
func newTable(scope constructs.Construct, id string, env Environment, props awsdynamodb.TableProps) awsdynamodb.Table {
	props.BillingMode = awsdynamodb.BillingMode_PAY_PER_REQUEST
	props.Encryption = awsdynamodb.TableEncryption_AWS_MANAGED
	props.RemovalPolicy = env.removalPolicy()
	props.DeletionProtection = new(env.KeepData)
	props.PointInTimeRecoverySpecification = &awsdynamodb.PointInTimeRecoverySpecification{
		PointInTimeRecoveryEnabled: new(env.KeepData),
	}
	return awsdynamodb.NewTable(scope, &id, &props)
}

// stringAttribute is a key attribute of DynamoDB's type S.
func stringAttribute(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}

// grant lets the grantee do the named actions on the named resources and nothing else. The buckets' own grant methods
// add tagging, legal hold and retention to a plain put.
func grant(grantee awsiam.IGrantable, actions []string, resources ...*string) {
	var names []*string
	for _, a := range actions {
		names = append(names, new(a))
	}
	awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee:      grantee,
		Actions:      &names,
		ResourceArns: &resources,
	}).AssertSuccess()
}
