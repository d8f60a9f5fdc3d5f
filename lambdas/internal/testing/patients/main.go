// Command patients is the function of a connector that exists for docs/connector.md and
// the tests: of each admission, discharge and transfer it makes a FHIR R4 Patient with
// what PID says. It is whole, and small; no environment has it.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/contract"
	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
)

func main() {
	logger, env, aws := function.Start()
	h := handler{hub.Topic{
		ARN:        env.Text(contract.EnvHubTopicARN),
		Publisher:  audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger},
		ClaimCheck: hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)},
	}}
	lambda.Start(function.Edge(logger, h.handle))
}
