// Command reindex is the Lambda function of the connector Finder that enters messages of
// the lake in the table of hashes again: messages that came before there was a table, or
// while it could not be written, and all of them when the key of the hashes is replaced.
// An operator invokes it.
package main

import (
	"reflect"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/indexer"
	"hl7lake/lambdas/internal/sent"
)

func main() {
	logger, env, aws := function.Start()
	x, err := indexer.FromEnvironment(logger, env, aws)
	if err != nil {
		function.Exit(logger, err)
	}
	h := handler{
		logger: logger,
		lake: sent.Lake{
			Bucket: env.Text(contract.EnvLakeBucket), Objects: s3.NewFromConfig(aws),
			Catalog: catalog.Table{Name: env.Text(contract.EnvCatalogTable), DB: dynamodb.NewFromConfig(aws)},
		},
		indexer: x,
	}
	lambda.Start(function.Edge(logger, h.reindex, reflect.TypeFor[*RequestError]()))
}
