// Command forget is the Lambda function behind POST /messages/{id}/forget: it deletes the
// content of a message for good, for people who operate for its institution. It works as
// package hl7lake/operate does. It is the only function that may delete from the lake,
// and does nothing else.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"hl7lake/internal/contract"
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
		Received:   env.Text(contract.EnvReceivedTable),
		Finder:     env.Text(contract.EnvFinderTable),
	}
	h := handler{logger: logger, operator: operate.In(names, aws, nil)} // it publishes nothing
	lambda.Start(problem.Answer(logger, h.forget))
}
