// Command operate is the Lambda function behind the routes with which people operate on
// an institution's messages: it replays them, and redrives what lies in dead-letter
// queues. It works as package hl7lake/operate does, for one institution and within
// bounds. To forget a message is the work of the function forget, which alone may delete.
package main

import (
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
	"hl7lake/operate"
)

func main() {
	logger, env, aws := function.Start()
	names := operate.Names{
		Lake:       env.Text(contract.EnvLakeBucket),
		ClaimCheck: env.Text(contract.EnvClaimCheckBucket),
		Catalog:    env.Text(contract.EnvCatalogTable),
		Hub:        env.Text(contract.EnvHubTopicARN),
		Queues:     env.Text(contract.EnvQueuePrefix),
	}
	h := handler{
		logger:   logger,
		operator: operate.In(names, aws, audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger}),
		now:      time.Now,
	}
	lambda.Start(problem.Answer(logger, h.serve))
}
