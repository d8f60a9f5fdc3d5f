// Package operate is what an operator does with a lake. Redrive brings back what lies in
// dead-letter queues. Replay publishes stored messages again after a repair. Reconcile
// looks at once for messages that are stuck or missing. Forget deletes content. The
// package works with AWS credentials on the lake's own queues, tables, buckets and
// functions, on AWS and on one machine.
//
// Redrive and replay publish an event on the hub, and every subscriber gets it, not only
// the one that failed. That is safe because ids repeat: a subscriber that already had the
// event takes it for a redelivery, which changes nothing but a count.
//
// No result holds content. Content does pass through this program, so run it where
// content may be.
package operate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"hl7lake/client"
	"hl7lake/internal/catalog"
	"hl7lake/internal/hub"
	"hl7lake/internal/replay"
)

// Operator works on one lake. It is safe for concurrent use.
type Operator struct {
	names   Names
	outputs client.Outputs // of the stacks; nil for an operator that In returned
	queues  *sqs.Client
	objects *s3.Client
	tables  *dynamodb.Client
	catalog catalog.Table
	route   replay.Route

	functions *lambda.Client
	logs      *cloudwatchlogs.Client
}

// Names are the names of what redrive, replay and forget work on.
type Names struct {
	Lake       string // the bucket of the data lake
	ClaimCheck string // the bucket of content too large for the hub
	Catalog    string // the table of what the lake holds
	Received   string // the table of what was accepted; only forget needs it
	Finder     string // the table of Finder, or "": the lake need not have it; only forget needs it
	Hub        string // the ARN of the topic
	Queues     string // what the names of the lake's queues begin with; only redrive needs it
}

// New returns an operator of the lake that the connection leads to, with the credentials
// in configuration. A connection to a lake on one machine brings its own endpoint and
// credentials.
func New(connection client.Connection, configuration aws.Config) (*Operator, error) {
	names, err := namesIn(connection.Outputs)
	if err != nil {
		return nil, err
	}
	region, err := connection.Region()
	if err != nil {
		return nil, err
	}
	configuration.Region = region
	if connection.Endpoint != "" {
		configuration.BaseEndpoint = &connection.Endpoint
	}
	if key := connection.Credentials; key != nil {
		configuration.Credentials = client.StaticCredentials(key.AccessKeyID, key.SecretAccessKey)
	}
	o := In(names, configuration, sns.NewFromConfig(configuration))
	o.outputs = connection.Outputs
	return o, nil
}

// In returns an operator for a function of the lake, which is told the names and brings
// its own credentials in configuration. It publishes on the hub by publisher. It can
// redrive, replay and forget, as far as its role allows.
func In(names Names, configuration aws.Config, publisher hub.Publisher) *Operator {
	objects, tables := s3.NewFromConfig(configuration), dynamodb.NewFromConfig(configuration)
	return &Operator{
		names:   names,
		queues:  sqs.NewFromConfig(configuration),
		objects: objects,
		tables:  tables,
		catalog: catalog.Table{Name: names.Catalog, DB: tables},
		route: replay.Route{
			Bucket:  names.Lake,
			Objects: objects,
			Hub:     hub.Topic{ARN: names.Hub, Publisher: publisher, ClaimCheck: hub.ClaimCheck{Bucket: names.ClaimCheck, Objects: objects}},
		},
		functions: lambda.NewFromConfig(configuration),
		logs:      cloudwatchlogs.NewFromConfig(configuration),
	}
}

// namesIn returns the names that the outputs tell.
func namesIn(outputs client.Outputs) (names Names, err error) {
	for _, name := range []struct {
		output string
		of     *string
	}{
		{client.OutputLake, &names.Lake}, {client.OutputHub, &names.Hub}, {client.OutputCatalog, &names.Catalog},
		{client.OutputClaimCheck, &names.ClaimCheck}, {client.OutputReceived, &names.Received},
	} {
		if *name.of, err = outputs.Get(name.output); err != nil {
			return Names{}, err
		}
	}
	names.Finder, err = outputs.Get(client.OutputFinder)
	if absent, is := errors.AsType[*client.OutputError](err); err != nil && (!is || absent.Stacks != nil) {
		return Names{}, err
	}
	names.Queues, err = stackPrefix(outputs)
	return names, err
}

// stackPrefix returns the beginning of the names of the environment's stacks.
// CloudFormation begins the names of their queues with it too. It is the name of the
// stack that has the hub, without its last part.
func stackPrefix(outputs client.Outputs) (string, error) {
	const own = "core"
	for stack, values := range outputs {
		if _, ok := values[client.OutputHub]; !ok {
			continue
		}
		if prefix, ok := strings.CutSuffix(stack, own); ok && prefix != "" {
			return prefix, nil
		}
		return "", fmt.Errorf("the stack with the hub is called %s, want a name that ends in %s", stack, own)
	}
	return "", &client.OutputError{Name: client.OutputHub}
}
