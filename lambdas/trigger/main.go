// Command trigger is the Lambda function that has each ingested ER7 message staged: it
// runs the workflow and, if that fails, publishes the error event. What one institution
// has beyond its share waits in a queue, which feeds trigger too.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/telemetry"
)

func main() {
	logger, env, aws := function.Start()
	limit, err := allowance.ParseLimit(env.Text(contract.EnvOwnerPerSecond), env.Text(contract.EnvOwnerBurst))
	if err != nil {
		function.Exit(logger, err)
	}
	claimCheck := hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)}
	h := handler{
		logger:     logger,
		metrics:    telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		claimCheck: claimCheck,
		hub: hub.Topic{
			ARN:        env.Text(contract.EnvHubTopicARN),
			Publisher:  audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger},
			ClaimCheck: claimCheck,
		},
		workflow: workflow{arn: env.Text(contract.EnvStateMachineARN), starter: sfn.NewFromConfig(aws, retryThrottles)},
		deferral: deferral{
			shares:   allowance.New(env.Text(contract.EnvSharesTable), dynamodb.NewFromConfig(aws), limit),
			queueURL: env.Text(contract.EnvDeferredQueueURL),
			queue:    sqs.NewFromConfig(aws),
		},
	}
	lambda.Start(function.Edge(logger, h.handle))
}

// retryThrottles tries a throttled start six times within about ten seconds; after that
// Lambda delivers the event again. The SDK's own budget of retries is switched off: it
// would end them sooner, with an error that hides the throttling.
func retryThrottles(o *sfn.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) {
		s.MaxAttempts = 6
		s.MaxBackoff = 4 * time.Second
		s.RateLimiter = ratelimit.None
	})
}
