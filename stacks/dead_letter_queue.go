package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
)

// deadLetterDays is how long a dead-letter queue keeps a message: the longest that SQS offers.
const deadLetterDays = 14

// deadLetterBytes is the size of the largest message that a dead-letter queue takes, the most that SQS offers: a message
// that the topic took arrives here with an envelope around it and its line ends escaped, and must still fit.
const deadLetterBytes = 1 << 20

// newDeadLetterQueue makes a queue for messages that nobody could handle. It is encrypted with SQS's own key and
// takes part in nothing but TLS connections.
func newDeadLetterQueue(scope constructs.Construct, id string, env Environment) awssqs.Queue {
	return awssqs.NewQueue(scope, &id, &awssqs.QueueProps{
		RetentionPeriod:     awscdk.Duration_Days(new(float64(deadLetterDays))),
		MaxMessageSizeBytes: new(float64(deadLetterBytes)),
		Encryption:          awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:          new(true),
		RemovalPolicy:       env.removalPolicy(),
	})
}
