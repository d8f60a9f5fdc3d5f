// Command index is the Lambda function of the connector Finder that enters each ingested
// ER7 message in the table of hashes, so that it is found by its identifiers.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/indexer"
)

func main() {
	logger, env, aws := function.Start()
	x, err := indexer.FromEnvironment(logger, env, aws)
	if err != nil {
		function.Exit(logger, err)
	}
	h := handler{
		claimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)},
		indexer:    x,
	}
	lambda.Start(function.Edge(logger, h.handle))
}
