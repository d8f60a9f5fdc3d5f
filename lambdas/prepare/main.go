// Command prepare is the Lambda function of the workflow's first state: it
// takes off what transport put around a message and makes its segment
// terminators CR.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/function"
)

type settings struct {
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
}

func main() {
	logger, settings, aws := function.Start[settings]()
	h := handler{
		claimCheck: hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: s3.NewFromConfig(aws)},
	}
	lambda.Start(function.Edge(logger, h.prepare))
}
