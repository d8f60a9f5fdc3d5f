package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsxray"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// claimCheckDays is how long a claim check can be redeemed. It is longer than the
// retention of dead-letter queues, so that an event that is redriven on its last day
// still finds its content.
const claimCheckDays = deadLetterDays + 16

// Core is the stack of everything that the others share: the hub topic, the data lake
// with its catalog, the writer, which is the only function that may write to either, and
// the keys, the alarm topic, the trail and the dashboard.
type Core struct {
	awscdk.Stack
	// Foundation is what the constructs of all stacks need.
	Foundation Foundation
	// Hub is the topic on which all events travel.
	Hub awssns.Topic
	// Lake is the bucket that holds every message, as it was sent and as JSON.
	Lake awss3.Bucket
	// Catalog records what is in the lake and where it came from.
	Catalog awsdynamodb.Table
	// ClaimCheck is the bucket for content too large to travel in an event.
	ClaimCheck awss3.Bucket
}

// CoreProps is what Core needs.
type CoreProps struct {
	Environment Environment
}

// NewCore defines the Core stack.
func NewCore(scope constructs.Construct, id string, props CoreProps) Core {
	env := props.Environment
	stack := awscdk.NewStack(scope, &id, env.stackProps("core", "hl7lake: hub, data lake, catalog and their writer"))
	keys := newKeys(stack, env)
	base := Foundation{Environment: env, Keys: keys, Alarms: newAlarmTopic(stack, "Alarms", env, keys)}
	accessLogs := newAccessLogs(stack, "AccessLogs", env)
	core := Core{
		Stack:      stack,
		Foundation: base,
		Hub: awssns.NewTopic(stack, new("Hub"), &awssns.TopicProps{
			MasterKey:     keys.Hub,
			EnforceSSL:    new(true),
			TracingConfig: awssns.TracingConfig_ACTIVE, // so that a trace goes on from the post to the JSON
		}),
		Lake:       newLakeBucket(stack, "Lake", base, accessLogs),
		ClaimCheck: newClaimCheck(stack, "ClaimCheck", base, accessLogs),
		Catalog: newTable(stack, "Catalog", base, awsdynamodb.TableProps{
			PartitionKey: stringAttribute("root"),
			SortKey:      stringAttribute("sk"),
		}),
	}
	// Only errors have a time of acceptance, and are in the index. Messages are listed by
	// their keys in the lake, which are in the order of that time too: a place in the
	// index would cost as much as the entry.
	core.Catalog.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      new(contract.IndexByOwner),
		PartitionKey:   stringAttribute("owner"),
		SortKey:        stringAttribute("received"),
		ProjectionType: awsdynamodb.ProjectionType_ALL,
	})
	writer := core.addWriter()
	base.alarm(core.Hub, "Lost", alarmProps{
		Runbook: "lost-events",
		Subject: "hub",
		Means:   "SNS could neither deliver an event nor put it in a dead-letter queue.",
		Metric:  core.Hub.Metric(new("NumberOfNotificationsFailedToRedriveToDlq"), summed()),
		AtLeast: 1,
	})
	core.letHubTrace()
	core.addTrail(accessLogs, writer)
	core.addDashboard()
	ownCleanerLogs(stack, base)

	newOutput(stack, contract.OutputLake, core.Lake.BucketName(), "Bucket of the data lake")
	newOutput(stack, contract.OutputHub, core.Hub.TopicArn(), "Topic that carries all events")
	newOutput(stack, contract.OutputCatalog, core.Catalog.TableName(), "Table of what the lake holds")
	newOutput(stack, contract.OutputClaimCheck, core.ClaimCheck.BucketName(), "Bucket of content too large for the hub")
	newOutput(stack, contract.OutputAlarms, base.Alarms.TopicArn(), "Topic that tells of alarms")
	return core
}

// letHubTrace lets the hub add its part to traces. A function gets that permission
// through its role; a topic has no role (Amazon SNS Developer Guide, Amazon SNS active
// tracing).
func (c Core) letHubTrace() {
	policy := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(new("sns.amazonaws.com"), nil)},
			Actions:    texts("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTraceSegments"),
			Resources:  &[]*string{new("*")}, // X-Ray's actions cannot be limited to a resource
			Conditions: &map[string]any{
				"StringEquals": map[string]any{"aws:SourceAccount": c.Account()},
				"ArnLike":      map[string]any{"aws:SourceArn": c.Hub.TopicArn()},
			},
		}),
	}})
	awsxray.NewCfnResourcePolicy(c.Stack, new("HubTraces"), &awsxray.CfnResourcePolicyProps{
		PolicyName: new("hl7lake-" + c.Foundation.Name + "-hub"),
		// Pass the document itself: what its ToJSON returns has passed through jsii,
		// which leaves its own wrappers in maps.
		PolicyDocument: c.ToJsonString(policy, nil),
	})
}

