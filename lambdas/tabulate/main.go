// Command tabulate is the scheduled Lambda function that writes the lake's messages as
// tables for SQL: for each institution and hour of acceptance, one Parquet file for each
// table, made from the messages as they were sent.
//
// It lists the lake instead of following the hub, so no redelivery can double a row: an
// hour's files depend on the objects that exist and on the catalog's entries for them.
package main

import (
	"reflect"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/catalog"
	"hl7lake/internal/contract"
	"hl7lake/lambdas/internal/derive"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/sent"
	"hl7lake/lambdas/internal/telemetry"
	"hl7lake/tables"
)

func main() {
	logger, env, aws := function.Start()
	objects := s3.NewFromConfig(aws)
	h := handler{
		logger:  logger,
		metrics: telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		tabulator: tabulator{
			lake: lake{
				Lake: sent.Lake{
					Bucket: env.Text(contract.EnvLakeBucket), Objects: objects,
					Catalog: catalog.Table{Name: env.Text(contract.EnvCatalogTable), DB: dynamodb.NewFromConfig(aws)},
				},
				edition: tables.Version,
			},
			tables: bucket{name: env.Text(contract.EnvTablesBucket), objects: objects},
		},
		now: time.Now,
	}
	if key := env.TextIfAny(contract.EnvTablesDeidKey); key != "" {
		h.pseudonyms = derive.New(key, kms.NewFromConfig(aws))
		h.lake.edition += " " + key
	}
	lambda.Start(function.Edge(logger, h.tabulate, reflect.TypeFor[*RequestError]()))
}
