// Package awsconfig is how the functions reach AWS: the SDK's configuration, with an HTTP
// client for a process that sends many short requests to one host.
package awsconfig

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Load returns the configuration that the process's environment gives, as Lambda sets it.
// The SDK's own log is off: it is not JSON, and we cannot vouch for its content.
func Load(ctx context.Context) (aws.Config, error) {
	return config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithHTTPClient(newClient()))
}