// newClaimCheck makes the bucket for content that is too large to travel in an event.
func newClaimCheck(scope constructs.Construct, id string, base Foundation, accessLogs awss3.Bucket) awss3.Bucket {
	bucket := newBucket(scope, id, base.Environment, accessLogs, awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Lake,
		BucketKeyEnabled: new(true),
		Versioned:        new(false),
		LifecycleRules:   &[]*awss3.LifecycleRule{lifecycle("", 0, claimCheckDays)},
	})
	accept(bucket, "HIPAA.Security-S3BucketVersioningEnabled",
		"Content waits here for at most 30 days on its way to the lake, which is versioned; each key is of one event, and only "+
			"forget may delete. Versions would only keep patients' data longer than needed.")
	return bucket
}

// addWriter defines the function that stores every event's content in the lake and
// records it in the catalog.
func (c Core) addWriter() Function {
	writer := newFunction(c.Stack, "Writer", c.Foundation, FunctionProps{
		Package:     "lambdas/writer",
		Description: "Files the content of each event in the data lake and in the catalog",
		Memory:      256, // it waits for S3 and DynamoDB; a large body streams through it
		Timeout:     30,
		Concurrency: 100,
		Environment: map[string]*string{
			contract.EnvLakeBucket:   c.Lake.BucketName(),
			contract.EnvCatalogTable: c.Catalog.TableName(),
		},
	})
	writer.subscribe(c.Hub, Events{Names: []string{contract.EventIngested, contract.EventStaged, contract.EventError}}.filter())
	c.LetRedeem(writer)
	// Get, because for a redelivered event the function finds the object already written
	// and reads back its version and digest.
	grant(writer.Lambda, []string{"s3:PutObject", "s3:GetObject"}, c.objects(contract.ZoneIngestion, contract.ZoneStaging, contract.ZoneError)...)
	grantEncrypt(writer.Lambda, c.Foundation.Keys.Lake)
	denyOtherWriters(c.Lake, writer.Lambda.Role())
	grant(writer.Lambda, []string{"dynamodb:UpdateItem"}, c.Catalog.TableArn())
	grantTableKey(writer.Lambda, c.Foundation.Keys.Tables)
	return writer
}

// objects returns the ARNs of the objects in zones of the lake.
func (c Core) objects(zones ...string) []*string {
	var arns []*string
	for _, zone := range zones {
		arns = append(arns, c.Lake.ArnForObjects(new(zone+"/*")))
	}
	return arns
}

// LetPublish lets the function publish events on the hub, with large content in the
// claim-check bucket, and tells it the names of both.
func (c Core) LetPublish(fn Function) {
	c.letPublishSmall(fn)
	c.LetCheckIn(fn)
}

// letPublishSmall lets the function publish events that travel with their bodies, and
// tells it the name of the hub.
func (c Core) letPublishSmall(fn Function) {
	fn.tell(contract.EnvHubTopicARN, c.Hub.TopicArn())
	grant(fn.Lambda, []string{"sns:Publish"}, c.Hub.TopicArn())
	grantEncrypt(fn.Lambda, c.Foundation.Keys.Hub)
}

// LetCheckIn lets the function store content in the claim-check bucket, and tells it the
// bucket's name.
func (c Core) LetCheckIn(fn Function) {
	fn.tell(contract.EnvClaimCheckBucket, c.ClaimCheck.BucketName())
	grant(fn.Lambda, []string{"s3:PutObject"}, c.ClaimCheck.ArnForObjects(new("*")))
	grantEncrypt(fn.Lambda, c.Foundation.Keys.Lake)
}

// LetRedeem lets the function read the content that a claim check names, and tells it the
// name of the bucket with it.
func (c Core) LetRedeem(fn Function) {
	fn.tell(contract.EnvClaimCheckBucket, c.ClaimCheck.BucketName())
	grant(fn.Lambda, []string{"s3:GetObject"}, c.ClaimCheck.ArnForObjects(new("*")))
	grantDecrypt(fn.Lambda, c.Foundation.Keys.Lake)
}

// GrantRead lets the grantee look up a message in the catalog and read it from the lake,
// as it was sent or as JSON, only in the version that the catalog records.
func (c Core) GrantRead(grantee awsiam.IGrantable) {
	grant(grantee, []string{"dynamodb:Query"}, c.Catalog.TableArn())
	grantTableKey(grantee, c.Foundation.Keys.Tables)
	grant(grantee, []string{"s3:GetObjectVersion"}, c.objects(contract.ZoneIngestion, contract.ZoneStaging)...)
	grantDecrypt(grantee, c.Foundation.Keys.Lake)
}
