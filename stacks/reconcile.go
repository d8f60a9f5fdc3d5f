package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"

	"hl7lake/internal/contract"
)

// reconcileMinutes is how often accepted messages are compared with the catalog.
const reconcileMinutes = 15

// addReconcile defines the function that looks for messages that are stuck, and publishes
// them again. It belongs to the front door because only the record of what was received
// knows what should be in the lake.
func (d FrontDoor) addReconcile(core Core) {
	base := core.Foundation
	reconcile := newFunction(d.Stack, "Reconcile", base, FunctionProps{
		Package:     "lambdas/reconcile",
		Description: "Publishes accepted messages again that did not come to the end of their way",
		Memory:      512,
		Timeout:     300,
		Concurrency: 1, // a late run does not overlap the next
		Environment: map[string]*string{
			contract.EnvReceivedTable: d.Received.TableName(),
			contract.EnvCatalogTable:  core.Catalog.TableName(),
			contract.EnvLakeBucket:    core.Lake.BucketName(),
		},
	})
	grant(reconcile.Lambda, []string{"dynamodb:GetItem", "dynamodb:UpdateItem"}, d.Received.TableArn())
	grant(reconcile.Lambda, []string{"dynamodb:Query"}, new(*d.Received.TableArn()+"/index/"+contract.IndexUnsettled), core.Catalog.TableArn())
	grantTableKey(reconcile.Lambda, base.Keys.Tables)
	grant(reconcile.Lambda, []string{"s3:GetObjectVersion"}, core.objects(contract.ZoneIngestion, contract.ZoneError)...)
	grantDecrypt(reconcile.Lambda, base.Keys.Lake)
	core.LetPublish(reconcile)

	awsevents.NewRule(d.Stack, new("ReconcileSchedule"), &awsevents.RuleProps{
		Description: new("Holds what was accepted against what the catalog has"),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(new(float64(reconcileMinutes)))),
		Targets:     &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(reconcile.Lambda, nil)},
	})
	newOutput(d.Stack, contract.OutputReconcile, reconcile.Lambda.FunctionName(), "Function that looks for stuck and missing messages")
	base.alarm(d.Stack, "UnstagedAge", alarmProps{
		Runbook: "unstaged-age",
		Means:   "A message was accepted half an hour ago and is neither staged nor an error yet, or the check itself does not run.",
		Metric:  base.ownMetric(contract.MetricOldestUnstagedAge, statistic("Maximum", 2*reconcileMinutes)),
		AtLeast: 30 * 60,
		// Reconcile writes its metric in every run. Without the metric, it is not
		// running.
		SilenceIsBad: true,
	})
	base.alarm(d.Stack, "Missing", alarmProps{
		Runbook: "missing",
		Means:   "A message was accepted and the lake does not hold it.",
		Metric:  base.ownMetric(contract.MetricMissing, statistic("Maximum", 2*reconcileMinutes)),
		AtLeast: 1,
	})
}
