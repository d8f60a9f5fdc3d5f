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

// operator returns the lake for an operator, with the credentials of the lake on this
// machine or of the AWS environment.
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

// awsConfiguration returns the environment's configuration, with credentials that may do
// what purpose says.
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

// told shortens the error of an AWS call to the call and AWS's code. It leaves out AWS's
// text, which can quote the request.
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

// unworkable adds the address to an operator's error if nobody answers there, for the
// hint that goes with it.
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
	if inner, ok := errors.AsType[*url.Error](err); ok { // without the SDK's text about its attempts
		err = inner.Err
	}
	return &client.UnreachableError{URL: connection.Endpoint, Err: err}
}
