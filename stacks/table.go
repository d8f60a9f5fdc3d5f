package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
)

// newTable makes an encrypted on-demand table with the given keys. In every environment
// it can be restored to any second of the last 35 days: restoring is only reliable if it
// was tried.
func newTable(scope constructs.Construct, id string, base Foundation, props awsdynamodb.TableProps) awsdynamodb.Table {
	props.BillingMode = awsdynamodb.BillingMode_PAY_PER_REQUEST
	props.Encryption = awsdynamodb.TableEncryption_CUSTOMER_MANAGED
	props.EncryptionKey = base.Keys.Tables
	props.RemovalPolicy = base.removalPolicy()
	props.DeletionProtection = new(base.KeepData)
	props.PointInTimeRecoverySpecification = &awsdynamodb.PointInTimeRecoverySpecification{
		PointInTimeRecoveryEnabled: new(true),
	}
	table := awsdynamodb.NewTable(scope, &id, &props)
	base.alarm(table, "Throttled", alarmProps{
		Runbook: "throttles",
		Subject: "table-" + id,
		Means:   "DynamoDB refused requests to the table " + id + " because there were too many at once.",
		Metric: sum("reads + writes", map[string]awscloudwatch.IMetric{
			"reads":  table.Metric(new("ReadThrottleEvents"), summed()),
			"writes": table.Metric(new("WriteThrottleEvents"), summed()),
		}),
		AtLeast: 1,
	})
	accept(table, "HIPAA.Security-DynamoDBInBackupPlan",
		"Point-in-time recovery keeps 35 days of every change; a backup plan would keep less, of the same table. The catalog can "+
			"be made again from the keys and the content of the lake, and received hashes expire.")
	return table
}

// stringAttribute is a key attribute of DynamoDB's type S.
func stringAttribute(name string) *awsdynamodb.Attribute {
	return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
}
