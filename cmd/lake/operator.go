package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"hl7lake/client"
	"hl7lake/operate"
)

// operator is the lake as its operator sees it, with the credentials of the lake
// on this machine, or of the AWS environment.
func (p *program) operator(ctx context.Context) (*operate.Operator, error) {
	connection, err := p.connection()
	if err != nil {
		return nil, err
	}
	configuration := aws.Config{}
	if connection.Credentials == nil {
		if configuration, err = awsConfiguration(ctx, "work on the lake's queues, tables and buckets"); err != nil {
			return nil, err
		}
	}
	return operate.New(connection, configuration)
}

// awsConfiguration is that of the environment, with credentials that may do what
// is said.
func awsConfiguration(ctx context.Context, may string) (aws.Config, error) {
	configuration, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return configuration, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if _, err := configuration.Credentials.Retrieve(ctx); err != nil {
		return configuration, &hintError{
			err:  fmt.Errorf("find AWS credentials: %w", err),
			hint: "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to one that may " + may + ".",
		}
	}
	return configuration, nil
}

// told is an error of an AWS call in few words: what was called and AWS's code
// for what is wrong, without its text, which can quote the request.
func told(err error) string {
	operation, isCall := errors.AsType[*smithy.OperationError](err)
	if !isCall {
		return err.Error()
	}
	if problem, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Sprintf("%s %s: %s", operation.Service(), operation.Operation(), problem.ErrorCode())
	}
	return fmt.Sprintf("%s %s: no answer", operation.Service(), operation.Operation())
}

// unworkable is an operator's error with its address where nobody answers, for
// the hint that goes with that.
func (p *program) unworkable(err error) error {
	operation, isCall := errors.AsType[*smithy.OperationError](err)
	if !isCall {
		return err
	}
	if _, answered := errors.AsType[smithy.APIError](operation.Err); answered {
		return errors.New(told(err))
	}
	connection, connectionErr := p.connection()
	if connectionErr != nil {
		return connectionErr
	}
	err = operation.Err
	if inner, ok := errors.AsType[*url.Error](err); ok { // without the SDK's account of its attempts
		err = inner.Err
	}
	return &client.UnreachableError{URL: connection.Endpoint, Err: err}
}
