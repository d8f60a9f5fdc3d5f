// Command ingest is the Lambda function behind POST /er7, POST
// /messages/{protocol}/{format} and POST /hl7. It authorizes the sender, finds
// duplicates, and publishes each new message on the hub before it answers. The first two
// answer in JSON, and the last one with HL7 acknowledgments.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

func main() {
	logger, env, aws := function.Start()
	limit, err := allowance.ParseLimit(env.Text(contract.EnvOwnerPerSecond), env.Text(contract.EnvOwnerBurst))
	if err != nil {
		function.Exit(logger, err)
	}
	db := dynamodb.NewFromConfig(aws)
	h := handler{
		logger:    logger,
		metrics:   telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		allowance: allowance.New(env.Text(contract.EnvReceivedTable), db, limit),
		received: received.Table{
			Name: env.Text(contract.EnvReceivedTable), DB: db, Runner: runner(),
			Window: time.Duration(env.Number(contract.EnvReceivedWindowDays)) * 24 * time.Hour,
		},
		hub: hub.Topic{
			ARN:        env.Text(contract.EnvHubTopicARN),
			Publisher:  sns.NewFromConfig(aws), // the record of the post is also that of its publish
			ClaimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)},
		},
	}
	lambda.Start(problem.Answer(logger, h.serve))
}

// runner names this execution environment by its log stream. Each environment has its
// own, and keeps it when the function's process dies and is started again. An environment
// handles one event at a time, unless it was configured otherwise (AWS Lambda Developer
// Guide, Understanding the Lambda execution environment lifecycle).
func runner() string {
	if lambdacontext.MaxConcurrency() > 1 {
		return ""
	}
	return lambdacontext.LogStreamName
}
