// Command writer is the Lambda function that files each event of the hub: its body in the
// lake, and its entry in the catalog. Nothing else writes to either.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/function"
	"hl7lake/lambdas/internal/telemetry"
)

func main() {
	logger, env, aws := function.Start()
	objects := s3.NewFromConfig(aws, retryConflicts)
	h := handler{
		logger:     logger,
		metrics:    telemetry.Metrics{Environment: env.Text(contract.EnvName)},
		claimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: objects},
		lake:       lake{bucket: env.Text(contract.EnvLakeBucket), objects: objects},
		catalog:    table{name: env.Text(contract.EnvCatalogTable), db: dynamodb.NewFromConfig(aws)},
	}
	lambda.Start(function.Edge(logger, h.handle))
}

// retryConflicts repeats a conditional put that S3 answers with 409, because another one
// of the same key was under way (Amazon S3, Conditional writes).
func retryConflicts(o *s3.Options) {
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConditionalRequestConflict")
}
