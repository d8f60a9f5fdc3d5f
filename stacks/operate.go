package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"

	"hl7lake/internal/contract"
)

// operateSeconds is how long a function may take with which people operate. API Gateway
// waits a little longer (Amazon API Gateway Developer Guide, Quotas for HTTP APIs).
const operateSeconds = 29

// operateLimit is how many requests of people who operate are accepted for each route.
// They press buttons, and one request replays up to a hundred messages.
func operateLimit() RateLimit { return RateLimit{PerSecond: 5, Burst: 20} }

// addOperate defines the function with which people operate on the messages of an
// institution. It can replay what was sent and redrive dead letters, and delete nothing of
// the lake.
func (d FrontDoor) addOperate(core Core) Function {
	base := core.Foundation
	operate := newFunction(d.Stack, "Operate", base, FunctionProps{
		Package:     "lambdas/operate",
		Description: "Replays messages and redrives dead letters for people who operate for an institution",
		Memory:      1024, // it has several messages in memory at once
		Timeout:     operateSeconds,
		Concurrency: 10,
		Environment: map[string]*string{
			contract.EnvCatalogTable: core.Catalog.TableName(),
			contract.EnvLakeBucket:   core.Lake.BucketName(),
		},
	})
	core.LetPublish(operate)
	grant(operate.Lambda, []string{"dynamodb:Query"}, core.Catalog.TableArn(), new(*core.Catalog.TableArn()+"/index/"+contract.IndexByOwner))
	grantTableKey(operate.Lambda, base.Keys.Tables)
	grant(operate.Lambda, []string{"s3:GetObjectVersion"}, core.objects(contract.ZoneIngestion, contract.ZoneError)...)
	// S3 says that an object is gone only to a caller who may list the bucket (Amazon S3
	// API Reference, GetObject).
	grant(operate.Lambda, []string{"s3:ListBucket"}, core.Lake.BucketArn())
	core.LetRedeem(operate)
	grant(operate.Lambda, []string{"s3:ListBucket"}, core.ClaimCheck.BucketArn())
	d.letRedrive(operate, base)
	d.http.addRoutes(operate, awsapigatewayv2.HttpMethod_POST, operateLimit(), "/messages/replay", "/messages/{id}/replay", "/dead-letters/redrive")
	d.http.addRoutes(operate, awsapigatewayv2.HttpMethod_GET, operateLimit(), "/dead-letters")
	return operate
}

// addForget defines the function with which people who operate for an institution delete
// the content of a message for good. No other function may delete from the lake. It may
// neither bypass a lock nor lift one.
func (d FrontDoor) addForget(core Core) Function {
	base := core.Foundation
	forget := newFunction(d.Stack, "Forget", base, FunctionProps{
		Package:     "lambdas/forget",
		Description: "Deletes messages' content for good, for people who operate for an institution",
		Memory:      512,
		Timeout:     operateSeconds,
		Concurrency: 5,
		Environment: map[string]*string{
			contract.EnvCatalogTable:     core.Catalog.TableName(),
			contract.EnvReceivedTable:    d.Received.TableName(),
			contract.EnvLakeBucket:       core.Lake.BucketName(),
			contract.EnvClaimCheckBucket: core.ClaimCheck.BucketName(),
			contract.EnvFinderTable:      new(base.finderTable()),
		},
	})
	grant(forget.Lambda, []string{"dynamodb:Query", "dynamodb:UpdateItem"}, core.Catalog.TableArn())
	grant(forget.Lambda, []string{"dynamodb:UpdateItem", "dynamodb:BatchWriteItem"}, new(arnOf(d.Stack, "dynamodb", "table/"+base.finderTable())))
	grant(forget.Lambda, []string{"dynamodb:DeleteItem"}, d.Received.TableArn())
	grantTableKey(forget.Lambda, base.Keys.Tables)
	grant(forget.Lambda, []string{"s3:ListBucket", "s3:ListBucketVersions"}, core.Lake.BucketArn())
	actions := []string{"s3:GetObjectVersion", "s3:DeleteObjectVersion"} // the hash of a message is the key of its claim
	if base.LockYears > 0 {
		actions = append(actions, "s3:GetObjectRetention", "s3:GetObjectLegalHold")
	}
	grant(forget.Lambda, actions, core.objects(contract.ZoneIngestion, contract.ZoneStaging, contract.ZoneError)...)
	grant(forget.Lambda, []string{"s3:ListBucket"}, core.ClaimCheck.BucketArn())
	grant(forget.Lambda, []string{"s3:DeleteObject"}, core.ClaimCheck.ArnForObjects(new("*")))
	grantDecrypt(forget.Lambda, base.Keys.Lake)
	d.http.addRoutes(forget, awsapigatewayv2.HttpMethod_POST, operateLimit(), "/messages/{id}/forget")
	return forget
}

// letRedrive lets the function find the environment's dead-letter queues and work on
// them, whichever stack they are in. This stack knows those of connectors by their names
// alone, see package operate.
func (d FrontDoor) letRedrive(fn Function, base Foundation) {
	prefix := "hl7lake-" + base.Name + "-"
	fn.tell(contract.EnvQueuePrefix, &prefix)
	grant(fn.Lambda, []string{"sqs:ListQueues"}, new("*")) // it cannot be limited to a resource
	var queues []*string
	for _, kind := range []string{"Undelivered", "Failed"} {
		queues = append(queues, new(arnOf(d.Stack, "sqs", prefix+"*"+kind+"*")))
	}
	grant(fn.Lambda, []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}, queues...)
	grantDecrypt(fn.Lambda, base.Keys.Hub)
	accept(fn.scope, "AwsSolutions-IAM5",
		"The dead-letter queues of the environment's stacks, of which those of connectors are known by the form of their names alone.",
		`/^Resource::arn:<AWS::Partition>:sqs:<AWS::Region>:<AWS::AccountId>:hl7lake-[a-z]+-\*(Undelivered|Failed)\*$/`)
}
