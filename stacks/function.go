package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/constructs-go/constructs/v10"
)

// PackageMetadata is the key in a function's CloudFormation metadata under which its Go package stands, relative to
// the module root. It tells whoever holds only the template, such as package local, what to build.
const PackageMetadata = "hl7lake:package"

// functionProps is what one function needs beyond what all functions have in common.
type functionProps struct {
	// Package is the folder of the function's program, relative to the module root.
	Package string
	// Description is shown in the console.
	Description string
	// Memory is in MiB; Lambda gives processor time in proportion (1,769 MiB is one full core).
	Memory float64
	// Timeout is in seconds.
	Timeout float64
	// Environment is the function's configuration: names and ARNs, never a secret.
	Environment map[string]*string
}

// function is a Lambda function written in Go: the one way in which this app makes one.
type function struct {
	// Lambda is the function itself. It is no embedded field, since only jsii's own values can be handed back to jsii.
	Lambda awslambda.Function
	scope  constructs.Construct // of all that belongs to the function
	env    Environment
}

// newFunction makes a function with its own log group and its own role, which at first may do nothing but write that log
// and its traces. Everything else is granted by the stack that knows why.
func newFunction(scope constructs.Construct, id string, env Environment, props functionProps) function {
	this := constructs.NewConstruct(scope, &id)
	logs := newLogGroup(this, "Logs", env)
	// A role of our own instead of the managed AWSLambdaBasicExecutionRole, which may write every log group of the account.
	role := awsiam.NewRole(this, new("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(new("lambda.amazonaws.com"), nil),
	})
	logs.GrantWrite(role)

	fn := awscdklambdagoalpha.NewGoFunction(this, new("Function"), &awscdklambdagoalpha.GoFunctionProps{
		Entry:         new(props.Package),
		ModuleDir:     new("go.mod"),
		Description:   new(props.Description),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		MemorySize:    new(props.Memory),
		Timeout:       awscdk.Duration_Seconds(new(props.Timeout)),
		Environment:   &props.Environment,
		Tracing:       awslambda.Tracing_ACTIVE, // grants X-Ray's two actions on *: they know no resource
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
		Role:          role,
		Bundling:      reproducibleBuild(),
	})
	awscdk.Annotations_Of(this).AcknowledgeWarning(new("@aws-cdk/aws-lambda-go-alpha:goBuildFlagsSecurityWarning"),
		new("the flags are constants of this package"))
	resource := fn.Node().DefaultChild().(awslambda.CfnFunction)
	resource.AddMetadata(new(PackageMetadata), props.Package)
	return function{Lambda: fn, scope: this, env: env}
}

// reproducibleBuild makes the same source give the same binary on every machine, and names the asset by that binary:
// a function is deployed anew exactly when its code changed, be it in its own folder or in a package that it imports.
func reproducibleBuild() *awscdklambdagoalpha.BundlingOptions {
	return &awscdklambdagoalpha.BundlingOptions{
		AssetHashType: awscdk.AssetHashType_OUTPUT,
		CgoEnabled:    new(false),
		GoBuildFlags: &[]*string{
			new("-trimpath"),                  // no path of the building machine
			new("-buildvcs=false"),            // no commit id
			new(`-ldflags="-s -w -buildid="`), // no symbols, no build id (it hashes the paths of the inputs)
			new("-tags lambda.norpc"),         // without the RPC server of the retired go1.x runtime
		},
	}
}

// subscribe lets the function receive the events of a topic that pass the filter. What SNS cannot hand over, and
// what the function fails on after Lambda's two retries, each end in a queue of their own, because the two
// carry different envelopes: the SNS message as it was, or Lambda's record with the request and the error.
func (f function) subscribe(topic awssns.ITopic, filter map[string]awssns.SubscriptionFilter) {
	topic.AddSubscription(awssnssubscriptions.NewLambdaSubscription(f.Lambda, &awssnssubscriptions.LambdaSubscriptionProps{
		FilterPolicy:    &filter,
		DeadLetterQueue: newDeadLetterQueue(f.scope, "Undelivered", f.env),
	}))
	failed := newDeadLetterQueue(f.scope, "Failed", f.env)
	grant(f.Lambda, []string{"sqs:SendMessage"}, failed.QueueArn())
	// Not ConfigureAsyncInvoke: it would let the function ask for the queue's URL and attributes too.
	awslambda.NewCfnEventInvokeConfig(f.scope, new("OnFailure"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             f.Lambda.FunctionName(),
		Qualifier:                new("$LATEST"),
		MaximumRetryAttempts:     new(2.0),
		MaximumEventAgeInSeconds: awscdk.Duration_Hours(new(6.0)).ToSeconds(nil),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: failed.QueueArn()},
		},
	})
}

// oneOf is a filter policy that lets pass what has one of the values in its attribute.
func oneOf(values ...string) awssns.SubscriptionFilter {
	var allow []*string
	for _, v := range values {
		allow = append(allow, new(v))
	}
	return awssns.SubscriptionFilter_StringFilter(&awssns.StringConditions{Allowlist: &allow})
}
