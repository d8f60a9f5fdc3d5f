package stacks

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawslogs"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// FrontDoor is the stack through which messages come in and are read: the HTTP API, its
// users, and the record of what was received.
type FrontDoor struct {
	awscdk.Stack
	// Users is the pool of people and machines who may use the API.
	Users awscognito.UserPool
	// Client is the application with which Users sign in on the command line.
	Client awscognito.UserPoolClient
	// Received records the hash of each message, so that a second copy is refused.
	Received awsdynamodb.Table
	http     httpAPI // every route demands a token of Users, but for the console's
}

// FrontDoorProps is what FrontDoor needs.
type FrontDoorProps struct {
	// Core is where messages are published and read.
	Core Core
}

// NewFrontDoor defines the FrontDoor stack.
func NewFrontDoor(scope constructs.Construct, id string, props FrontDoorProps) FrontDoor {
	core := props.Core
	base := core.Foundation
	env := base.Environment
	stack := awscdk.NewStack(scope, &id, env.stackProps("front-door", "hl7lake: HTTP API, users and duplicate detection"))
	users := newUserPool(stack, "Users", env)
	door := FrontDoor{
		Stack:  stack,
		Users:  users,
		Client: newUserPoolClient(users, "Client", env),
		Received: newTable(stack, "Received", base, awsdynamodb.TableProps{
			PartitionKey:        stringAttribute("pk"),
			TimeToLiveAttribute: new("expiry"),
		}),
	}
	// Claims of ingest whose message is not known to have ended: a sparse index, so that
	// reconcile's work grows with the messages under way and not with all messages ever
	// received.
	door.Received.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:        new(contract.IndexUnsettled),
		PartitionKey:     stringAttribute("unsettled"),
		SortKey:          stringAttribute("id"),
		ProjectionType:   awsdynamodb.ProjectionType_INCLUDE,
		NonKeyAttributes: &[]*string{new("owner")},
	})
	door.http = newHTTPAPI(stack, "Api", base)
	page := *door.http.URL() + consolePath
	console := newConsoleClient(users, "Console", env, page)
	domain := newSignInDomain(stack, users, env)
	clients := []awscognito.IUserPoolClient{door.Client, console}
	for _, machine := range newMachineClients(users, env) {
		clients = append(clients, machine)
	}
	authorizer := awsapigatewayv2authorizers.NewHttpUserPoolAuthorizer(new("Users"), users,
		&awsapigatewayv2authorizers.HttpUserPoolAuthorizerProps{UserPoolClients: &clients})
	door.http.authorizer = authorizer
	newAuditQuery(stack, base, "who posted and read what", door.addIngest(core), door.addMessages(core), door.addOperate(core), door.addForget(core))
	door.addReconcile(core)
	door.addConsole(base, console, domain)
	door.watchFeeds(base)
	identities := newIdentities(stack, "Identities", core, users, door.Client, console)

	newOutput(stack, contract.OutputAPI, door.http.URL(), "Base URL of the HTTP API")
	newOutput(stack, contract.OutputHTTPAPI, door.http.HTTP.ApiId(), "The HTTP API, to which other stacks may add routes")
	newOutput(stack, contract.OutputAuthorizer, authorizer.AuthorizerId(), "What demands a token of the API's users")
	newOutput(stack, contract.OutputUserPool, users.UserPoolId(), "Pool of the API's users")
	newOutput(stack, contract.OutputUserPoolClient, door.Client.UserPoolClientId(), "Client through which users sign in")
	newOutput(stack, contract.OutputConsoleClient, console.UserPoolClientId(), "Client with which the console signs users in (code + PKCE)")
	newOutput(stack, contract.OutputConsole, &page, "The console: a page for people")
	newOutput(stack, contract.OutputSignIn, domain.BaseUrl(nil), "Sign-in pages, and /oauth2/token for machines")
	newOutput(stack, contract.OutputReceived, door.Received.TableName(), "Table of what was accepted")
	newOutput(stack, contract.OutputIdentityPool, identities.pool.Ref(), "Pool that gives users credentials to read the lake in S3")
	newOutput(stack, contract.OutputReaders, identities.readers.RoleName(), "Role of the users with credentials of that pool")
	return door
}

