package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
)

// deadLetterDays is how long a dead-letter queue keeps a message: the longest that SQS offers.
const deadLetterDays = 14

// newDeadLetterQueue makes a queue for messages that nobody could handle. It is encrypted with SQS's own key and
// takes part in nothing but TLS connections.
func newDeadLetterQueue(scope constructs.Construct, id string, env Environment) awssqs.Queue {
	return awssqs.NewQueue(scope, &id, &awssqs.QueueProps{
		RetentionPeriod: awscdk.Duration_Days(new(float64(deadLetterDays))),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      new(true),
		RemovalPolicy:   env.removalPolicy(),
	})
}
