// Command parse is the Lambda function of the workflow's second state: it turns
// a tidy ER7 message into one line of JSON and publishes that as the staged
// event.
package main

import (
	"reflect"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"hl7lake/internal/hub"
	"hl7lake/lambdas/internal/audit"
	"hl7lake/lambdas/internal/function"
)

type settings struct {
	HubTopicARN      string `env:"HUB_TOPIC_ARN"`
	ClaimCheckBucket string `env:"CLAIM_CHECK_BUCKET"`
	LakeBucket       string `env:"LAKE_BUCKET"` // named in the envelope, not opened
}

func main() {
	logger, settings, aws := function.Start[settings]()
	claimCheck := hub.ClaimCheck{Bucket: settings.ClaimCheckBucket, Objects: s3.NewFromConfig(aws)}
	h := handler{
		claimCheck: claimCheck,
		hub:        hub.Topic{ARN: settings.HubTopicARN, Publisher: audit.Publisher{Publisher: sns.NewFromConfig(aws), Logger: logger}, ClaimCheck: claimCheck},
		lakeBucket: settings.LakeBucket,
	}
	lambda.Start(function.Edge(logger, h.parse, reflect.TypeFor[*ParseError]()))
}
