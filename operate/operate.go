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
	"context"
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
	prefix  string // of the names of the lake's queues
	outputs client.Outputs
	queues  *sqs.Client
	objects *s3.Client
	tables  *dynamodb.Client
	hub     publisher
	catalog catalog.Table
	route   replay.Route

	functions *lambda.Client
	logs      *cloudwatchlogs.Client
}

// publisher publishes messages on the hub as they are.
type publisher struct {
	arn string
	sns *sns.Client
}

// New returns an operator of the lake that the connection leads to, with the credentials
// in configuration. A connection to a lake on one machine brings its own endpoint and
// credentials.
func New(connection client.Connection, configuration aws.Config) (*Operator, error) {
	outputs := map[string]string{}
	for _, name := range []string{client.OutputLake, client.OutputHub, client.OutputCatalog, client.OutputClaimCheck} {
		value, err := connection.Outputs.Get(name)
		if err != nil {
			return nil, err
		}
		outputs[name] = value
	}
	prefix, err := stackPrefix(connection.Outputs)
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
	objects, topic := s3.NewFromConfig(configuration), sns.NewFromConfig(configuration)
	tables := dynamodb.NewFromConfig(configuration)
	return &Operator{
		prefix:  prefix,
		outputs: connection.Outputs,
		queues:  sqs.NewFromConfig(configuration),
		objects: objects,
		tables:  tables,
		hub:     publisher{outputs[client.OutputHub], topic},
		catalog: catalog.Table{Name: outputs[client.OutputCatalog], DB: tables},
		route: replay.Route{
			Bucket:  outputs[client.OutputLake],
			Objects: objects,
			Hub: hub.Topic{
				ARN:        outputs[client.OutputHub],
				Publisher:  topic,
				ClaimCheck: hub.ClaimCheck{Bucket: outputs[client.OutputClaimCheck], Objects: objects},
			},
		},
		functions: lambda.NewFromConfig(configuration),
		logs:      cloudwatchlogs.NewFromConfig(configuration),
	}, nil
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

// publish publishes a message on the hub as it is.
func (p publisher) publish(ctx context.Context, wire hub.Wire) error {
	_, err := p.sns.Publish(ctx, wire.Input(p.arn))
	return err
}
