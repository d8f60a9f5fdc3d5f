package rehearse_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentity"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// stackNames are those of environment dev, by construct id.
var stackNames = map[string]string{
	"Core": "hl7lake-dev-core", "FrontDoor": "hl7lake-dev-front-door", "StagingER7": "hl7lake-dev-staging-er7",
	"Tables": "hl7lake-dev-tables", "Finder": "hl7lake-dev-finder",
}

// cloud asks the emulated services themselves, because what CloudFormation says it
// created may not exist.
type cloud struct {
	stack      *cloudformation.Client
	alarm      *cloudwatch.Client
	identities *cognitoidentity.Client
	users      *cognitoidentityprovider.Client
	table      *dynamodb.Client
	function   *lambda.Client
	bucket     *s3.Client
	workflow   *sfn.Client
	topic      *sns.Client
	queue      *sqs.Client
}

func newCloud(t *testing.T, ctx context.Context, e *emulator) *cloud {
	t.Helper()
	var settings aws.Config
	if e.kind.program == "" { // its keys and its certificate are where the environment says
		var err error
		if settings, err = config.LoadDefaultConfig(ctx); err != nil {
			t.Fatal(err)
		}
	} else {
		settings = aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	}
	settings.BaseEndpoint = &e.url
	return &cloud{
		cloudformation.NewFromConfig(settings), cloudwatch.NewFromConfig(settings), cognitoidentity.NewFromConfig(settings),
		cognitoidentityprovider.NewFromConfig(settings), dynamodb.NewFromConfig(settings), lambda.NewFromConfig(settings),
		s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = true }), sfn.NewFromConfig(settings),
		sns.NewFromConfig(settings), sqs.NewFromConfig(settings),
	}
}

// resources returns what CloudFormation says about all stacks.
func (c *cloud) resources(t *testing.T, ctx context.Context) []resource {
	t.Helper()
	var all []resource
	for construct, name := range stackNames {
		pages := cloudformation.NewListStackResourcesPaginator(c.stack, &cloudformation.ListStackResourcesInput{StackName: &name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatalf("the resources of %s: %v", name, err)
			}
			for _, one := range page.StackResourceSummaries {
				all = append(all, resource{
					stack: construct, logical: aws.ToString(one.LogicalResourceId), kind: aws.ToString(one.ResourceType),
					physical: aws.ToString(one.PhysicalResourceId), status: string(one.ResourceStatus),
				})
			}
		}
	}
	return all
}

// outputs returns those of the stacks that exist, by stack and name.
func (c *cloud) outputs(t *testing.T, ctx context.Context) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range c.stacks(t, ctx) {
		described, err := c.stack.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			t.Fatalf("the outputs of %s: %v", name, err)
		}
		for _, output := range described.Stacks[0].Outputs {
			all[name+"."+aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
		}
	}
	return all
}

// stacks returns the names of the lake's stacks that exist.
func (c *cloud) stacks(t *testing.T, ctx context.Context) []string {
	t.Helper()
	described, err := c.stack.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{})
	if err != nil {
		t.Fatalf("the stacks: %v", err)
	}
	var names []string
	for _, stack := range described.Stacks {
		deleted := stack.StackStatus == types.StackStatusDeleteComplete // AWS does not list such a stack; LocalEmu does
		if name := aws.ToString(stack.StackName); strings.HasPrefix(name, "hl7lake-dev-") && !deleted {
			names = append(names, name)
		}
	}
	return names
}

// codes returns the hashes of the functions' code, by logical id.
func (c *cloud) codes(t *testing.T, ctx context.Context, created []resource) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for _, one := range created {
		if one.kind != "AWS::Lambda::Function" {
			continue
		}
		function, err := c.function.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &one.physical})
		if err != nil {
			t.Fatalf("%s: %v", one.physical, err)
		}
		codes[one.logical] = aws.ToString(function.CodeSha256)
	}
	return codes
}

// description is what a service says about one of its resources, by a template's names of
// the properties.
type description struct {
	asked      bool // or nothing can be asked about the type
	properties map[string]any
}

