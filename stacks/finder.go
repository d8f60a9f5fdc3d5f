package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
	"hl7lake/internal/finder"
)

// reindexSeconds is how long one run may take, which is the most that Lambda allows. The
// next run goes on where it ended.
const reindexSeconds = 900

// Finder is the stack that finds messages by their identifiers: a connector that keeps
// keyed hashes of these in a table, and a route of FrontDoor's API that searches it. The
// keys never leave AWS KMS (docs/decisions/0019-identifiers-as-keyed-hashes.md).
type Finder struct {
	Connector
	// Hashes is the table of the hashes.
	Hashes awsdynamodb.Table

	settings FinderSettings
	base     Foundation
}

// FinderProps is what Finder needs.
type FinderProps struct {
	// Core is the stack whose hub is used, and whose lake is read to make the table again.
	Core Core
	// FrontDoor is the stack whose API gets the route.
	FrontDoor FrontDoor
	// Settings say what is found. They are not nil.
	Settings *FinderSettings
}

// NewFinder defines the Finder stack.
func NewFinder(scope constructs.Construct, id string, props FinderProps) Finder {
	base := props.Core.Foundation
	props.Settings.check()
	connector := NewConnector(scope, id, ConnectorProps{
		Core: props.Core, Name: contract.ConnectorFinder, Description: "finds messages by their identifiers",
	})
	made := Finder{
		Connector: connector,
		Hashes: newTable(connector.Stack, "Hashes", base, awsdynamodb.TableProps{
			TableName:           new(base.finderTable()),
			PartitionKey:        stringAttribute("pk"),
			SortKey:             stringAttribute("sk"),
			TimeToLiveAttribute: new("expiry"),
		}),
		settings: *props.Settings,
		base:     base,
	}
	users := []Function{made.addIndex(), made.addReindex(), made.addSearch(props.FrontDoor)}
	made.addKeys(users)
	newOutput(made.Stack, contract.OutputFinder, made.Hashes.TableName(), "Table of the identifiers' hashes")
	return made
}

// finderTable is the name of Finder's table. It is chosen here, so that FrontDoor can let its
// function forget empty the table, whether the environment has one or not.
func (e Environment) finderTable() string { return "hl7lake-" + e.Name + "-finder-hashes" }

// check panics if the settings are not valid, which is a mistake in this package.
func (s FinderSettings) check() {
	if _, err := finder.ParsePlaces(strings.Join(s.Places, " ")); err != nil {
		panic(fmt.Sprintf("FinderSettings.Places: %v", err))
	}
	different := slices.Compact(slices.Sorted(slices.Values(s.KeyVersions)))
	if len(different) == 0 || len(different) < len(s.KeyVersions) || different[0] < 1 {
		panic(fmt.Sprintf("FinderSettings.KeyVersions %v: want one or more different numbers above zero", s.KeyVersions))
	}
}

// environment returns the variables that all functions of the stack have.
func (f Finder) environment() map[string]*string {
	variables := map[string]*string{contract.EnvFinderTable: f.Hashes.TableName()}
	if len(f.settings.Places) > 0 {
		variables[contract.EnvFinderPlaces] = new(strings.Join(f.settings.Places, " "))
	}
	return variables
}

// letEnter lets a function enter messages in the table.
func (f Finder) letEnter(fn Function) {
	if days := f.base.Zones.Ingestion.ExpireAfterDays; days > 0 {
		fn.tell(contract.EnvFinderDays, number(days))
	}
	grant(fn.Lambda, []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"}, f.Hashes.TableArn())
	grantTableKey(fn.Lambda, f.base.Keys.Tables)
}

// addIndex defines the function that enters each message that comes.
func (f Finder) addIndex() Function {
	index := f.NewFunction("Index", FunctionProps{
		Package:     "lambdas/index",
		Description: "Enters the identifiers of a message in the table of hashes",
		Memory:      256,
		Timeout:     30,
		Concurrency: 50,
		Environment: f.environment(),
	})
	f.Subscribe(index, Events{
		Names:     []string{contract.EventIngested},
		Protocols: []string{contract.ProtocolHL7v2},
		Formats:   []string{contract.FormatER7},
	})
	f.letEnter(index)
	f.base.alarm(f.Stack, "NotIndexed", alarmProps{
		Runbook: "not-indexed",
		Means:   "A message had more identifiers than are entered, so that it is not found by some of them.",
		Metric:  f.base.ownMetric(contract.MetricNotIndexed, summed()),
		AtLeast: 1,
	})
	return index
}

// addReindex defines the function that enters messages of the lake again.
func (f Finder) addReindex() Function {
	variables := f.environment()
	variables[contract.EnvLakeBucket] = f.core.Lake.BucketName()
	variables[contract.EnvCatalogTable] = f.core.Catalog.TableName()
	reindex := f.NewFunction("Reindex", FunctionProps{
		Package:     "lambdas/reindex",
		Description: "Enters messages of the lake in the table of hashes again",
		Memory:      512,
		Timeout:     reindexSeconds,
		Concurrency: 1, // two runs with different keys would remove each other's entries
		Environment: variables,
	})
	f.core.GrantReadMessages(reindex.Lambda)
	f.letEnter(reindex)
	accept(reindex.scope, "AwsSolutions-IAM5", "All messages, which the function is there to read.",
		`/^Resource::<Lake[0-9A-F]{8}\.Arn>\/ingestion\/protocol=hl7v2\/\*$/`)
	newOutput(f.Stack, contract.OutputReindex, reindex.Lambda.FunctionName(), "Function that enters messages of the lake again")
	return reindex
}

// addSearch defines the function that searches, and its route.
func (f Finder) addSearch(door FrontDoor) Function {
	variables := f.environment()
	variables[contract.EnvCatalogTable] = f.core.Catalog.TableName()
	search := f.NewFunction("Search", FunctionProps{
		Package:     "lambdas/search",
		Description: "Lists the messages that have an identifier",
		Memory:      512, // a person waits for it
		Timeout:     20,
		Concurrency: 20,
		Environment: variables,
	})
	grant(search.Lambda, []string{"dynamodb:Query"}, f.Hashes.TableArn(), f.core.Catalog.TableArn())
	grantTableKey(search.Lambda, f.base.Keys.Tables)
	newAuditQuery(f.Stack, f.base, "who searched", search)
	door.addRouteOf(f.Stack, search, awsapigatewayv2.HttpMethod_POST, "/messages/search")
	return search
}

// addKeys makes the keys from which the keys of the hashes are derived, and tells the
// functions which they are, the newest first.
func (f Finder) addKeys(users []Function) {
	var principals []awsiam.IPrincipal
	for _, user := range users {
		principals = append(principals, awsiam.NewArnPrincipal(user.Lambda.Role().RoleArn()))
	}
	var ids []string
	for _, version := range f.settings.KeyVersions {
		id, holds := fmt.Sprintf("Key%d", version), fmt.Sprintf("hashes of identifiers, version %d", version)
		key := newHashKey(f.Stack, id, f.base, holds, principals...)
		ids = append(ids, *key.KeyArn())
	}
	for _, user := range users {
		user.tell(contract.EnvFinderKeys, new(strings.Join(ids, " ")))
	}
}
