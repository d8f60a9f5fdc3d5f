// Command parse is the Lambda function of the workflow's second state. It turns a tidy
// ER7 message into one line of JSON and publishes that as the staged event.
package main

import (
	"reflect"

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
	claimCheck := hub.ClaimCheck{Bucket: env.Text(contract.EnvClaimCheckBucket), Objects: s3.NewFromConfig(aws)}
	h := handler{
		claimCheck: claimCheck,
		hub: hub.Topic{
			ARN:        env.Text(contract.EnvHubTopicARN),
			Publisher:  audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger},
			ClaimCheck: claimCheck,
		},
		lakeBucket: env.Text(contract.EnvLakeBucket),
	}
	lambda.Start(function.Edge(logger, h.parse, reflect.TypeFor[*ParseError]()))
}
