// Command reconcile is the scheduled Lambda function that compares accepted messages with
// the catalog. It publishes a message again that is stuck, and reports one that it cannot
// bring back.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/received"
	"hl7lake/lambdas/internal/telemetry"
)

func main() {
	logger, env, aws := function.Start()
	db, objects := dynamodb.NewFromConfig(aws), s3.NewFromConfig(aws)
	h := handler{
		logger:   logger,
		metrics:  telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		received: received.Table{Name: env.Text(contract.EnvReceivedTable), DB: db},
		catalog:  catalog.Table{Name: env.Text(contract.EnvCatalogTable), DB: db},
		route: replay.Route{
			Bucket:  env.Text(contract.EnvLakeBucket),
			Objects: objects,
			Hub: hub.Topic{
				ARN:        env.Text(contract.EnvHubTopicARN),
				Publisher:  audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger},
				ClaimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: objects},
			},
		},
		now: time.Now,
	}
	lambda.Start(function.Edge(logger, h.reconcile))
}
