package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
)

// deadLetterDays is how long a dead-letter queue keeps a message: the longest time that
// SQS offers.
const deadLetterDays = 14

// deadLetterBytes is the size of the largest message that a dead-letter queue accepts,
// which is the most that SQS offers. A message that the topic accepted arrives here in an
// envelope and with its line ends escaped, and must still fit.
const deadLetterBytes = 1 << 20

// newDeadLetterQueue makes an encrypted queue for messages that nobody could handle. It
// can be reached over TLS only, and its first message raises an alarm.
func newDeadLetterQueue(scope constructs.Construct, id string, base Foundation) awssqs.Queue {
	queue := awssqs.NewQueue(scope, &id, &awssqs.QueueProps{
		RetentionPeriod:     awscdk.Duration_Days(new(float64(deadLetterDays))),
		MaxMessageSizeBytes: new(float64(deadLetterBytes)),
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: base.Keys.Hub,
		EnforceSSL:          new(true),
		RemovalPolicy:       base.removalPolicy(),
	})
	base.alarm(queue, "NotEmpty", alarmProps{
		Runbook: "dead-letters",
		Subject: *scope.Node().Id() + "-" + id,
		Means:   "A message that was accepted waits where nothing will handle it by itself.",
		Metric:  queue.MetricApproximateNumberOfMessagesVisible(statistic("Maximum", 1)),
		AtLeast: 1,
	})
	accept(queue, "AwsSolutions-SQS3", "This is itself a dead-letter queue: lake redrive empties it, and an alarm tells of its first message.")
	return queue
}
