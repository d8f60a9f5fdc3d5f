package judges

import (
	"testing"

	"hl7lake/local/template"
)

const serviceSpec = "@aws-cdk/aws-service-spec"

// TestAWSKnowsEveryPropertyAndMissesNone compares every resource's properties with AWS's
// specification of them, as published for the CDK. CloudFormation refuses at deployment
// what is unknown, missing or of another type.
func TestAWSKnowsEveryPropertyAndMissesNone(t *testing.T) {
	hear(t, serviceSpec, judgeProperties(t, environments(t, *snapshots)))
}

func judgeProperties(t *testing.T, all []environment) verdict {
	t.Helper()
	var subjects []subject
	each(t, all, func(place string, r *template.Resource, properties map[string]any) {
		subjects = append(subjects, subject{Place: place, Type: r.Type, Document: properties})
	})
	return askNode(t, "properties.mjs", serviceSpec, "properties", subjects)
}

func TestAWSRefusesPropertiesThatItDoesNotKnow(t *testing.T) {
	cases := map[string]wrong{}
	for name, test := range map[string]struct{ resourceType, properties, want string }{
		"nothing wrong":              {"AWS::SQS::Queue", `{"QueueName": "q", "DelaySeconds": "5", "Tags": [{"Key": "a", "Value": "b"}]}`, ""},
		"an unknown type":            {"AWS::SQS::Quue", `{}`, "unknown type"},
		"an unknown property":        {"AWS::SQS::Queue", `{"Delay": 5}`, "unknown property: AWS::SQS::Queue: Delay"},
		"a required one is missing":  {"AWS::SNS::Subscription", `{"Protocol": "sqs"}`, "TopicArn is required"},
		"a required one is NoValue":  {"AWS::CloudTrail::Trail", `{"IsLogging": true, "S3BucketName": {"Ref": "AWS::NoValue"}}`, "S3BucketName is required"},
		"an unknown one deep inside": {"AWS::S3::Bucket", `{"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Days": 1}]}}`, "LifecycleConfiguration.Rules[0].Days"},
		"a missing one deep inside":  {"AWS::S3::Bucket", `{"LifecycleConfiguration": {"Rules": [{"Id": "a"}]}}`, "Rules[0].Status is required"},
		"a text for a number":        {"AWS::SQS::Queue", `{"DelaySeconds": "soon"}`, "must be an integer"},
		"a fraction for an integer":  {"AWS::SQS::Queue", `{"DelaySeconds": 1.5}`, "must be an integer"},
		"a text for a boolean":       {"AWS::CloudTrail::Trail", `{"IsLogging": "yes", "S3BucketName": "b"}`, "must be true or false"},
		"an object for a text":       {"AWS::SQS::Queue", `{"QueueName": {"a": 1}}`, "must be text"},
		"a text for a list":          {"AWS::SQS::Queue", `{"Tags": "a"}`, "must be a list"},
		"a list for an object":       {"AWS::S3::Bucket", `{"LifecycleConfiguration": []}`, "must be an object"},
		"a tag without a value":      {"AWS::SQS::Queue", `{"Tags": [{"Key": "a"}]}`, "Tags[0].Value is required"},
		"a value that is not listed": {"AWS::S3::Bucket", `{"AbacStatus": "On"}`, "value not allowed"},
		"a custom one with its own":  {"Custom::Any", `{"ServiceToken": "arn:x", "Mine": {"a": [1]}}`, ""},
		"a custom one without token": {"Custom::Any", `{"Mine": 1}`, "ServiceToken is required"},
	} {
		cases[name] = wrong{`{"Type": "` + test.resourceType + `", "Properties": ` + test.properties + `}`, test.want}
	}
	mustRefuse(t, judgeProperties, cases)
}
