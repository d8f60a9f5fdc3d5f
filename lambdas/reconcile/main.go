// Command reconcile is the scheduled Lambda function that holds what was
// accepted against what the catalog has. It publishes a message again that got
// stuck on its way and reports one that it cannot bring back.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

type settings struct {
	CatalogTable     string `env:"CATALOG_TABLE"`
	LakeBucket       string `env:"LAKE_BUCKET"`
	HubTopicARN      string `env:"HUB_TOPIC_ARN"`
	ReceivedTable    string `env:"RECEIVED_TABLE"`
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
	Environment      string `env:"ENVIRONMENT" default:"unnamed"`
}

func main() {
	logger, settings, aws := function.Start[settings]()
	db, objects := dynamodb.NewFromConfig(aws), s3.NewFromConfig(aws)
	h := handler{
		logger:   logger,
		metrics:  telemetry.Metrics{Environment: settings.Environment},
		received: received.Table{Name: settings.ReceivedTable, DB: db},
		catalog:  catalog.Table{Name: settings.CatalogTable, DB: db},
		lake: replay.Lake{
			Bucket:  settings.LakeBucket,
			Objects: objects,
			Hub: hub.Topic{
				ARN:        settings.HubTopicARN,
				Publisher:  audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger},
				ClaimCheck: hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: objects},
			},
		},
		now: time.Now,
	}
	lambda.Start(function.Edge(logger, h.reconcile))
}
