package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudtrail"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"

	"hl7lake/internal/contract"
)

// addTrail records who read and wrote which object and item, and who published to the
// hub: our functions, users with credentials of the identity pool, and administrators. It
// leaves out only what our functions do for each message: the writer's objects, the
// entries and claims that functions write and list, what they publish, and what tables
// are made of, which is read once and shown to nobody. These are ten events for each
// message, which would cost more than the lake itself, and they are in the functions' own
// records and the bucket's access log. Every other reading of content is recorded. A
// record names keys, which hold ids, and no content. Tables and functions are recognized
// by the beginning of their name or their role's name, so that those of stacks that Core
// does not know are covered too.
func (c Core) addTrail(accessLogs awss3.Bucket, writer Function) {
	base := c.Foundation
	bucket := newBucket(c.Stack, "TrailLogs", base.Environment, accessLogs, awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Logs,
		BucketKeyEnabled: new(true),
		Versioned:        new(true),
		LifecycleRules:   &[]*awss3.LifecycleRule{lifecycle("", 0, base.AuditDays)},
	})
	records := newLogGroup(c.Stack, "TrailRecords", base)
	trail := awscloudtrail.NewTrail(c.Stack, new("Trail"), &awscloudtrail.TrailProps{
		Bucket:                     bucket,
		EncryptionKey:              base.Keys.Logs,
		EnableFileValidation:       new(true), // a signed digest each hour: changed or removed records are noticed
		SendToCloudWatchLogs:       new(true),
		CloudWatchLogGroup:         records,
		IsMultiRegionTrail:         new(false), // what it watches is in this region
		IncludeGlobalServiceEvents: new(false), // the account's own trail has those
	})
	objects := selector{Field: new("resources.ARN"), StartsWith: &[]*string{
		c.Lake.ArnForObjects(new("")), c.ClaimCheck.ArnForObjects(new("")),
		new("arn:" + *c.Partition() + ":s3:::hl7lake-" + base.Name + "-tables-files"), // CloudFormation names a bucket by its stack and id
	}}
	tables := selector{Field: new("resources.ARN"), StartsWith: texts(arnOf(c.Stack, "dynamodb", "table/hl7lake-"+base.Name+"-"))}
	hub := selector{Field: new("resources.ARN"), EqualTo: &[]*string{c.Hub.TopicArn()}}
	onesOwn := texts("PutItem", "UpdateItem", "Query") // on tables, which hold no content
	resource := trail.Node().DefaultChild().(awscloudtrail.CfnTrail)
	resource.AddPropertyDeletionOverride(new("EventSelectors")) // a trail has either these or the advanced ones (PutEventSelectors)
	resource.SetAdvancedEventSelectors(&[]any{
		dataEvents("Objects with messages, but for new ones and those that are read", "AWS::S3::Object", objects,
			selector{Field: new("eventName"), NotEquals: texts("PutObject", "GetObject")}),
		dataEvents("Objects that are read, but for what tables are made of", "AWS::S3::Object", objects,
			selector{Field: new("eventName"), EqualTo: texts("GetObject")}, c.notBy("hl7lake-"+base.Name+"-tables-")),
		dataEvents("New objects, but for the writer's", "AWS::S3::Object", objects,
			selector{Field: new("eventName"), EqualTo: texts("PutObject")}, c.notBy(*writer.Lambda.Role().RoleName()+"/")),
		dataEvents("Items of tables", "AWS::DynamoDB::Table", tables,
			selector{Field: new("eventName"), NotEquals: onesOwn}),
		dataEvents("Items of tables, written or listed by others", "AWS::DynamoDB::Table", tables,
			selector{Field: new("eventName"), EqualTo: onesOwn}, c.notBy("hl7lake-"+base.Name+"-")),
		dataEvents("Events on the hub, published by others", "AWS::SNS::Topic", hub, c.notBy("hl7lake-"+base.Name+"-")),
		// Of management events, a trail can select those that write, but no fewer
		// (AdvancedFieldSelector).
		awscloudtrail.CfnTrail_AdvancedEventSelectorProperty{Name: new("What changes resources"), FieldSelectors: &[]any{
			selector{Field: new("eventCategory"), EqualTo: texts("Management")},
			selector{Field: new("readOnly"), EqualTo: texts("false")},
		}},
	})
	c.watchTrail(records)
	newOutput(c.Stack, contract.OutputTrailLog, records.LogGroupName(), "Log group of the trail's records")
	accept(trail, "HIPAA.Security-IAMNoInlinePolicy", "The policy is of this role and goes with it.")
}

// watchTrail makes the alarms that a privacy officer needs: content was deleted from the
// lake, a lock was changed, or a key's policy or state was changed. A lock in governance
// mode is bypassed by deleting a version or by setting another retention (Amazon S3 User
// Guide, Object Lock), so the first two cover every bypass.
func (c Core) watchTrail(records awslogs.ILogGroup) {
	ours := `$.requestParameters.bucketName = "` + *c.Lake.BucketName() + `"`
	for _, watch := range []struct{ subject, means, pattern string }{
		{
			"content", "Somebody deleted objects of the lake, or their versions.",
			`{ ($.eventName = "DeleteObject" || $.eventName = "DeleteObjects") && ` + ours + ` }`,
		},
		{
			"locks", "Somebody changed a lock or a legal hold of objects of the lake.",
			`{ ($.eventName = "PutObjectRetention" || $.eventName = "PutObjectLegalHold" || $.eventName = "PutObjectLockConfiguration") && ` + ours + ` }`,
		},
		{
			"keys", "Somebody changed the policy or the life of a key of the account.",
			`{ $.eventSource = "kms.amazonaws.com" && ($.eventName = "PutKeyPolicy" || $.eventName = "ScheduleKeyDeletion" || ` +
				`$.eventName = "DisableKey" || $.eventName = "RevokeGrant") && $.userIdentity.invokedBy NOT EXISTS }`,
		},
	} {
		id := "Privacy" + strings.ToUpper(watch.subject[:1]) + watch.subject[1:]
		filter := records.AddMetricFilter(&id, &awslogs.MetricFilterOptions{
			FilterPattern:   awslogs.FilterPattern_Literal(&watch.pattern),
			MetricNamespace: new(contract.MetricNamespace + "/" + c.Foundation.Name), // a filter cannot add the environment as a dimension
			MetricName:      &id,
			DefaultValue:    new(0.0),
		})
		c.Foundation.alarm(c.Stack, id, alarmProps{
			Runbook: "privacy", Subject: watch.subject, Means: watch.means, Metric: filter.Metric(summed()), AtLeast: 1,
		})
	}
}

// selector is a condition on a field of an event.
type selector = awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty

// notBy selects what is done by anyone except the roles whose names begin with the
// prefix, in the form of a role's sessions (IAM User Guide, IAM identifiers).
func (c Core) notBy(roles string) selector {
	return selector{
		Field:         new("userIdentity.arn"),
		NotStartsWith: texts("arn:" + *c.Partition() + ":sts::" + *c.Account() + ":assumed-role/" + roles),
	}
}

// dataEvents selects what is done to the resources of a type, if all conditions hold.
func dataEvents(name, resourceType string, which ...selector) any {
	fields := []any{
		selector{Field: new("eventCategory"), EqualTo: texts("Data")},
		selector{Field: new("resources.type"), EqualTo: texts(resourceType)},
	}
	for _, field := range which {
		fields = append(fields, field)
	}
	return awscloudtrail.CfnTrail_AdvancedEventSelectorProperty{Name: &name, FieldSelectors: &fields}
}
