// Command prepare is the Lambda function of the workflow's first state. It removes what
// transport added around a message, and makes CR the terminator of its segments.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/function"
)

func main() {
	logger, env, aws := function.Start()
	h := handler{
		claimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)},
	}
	lambda.Start(function.Edge(logger, h.prepare))
}
