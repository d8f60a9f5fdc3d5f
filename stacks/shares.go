package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"

	"hl7lake/internal/contract"
)

const (
	// deferredDays is how long a message may wait for its turn. A dead letter's time
	// counts from when it was sent to the first queue (Amazon SQS Developer Guide, Using
	// dead-letter queues), so half of it is left for trigger's dead-letter queue.
	deferredDays = deadLetterDays / 2
	// deferredTries is how often a deferred message is received before it becomes a dead
	// letter. A message that finds all instances of trigger busy was received too (AWS
	// Lambda Developer Guide, Creating and configuring an Amazon SQS event source
	// mapping: at least five).
	deferredTries = 5
	// deferredHiddenSeconds is how long a message that trigger was given is hidden: six
	// times trigger's time-out, so that Lambda can try again after throttling (same
	// page).
	deferredHiddenSeconds = 6 * triggerSeconds
	// deferredAlarmSeconds is the age of a deferred message at which somebody should
	// look.
	deferredAlarmSeconds = 60 * 60
)

// addShares makes the table of what each institution has used of its share of staging,
// which is as large as that of ingest. The table belongs to this stack, because a message
// may come to the hub by other ways than ingest, and more of them at once.
func (s StagingER7) addShares(base Foundation, trigger Function) {
	shares := newTable(s.Stack, "Shares", base, awsdynamodb.TableProps{
		PartitionKey:        stringAttribute("pk"),
		TimeToLiveAttribute: new("expiry"),
	})
	grant(trigger.Lambda, []string{"dynamodb:UpdateItem"}, shares.TableArn())
	grantTableKey(trigger.Lambda, base.Keys.Tables)
	for name, value := range map[string]*string{
		contract.EnvSharesTable:    shares.TableName(),
		contract.EnvOwnerPerSecond: number(base.OwnerLimit.PerSecond),
		contract.EnvOwnerBurst:     number(base.OwnerLimit.Burst),
	} {
		trigger.tell(name, value)
	}
}

// addDeferral makes the queue of what an institution has beyond its share. Trigger fills
// it, and it feeds trigger with few messages at a time, taking turns between
// institutions. What fails there repeatedly goes to trigger's queue of what SNS could not
// deliver, because it has the same form.
func (s StagingER7) addDeferral(base Foundation, trigger Function, undelivered awssqs.Queue) {
	deferred := awssqs.NewQueue(trigger.scope, new("Deferred"), &awssqs.QueueProps{
		RetentionPeriod:     awscdk.Duration_Days(new(float64(deferredDays))),
		MaxMessageSizeBytes: new(float64(deadLetterBytes)),
		VisibilityTimeout:   awscdk.Duration_Seconds(new(float64(deferredHiddenSeconds))),
		DeadLetterQueue:     &awssqs.DeadLetterQueue{Queue: undelivered, MaxReceiveCount: new(float64(deferredTries))},
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: base.Keys.Hub,
		EnforceSSL:          new(true),
		RemovalPolicy:       base.removalPolicy(),
	})
	base.alarm(deferred, "Old", alarmProps{
		Runbook: "staging-latency",
		Subject: "deferred",
		Means:   "What an institution has beyond its share waits for an hour to become JSON.",
		Metric:  deferred.MetricApproximateAgeOfOldestMessage(statistic("Maximum", 5)),
		AtLeast: deferredAlarmSeconds,
	})
	trigger.Lambda.AddEnvironment(new(contract.EnvDeferredQueueURL), deferred.QueueUrl(), nil)
	// Lambda receives and deletes with the function's role. Not NewSqsEventSource, which
	// would let the function do more.
	grant(trigger.Lambda, []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, deferred.QueueArn())
	mapping := awslambda.NewCfnEventSourceMapping(trigger.scope, new("FromDeferred"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:   trigger.Lambda.FunctionName(),
		EventSourceArn: deferred.QueueArn(),
		BatchSize:      new(1.0), // so that a failure is retried alone
		ScalingConfig: &awslambda.CfnEventSourceMapping_ScalingConfigProperty{
			MaximumConcurrency: new(base.DeferredConcurrency),
		},
	})
	mapping.Node().AddDependency(trigger.Lambda.Role()) // Lambda refuses a mapping whose role may not receive yet
}
