// Command ingest is the Lambda function behind POST /er7: it authorizes the
// sender, refuses duplicates, and publishes each new message to the hub before
// it answers 201.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/allowance"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

type settings struct {
	HubTopicARN      string `env:"HUB_TOPIC_ARN"`
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
	ReceivedTable    string `env:"RECEIVED_TABLE"`
	OwnerPerSecond   string `env:"OWNER_PER_SECOND"`
	OwnerBurst       string `env:"OWNER_BURST"`
	Environment      string `env:"ENVIRONMENT" default:"unnamed"`
}

func main() {
	logger, settings, aws := telemetry.Start[settings]()
	limit, err := allowance.ParseLimit(settings.OwnerPerSecond, settings.OwnerBurst)
	if err != nil {
		telemetry.Exit(logger, err)
	}
	db := dynamodb.NewFromConfig(aws)
	h := handler{
		logger:    logger,
		metrics:   telemetry.Metrics{Environment: settings.Environment},
		allowance: allowance.New(settings.ReceivedTable, db, limit),
		received:  received.Table{Name: settings.ReceivedTable, DB: db},
		hub: hub.Topic{
			ARN:        settings.HubTopicARN,
			Publisher:  sns.NewFromConfig(aws), // the record of the post is that of its publish
			ClaimCheck: hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: s3.NewFromConfig(aws)},
		},
	}
	lambda.Start(problem.Answer(logger, h.post))
}
