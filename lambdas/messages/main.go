// Command messages is the Lambda function behind GET /messages and what is below it. It
// lists messages, newest first, and leads from an id to the message's history, its ER7,
// its JSON, and a view of it for people.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/lambdas/internal/received"
)

func main() {
	logger, env, aws := function.Start()
	db, objects := dynamodb.NewFromConfig(aws), s3.NewFromConfig(aws)
	h := handler{
		logger:   logger,
		catalog:  catalog.Table{Name: env.Text(contract.EnvCatalogTable), DB: db},
		received: received.Table{Name: env.Text(contract.EnvReceivedTable), DB: db},
		lake:     lake{bucket: env.Text(contract.EnvLakeBucket), objects: objects, presigner: s3.NewPresignClient(objects)},
		now:      time.Now,
	}
	lambda.Start(problem.Answer(logger, h.get))
}
