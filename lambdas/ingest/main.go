// Command ingest is the Lambda function behind POST /er7: it authorizes the
// sender, refuses duplicates, and publishes each new message to the hub before
// it answers 201.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

type settings struct {
	HubTopicARN      string `env:"HUB_TOPIC_ARN"`
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
	ReceivedTable    string `env:"RECEIVED_TABLE"`
	WindowDays       int    `env:"RECEIVED_WINDOW_DAYS"`
	OwnerPerSecond   string `env:"OWNER_PER_SECOND"`
	OwnerBurst       string `env:"OWNER_BURST"`
	Environment      string `env:"ENVIRONMENT" default:"unnamed"`
}

func main() {
	logger, settings, aws := function.Start[settings]()
	limit, err := allowance.ParseLimit(settings.OwnerPerSecond, settings.OwnerBurst)
	if err != nil {
		function.Exit(logger, err)
	}
	db := dynamodb.NewFromConfig(aws)
	h := handler{
		logger:    logger,
		metrics:   telemetry.Metrics{Environment: settings.Environment},
		allowance: allowance.New(settings.ReceivedTable, db, limit),
		received: received.Table{
			Name: settings.ReceivedTable, DB: db, Window: time.Duration(settings.WindowDays) * 24 * time.Hour, Runner: runner(),
		},
		hub: hub.Topic{
			ARN:        settings.HubTopicARN,
			Publisher:  sns.NewFromConfig(aws), // the record of the post is that of its publish
			ClaimCheck: hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: s3.NewFromConfig(aws)},
		},
	}
	lambda.Start(problem.Answer(logger, h.post))
}

// runner names this execution environment by its log stream, of which each has its
// own, and which remains when the function's process has died and is started anew in
// it. An environment handles one event at a time, unless it was told otherwise (AWS
// Lambda Developer Guide, Understanding the Lambda execution environment lifecycle).
func runner() string {
	if lambdacontext.MaxConcurrency() > 1 {
		return ""
	}
	return lambdacontext.LogStreamName
}
