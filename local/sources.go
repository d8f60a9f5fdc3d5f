package local

import (
	"context"

	"hl7lake/local/lambda"
	"hl7lake/local/sqs"
)

// queues are those of the local SQS, as Lambda polls them for its functions.
type queues struct{ *sqs.Service }

func (q queues) Receive(ctx context.Context, queueARN string) (lambda.QueueMessage, bool, error) {
	m, ok, err := q.Service.Receive(ctx, queueARN)
	return lambda.QueueMessage(m), ok, err
}

// waiting counts the messages in the queues that feed functions.
func (l *Lake) waiting() (n int, err error) {
	for _, source := range l.lambda.Sources() {
		held, err := l.sqs.Held(source)
		if err != nil {
			return 0, err
		}
		n += held
	}
	return n, nil
}