// addIngest defines the function that accepts a message, once.
func (d FrontDoor) addIngest(core Core) Function {
	ingest := newFunction(d.Stack, "Ingest", core.Foundation, FunctionProps{
		Package:     "lambdas/ingest",
		Description: "Accepts a posted message, refuses duplicates, publishes the rest",
		Memory:      512, // a sender waits for it, and memory brings processor time
		Timeout:     20,
		Concurrency: 100,
		Environment: map[string]*string{
			contract.EnvReceivedTable:      d.Received.TableName(),
			contract.EnvReceivedWindowDays: new(fmt.Sprint(core.Foundation.receivedDays())),
			contract.EnvOwnerPerSecond:     number(core.Foundation.OwnerLimit.PerSecond),
			contract.EnvOwnerBurst:         number(core.Foundation.OwnerLimit.Burst),
		},
	})
	core.LetPublish(ingest)
	grant(ingest.Lambda, []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}, d.Received.TableArn())
	grantTableKey(ingest.Lambda, core.Foundation.Keys.Tables)
	d.http.addRoutes(ingest, awsapigatewayv2.HttpMethod_POST, core.Foundation.PostLimit, "/er7", "/hl7", "/messages/{protocol}/{format}")
	return ingest
}

// number writes a number for a function's environment.
func number(n float64) *string { return new(strconv.FormatFloat(n, 'f', -1, 64)) }

// addMessages defines the function that lists messages and returns them, to those who may
// read them.
func (d FrontDoor) addMessages(core Core) Function {
	messages := newFunction(d.Stack, "Messages", core.Foundation, FunctionProps{
		Package:     "lambdas/messages",
		Description: "Lists messages and gives back their history and content",
		Memory:      512,
		Timeout:     20,
		Concurrency: 100,
		Environment: map[string]*string{
			contract.EnvCatalogTable:  core.Catalog.TableName(),
			contract.EnvLakeBucket:    core.Lake.BucketName(),
			contract.EnvReceivedTable: d.Received.TableName(),
		},
	})
	newOutput(d.Stack, contract.OutputReadsLog, messages.Logs.LogGroupName(), "Log group with the record of who read what")
	core.GrantRead(messages.Lambda)
	// To list messages by their keys. Besides, S3 says that an object is gone only to a
	// caller who may list the bucket (Amazon S3 API Reference, GetObject).
	grant(messages.Lambda, []string{"s3:ListBucket"}, core.Lake.BucketArn())
	grant(messages.Lambda, []string{"dynamodb:GetItem"}, d.Received.TableArn())
	// To list errors, and what is accepted and not in the lake yet.
	grant(messages.Lambda, []string{"dynamodb:Query"}, new(*core.Catalog.TableArn()+"/index/"+contract.IndexByOwner),
		new(*d.Received.TableArn()+"/index/"+contract.IndexUnsettled))
	d.http.addRoutes(messages, awsapigatewayv2.HttpMethod_GET, core.Foundation.ReadLimit,
		"/messages", "/messages/{id}", "/messages/{id}/er7", "/messages/{id}/json", "/messages/{id}/content", "/messages/{id}/content/{connector}",
		"/messages/{id}/view", "/messages/{id}/value", "/feeds", "/errors")
	return messages
}

// watchFeeds makes an alarm for each institution that sends regularly, for when it has
// been silent too long.
func (d FrontDoor) watchFeeds(base Foundation) {
	for _, institution := range base.Institutions {
		if institution.QuietAfterMinutes == 0 {
			continue
		}
		base.alarm(d.Stack, "NoTraffic-"+institution.Name, alarmProps{
			Runbook:      "no-traffic",
			Subject:      institution.Name,
			Means:        fmt.Sprintf("%s has sent nothing that was accepted for %g minutes.", institution.Name, institution.QuietAfterMinutes),
			Metric:       base.ownMetric(contract.MetricAccepted, summed(), "owner", institution.Name),
			Below:        1,
			Periods:      institution.QuietAfterMinutes / 5,
			SilenceIsBad: true,
		})
	}
}

// newAuditQuery saves a query that an auditor needs, such as who posted and read what. The
// records are among the log lines of the functions that did it. Their log groups are
// encrypted and kept as long as an audit requires. A copy elsewhere would be a second
// place to protect.
func newAuditQuery(stack awscdk.Stack, base Foundation, name string, functions ...Function) {
	var groups []interfacesawslogs.ILogGroupRef
	for _, fn := range functions {
		groups = append(groups, fn.Logs)
	}
	awslogs.NewQueryDefinition(stack, new("AuditQuery"), &awslogs.QueryDefinitionProps{
		QueryDefinitionName: new("hl7lake-" + base.Name + "/" + name),
		LogGroups:           &groups,
		QueryString: awslogs.NewQueryString(&awslogs.QueryStringProps{
			Fields:           texts("@timestamp", "@message"),
			FilterStatements: texts("ispresent(audit)"),
			Sort:             new("@timestamp desc"),
			Limit:            new(1000.0),
		}),
	})
}
