// Command search is the Lambda function of the connector Finder behind
// POST /messages/search: it lists the messages that have an identifier, newest first.
package main

import (
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/internal/finder"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/problem"
)

func main() {
	logger, env, aws := function.Start()
	places, err := finder.ParsePlaces(env.TextIfAny(contract.EnvFinderPlaces))
	if err != nil {
		function.Exit(logger, err)
	}
	db, hashes := dynamodb.NewFromConfig(aws), kms.NewFromConfig(aws)
	h := handler{
		logger:  logger,
		catalog: catalog.Table{Name: env.Text(contract.EnvCatalogTable), DB: db},
		index:   finder.Index{Name: env.Text(contract.EnvFinderTable), DB: db},
		kinds:   finder.Kinds(append(finder.Places(), places...)),
	}
	for id := range strings.FieldsSeq(env.Text(contract.EnvFinderKeys)) {
		h.keys = append(h.keys, derive.New(id, hashes))
	}
	lambda.Start(problem.Answer(logger, h.search))
}
