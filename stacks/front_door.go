package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
)

// FrontDoor is the stack through which messages come in and are read back: the HTTP API, its users, and the record of
// what was received.
type FrontDoor struct {
	awscdk.Stack
	// API is the HTTP API; every route demands a token of Users.
	API awsapigatewayv2.HttpApi
	// Users is the pool of people and machines who may use the API.
	Users awscognito.UserPool
	// Client is the application through which Users sign in.
	Client awscognito.UserPoolClient
	// Received records the hash of each message, so that a second copy is refused.
	Received awsdynamodb.Table
}

// FrontDoorProps is what FrontDoor needs.
type FrontDoorProps struct {
	Environment Environment
	// Core is where messages are published to and read from.
	Core Core
}

// NewFrontDoor defines the FrontDoor stack.
func NewFrontDoor(scope constructs.Construct, id string, props FrontDoorProps) FrontDoor {
	env := props.Environment
	stack := awscdk.NewStack(scope, &id, env.stackProps("front-door", "hl7lake: HTTP API, users and duplicate detection"))
	users := newUserPool(stack, "Users", env)
	door := FrontDoor{
		Stack:  stack,
		Users:  users,
		Client: newUserPoolClient(users, "Client", env),
		Received: newTable(stack, "Received", env, awsdynamodb.TableProps{
			PartitionKey:        stringAttribute("pk"),
			TimeToLiveAttribute: new("expiry"),
		}),
	}
	// What ingest claimed and nobody has seen at the end of its way yet: a sparse index, so that reconcile's work grows with
	// what is under way and not with what was ever received.
	door.Received.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:        new("unsettled"),
		PartitionKey:     stringAttribute("unsettled"),
		SortKey:          stringAttribute("id"),
		ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
		NonKeyAttributes: &[]*string{new("owner")},
	})
	door.API = awsapigatewayv2.NewHttpApi(stack, new("Api"), &awsapigatewayv2.HttpApiProps{
		ApiName:     new("hl7lake-" + env.Name),
		Description: new("Posts HL7v2 messages and reads them back"),
		DefaultAuthorizer: awsapigatewayv2authorizers.NewHttpUserPoolAuthorizer(new("Users"), users,
			&awsapigatewayv2authorizers.HttpUserPoolAuthorizerProps{
				UserPoolClients: &[]awscognito.IUserPoolClient{door.Client},
			}),
	})
	door.addIngest(env, props.Core)
	door.addMessages(env, props.Core)

	newOutput(stack, "ApiUrl", door.API.ApiEndpoint(), "Base URL of the HTTP API")
	newOutput(stack, "UserPoolId", users.UserPoolId(), "Pool of the API's users")
	newOutput(stack, "UserPoolClientId", door.Client.UserPoolClientId(), "Client through which users sign in")
	return door
}

// addIngest defines the function that accepts a message, once.
func (d FrontDoor) addIngest(env Environment, core Core) {
	ingest := newFunction(d.Stack, "Ingest", env, functionProps{
		Package:     "lambdas/ingest",
		Description: "Accepts a posted message, refuses duplicates, publishes the rest",
		Memory:      512,
		Timeout:     20,
		Environment: map[string]*string{
			"HUB_TOPIC_ARN":      core.Hub.TopicArn(),
			"CLAIM_CHECK_BUCKET": core.ClaimCheck.BucketName(),
			"RECEIVED_TABLE":     d.Received.TableName(),
		},
	})
	core.GrantPublish(ingest.Lambda)
	grant(ingest.Lambda, []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}, d.Received.TableArn())
	d.addRoutes(ingest, awsapigatewayv2.HttpMethod_POST, "/er7")
}

// addMessages defines the function that gives a message back to those who may read it.
func (d FrontDoor) addMessages(env Environment, core Core) {
	messages := newFunction(d.Stack, "Messages", env, functionProps{
		Package:     "lambdas/messages",
		Description: "Gives back a message's history and content",
		Memory:      512,
		Timeout:     20,
		Environment: map[string]*string{
			"CATALOG_TABLE":  core.Catalog.TableName(),
			"LAKE_BUCKET":    core.Lake.BucketName(),
			"RECEIVED_TABLE": d.Received.TableName(),
		},
	})
	core.GrantRead(messages.Lambda)
	grant(messages.Lambda, []string{"dynamodb:GetItem"}, d.Received.TableArn())
	d.addRoutes(messages, awsapigatewayv2.HttpMethod_GET, "/messages/{id}", "/messages/{id}/er7", "/messages/{id}/json")
}

// addRoutes sends requests for the paths to the function.
func (d FrontDoor) addRoutes(fn function, method awsapigatewayv2.HttpMethod, paths ...string) {
	integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(fn.scope.Node().Id(), fn.Lambda, nil)
	for _, path := range paths {
		d.API.AddRoutes(&awsapigatewayv2.AddRoutesOptions{
			Path:        new(path),
			Methods:     &[]awsapigatewayv2.HttpMethod{method},
			Integration: integration,
		})
	}
}
