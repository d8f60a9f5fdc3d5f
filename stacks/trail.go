package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudtrail"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
)

// addTrail records who read and wrote which object and item, and who published to the hub, whether it was one of our
// functions, a user with credentials of the identity pool or an administrator at a console. A record names keys, which
// hold ids, and no content. Tables are known by the beginning of their name, so that those of stacks which Core does not
// know are covered too.
func (c Core) addTrail(accessLogs awss3.Bucket) {
	base := c.Foundation
	bucket := newBucket(c.Stack, "TrailLogs", base.Environment, accessLogs, awss3.BucketProps{
		Encryption:       awss3.BucketEncryption_KMS,
		EncryptionKey:    base.Keys.Logs,
		BucketKeyEnabled: new(true),
		Versioned:        new(true),
		LifecycleRules:   &[]*awss3.LifecycleRule{lifecycle("", 0, base.AuditDays)},
	})
	trail := awscloudtrail.NewTrail(c.Stack, new("Trail"), &awscloudtrail.TrailProps{
		Bucket:                     bucket,
		EncryptionKey:              base.Keys.Logs,
		EnableFileValidation:       new(true), // a digest each hour, signed: a record that was changed or removed shows
		SendToCloudWatchLogs:       new(true),
		CloudWatchLogGroup:         newLogGroup(c.Stack, "TrailRecords", base),
		IsMultiRegionTrail:         new(false), // what it watches is in this region
		IncludeGlobalServiceEvents: new(false), // the account's own trail has those
	})
	tables := arnOf(c.Stack, "dynamodb", "table/hl7lake-"+base.Name+"-")
	trail.Node().DefaultChild().(awscloudtrail.CfnTrail).SetAdvancedEventSelectors(&[]any{
		dataEvents("Objects with messages", "AWS::S3::Object", awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{
			Field:      new("resources.ARN"),
			StartsWith: &[]*string{c.Lake.ArnForObjects(new("")), c.ClaimCheck.ArnForObjects(new(""))},
		}),
		dataEvents("Items of tables", "AWS::DynamoDB::Table", awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{
			Field: new("resources.ARN"), StartsWith: &[]*string{&tables},
		}),
		dataEvents("Events on the hub", "AWS::SNS::Topic", awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{
			Field: new("resources.ARN"), EqualTo: &[]*string{c.Hub.TopicArn()},
		}),
	})
	accept(trail, "HIPAA.Security-IAMNoInlinePolicy", "The policy is of this role and goes with it.")
}

// dataEvents selects what is done to the resources of a type.
func dataEvents(name, resourceType string, which awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty) any {
	return awscloudtrail.CfnTrail_AdvancedEventSelectorProperty{
		Name: &name,
		FieldSelectors: &[]any{
			awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{Field: new("eventCategory"), EqualTo: texts("Data")},
			awscloudtrail.CfnTrail_AdvancedFieldSelectorProperty{Field: new("resources.type"), EqualTo: texts(resourceType)},
			which,
		},
	}
}
