// Command prepare is the Lambda function of the workflow's first state: it
// takes off what transport put around a message and makes its segment
// terminators CR.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hl7lake/lambdas/internal/environment"
	"hl7lake/lambdas/internal/hub"
	"hl7lake/lambdas/internal/telemetry"
)

type settings struct {
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
}

func main() {
	logger := telemetry.NewLogger(os.Stdout)
	settings, err := environment.Load[settings](os.LookupEnv)
	if err != nil {
		telemetry.Exit(logger, err)
	}
	aws, err := telemetry.AWS(context.Background())
	if err != nil {
		telemetry.Exit(logger, err)
	}
	h := handler{
		logger:     logger,
		claimCheck: hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: s3.NewFromConfig(aws)},
	}
	lambda.Start(telemetry.Edge(logger, h.prepare))
}