// describe asks the service that owns a resource. Its error says that the resource does
// not exist.
func (c *cloud) describe(ctx context.Context, one resource, all []resource) (description, error) {
	var answer any
	var err error
	id := &one.physical
	switch one.kind {
	case "AWS::S3::Bucket":
		answer, err = c.describeBucket(ctx, one.physical)
	case "AWS::DynamoDB::Table":
		var out *dynamodb.DescribeTableOutput
		if out, err = c.table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: id}); err == nil {
			answer = out.Table
		}
	case "AWS::SNS::Topic":
		var out *sns.GetTopicAttributesOutput
		if out, err = c.topic.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: id}); err == nil {
			answer = out.Attributes
		}
	case "AWS::SNS::Subscription":
		var out *sns.GetSubscriptionAttributesOutput
		if out, err = c.topic.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: id}); err == nil {
			answer = out.Attributes
		}
	case "AWS::SQS::Queue":
		var out *sqs.GetQueueAttributesOutput
		out, err = c.queue.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: id, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll},
		})
		if err == nil {
			answer = out.Attributes
		}
	case "AWS::Lambda::Function":
		answer, err = c.function.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: id})
	case "AWS::Lambda::EventInvokeConfig":
		if function := referred(one.properties["FunctionName"], all); function != "" {
			qualifier, _ := one.properties["Qualifier"].(string)
			answer, err = c.function.GetFunctionEventInvokeConfig(ctx,
				&lambda.GetFunctionEventInvokeConfigInput{FunctionName: &function, Qualifier: &qualifier})
		}
	case "AWS::CloudWatch::Alarm":
		var out *cloudwatch.DescribeAlarmsOutput
		out, err = c.alarm.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{one.physical}})
		if err == nil && len(out.MetricAlarms) == 0 {
			err = errNotThere
		} else if err == nil {
			answer = out.MetricAlarms[0]
		}
	case "AWS::CloudWatch::Dashboard":
		answer, err = c.alarm.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: id})
	case "AWS::StepFunctions::StateMachine":
		answer, err = c.workflow.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: id})
	default:
		answer, err = c.describeSignIn(ctx, one, all)
	}
	if answer == nil && err == nil {
		return description{}, nil
	}
	return description{asked: true, properties: plain(answer)}, err
}

// errNotThere is a service's answer that a resource does not exist, if the answer is an
// empty list.
var errNotThere = errors.New("not there")

// describeSignIn asks Cognito.
func (c *cloud) describeSignIn(ctx context.Context, one resource, all []resource) (any, error) {
	id, pool := &one.physical, referred(one.properties["UserPoolId"], all)
	switch one.kind {
	case "AWS::Cognito::UserPool":
		out, err := c.users.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: id})
		if err != nil {
			return nil, err
		}
		return out.UserPool, nil
	case "AWS::Cognito::UserPoolClient":
		out, err := c.users.DescribeUserPoolClient(ctx,
			&cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &pool, ClientId: id})
		if err != nil {
			return nil, err
		}
		return out.UserPoolClient, nil
	case "AWS::Cognito::IdentityPool":
		return c.identities.DescribeIdentityPool(ctx, &cognitoidentity.DescribeIdentityPoolInput{IdentityPoolId: id})
	}
	return nil, nil
}

// describeBucket asks for what a template says about a bucket, with one request for each
// property.
func (c *cloud) describeBucket(ctx context.Context, name string) (any, error) {
	if _, err := c.bucket.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err != nil {
		return nil, err
	}
	described := map[string]any{
		"VersioningConfiguration": nil, "BucketEncryption": nil, "PublicAccessBlockConfiguration": nil, "OwnershipControls": nil,
	} // what S3 does not know is absent
	if out, err := c.bucket.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &name}); err == nil {
		described["VersioningConfiguration"] = map[string]any{"Status": out.Status}
	}
	if out, err := c.bucket.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name}); err == nil {
		described["BucketEncryption"] = map[string]any{
			"ServerSideEncryptionConfiguration": renamed(out.ServerSideEncryptionConfiguration.Rules,
				"ApplyServerSideEncryptionByDefault", "ServerSideEncryptionByDefault"),
		}
	}
	if out, err := c.bucket.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name}); err == nil {
		described["PublicAccessBlockConfiguration"] = out.PublicAccessBlockConfiguration
	}
	if out, err := c.bucket.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &name}); err == nil {
		described["OwnershipControls"] = out.OwnershipControls
	}
	return described, nil
}

// renamed returns a value as JSON with a field renamed, if the API and the template have
// different names for it.
func renamed(value any, from, to string) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the SDK's types are plain data
	}
	return json.RawMessage(strings.ReplaceAll(string(text), `"`+from+`":`, `"`+to+`":`))
}

// plain is an answer as maps and lists.
func plain(answer any) map[string]any {
	text, err := json.Marshal(answer)
	var properties map[string]any
	if err == nil {
		err = json.Unmarshal(text, &properties)
	}
	if err != nil {
		return nil // an answer that is an error
	}
	return properties
}

// referred returns the physical id of the resource that a property refers to, or "".
func referred(value any, all []resource) string {
	reference, _ := value.(map[string]any)
	logical, _ := reference["Ref"].(string)
	for _, one := range all {
		if one.logical == logical {
			return one.physical
		}
	}
	return ""
}
