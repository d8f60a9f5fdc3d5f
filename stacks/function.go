package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdklambdagoalpha/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// FunctionProps is what one function needs in addition to what all functions share.
type FunctionProps struct {
	// Package is the folder of the function's program, relative to the module root.
	Package string
	// Description is shown in the AWS console.
	Description string
	// Memory is in MiB. Lambda gives processor time in proportion (1,769 MiB is one full
	// core).
	Memory float64
	// Timeout is in seconds.
	Timeout float64
	// Concurrency is how many invocations may run at once, if the environment reserves
	// concurrency.
	Concurrency float64
	// Environment is the function's configuration: names and ARNs, never a secret. What
	// comes with a permission, such as the hub's ARN with [Core.LetPublish], is not in
	// it.
	Environment map[string]*string
	// FailsOnMessages says that the function returns an error if a message is not HL7.
	// Its errors then say nothing about the function; the alarm is on the messages that
	// failed.
	FailsOnMessages bool
}

// Function is a Lambda function written in Go. All functions of this app are made here.
type Function struct {
	// Lambda is the function itself. It is not an embedded field, because only jsii's own
	// values can be passed to jsii.
	Lambda awslambda.Function
	// Logs is where it writes its log, its metrics and its audit records.
	Logs  awslogs.LogGroup
	scope constructs.Construct // includes what belongs to the function
	base  Foundation
}

// newFunction makes a function with its own log group and its own role, which at first
// may only write that log and its traces. Everything else is granted by the stack that
// needs it.
func newFunction(scope constructs.Construct, id string, base Foundation, props FunctionProps) Function {
	this := constructs.NewConstruct(scope, &id)
	logs := newLogGroup(this, "Logs", base)
	// A role of our own instead of the managed AWSLambdaBasicExecutionRole, which may
	// write every log group of the account.
	role := awsiam.NewRole(this, new("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(new("lambda.amazonaws.com"), nil),
	})
	logs.GrantWrite(role)

	fn := awscdklambdagoalpha.NewGoFunction(this, new("Function"), &awscdklambdagoalpha.GoFunctionProps{
		Entry:                        new(props.Package),
		ModuleDir:                    new("go.mod"),
		Description:                  new(props.Description),
		Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:                 awslambda.Architecture_ARM_64(),
		MemorySize:                   new(props.Memory),
		Timeout:                      awscdk.Duration_Seconds(new(props.Timeout)),
		ReservedConcurrentExecutions: base.reserved(props.Concurrency),
		Environment:                  &props.Environment,
		Tracing:                      awslambda.Tracing_ACTIVE, // grants X-Ray's two actions on *, because they cannot be limited to a resource
		LogGroup:                     logs,
		LoggingFormat:                awslambda.LoggingFormat_JSON,
		// For a request without a fault, Lambda would log its start and its duration, 0.7
		// KB each time, which metrics and traces have already. Time-outs and crashes are
		// still logged (AWS Lambda Developer Guide, Log level filtering).
		SystemLogLevelV2: awslambda.SystemLogLevel_WARN,
		Role:             role,
		Bundling:         reproducibleBuild(),
	})
	awscdk.Annotations_Of(this).AcknowledgeWarning(new("@aws-cdk/aws-lambda-go-alpha:goBuildFlagsSecurityWarning"),
		new("the flags are constants of this package"))
	resource := fn.Node().DefaultChild().(awslambda.CfnFunction)
	resource.AddMetadata(new(contract.PackageMetadata), props.Package)
	made := Function{Lambda: fn, Logs: logs, scope: this, base: base}
	made.tell(contract.EnvName, new(base.Name)) // a dimension of the function's metrics
	made.watch(props)
	made.acceptFindings()
	return made
}

// tell gives the function an environment variable.
func (f Function) tell(name string, value *string) { f.Lambda.AddEnvironment(&name, value, nil) }

// watch makes the alarms that every function has.
func (f Function) watch(props FunctionProps) {
	id := *f.scope.Node().Id()
	f.base.alarm(f.scope, "Throttled", alarmProps{
		Runbook: "throttles",
		Subject: id,
		Means:   "Lambda refused to run " + id + " because too many of it, or of the account's functions, were running.",
		Metric:  f.Lambda.MetricThrottles(summed()),
		AtLeast: 1,
	})
	if props.FailsOnMessages {
		return
	}
	f.base.alarm(f.scope, "Errors", alarmProps{
		Runbook: "errors",
		Subject: id,
		Means:   "More than 5 % of the invocations of " + id + " failed, for ten minutes.",
		Metric: sum("100 * errors / invocations", map[string]awscloudwatch.IMetric{
			"errors":      f.Lambda.MetricErrors(summed()),
			"invocations": f.Lambda.MetricInvocations(summed()),
		}),
		AtLeast: 5,
		Periods: 2,
	})
}

// acceptFindings says why some rules of cdk-nag do not apply to functions.
func (f Function) acceptFindings() {
	accept(f.scope, "HIPAA.Security-LambdaInsideVPC",
		"The function calls AWS services only, over TLS, as its own role. A VPC would add networks to guard and nothing that "+
			"reaches the function: it has no address.")
	accept(f.scope, "HIPAA.Security-LambdaDLQ",
		"The rule knows no destinations. A function that is invoked asynchronously has one on failure, a queue with the error "+
			"and the event. Of the others, reconcile does at its next run what a failed one left, and the rest answer a caller, "+
			"who tries again.")
	accept(f.scope, "HIPAA.Security-IAMNoInlinePolicy",
		"The policy is of this role and goes with it: what one function may do is nothing that another should be given by name.")
	accept(f.scope, "AwsSolutions-IAM5", "X-Ray's actions, and ListQueues of SQS, know no resource (Service Authorization Reference).", "Resource::*")
	accept(f.scope, "AwsSolutions-IAM5",
		"The objects of one zone, or of the bucket that content passes through: their keys are known when a message is.",
		`/^Resource::<(Lake|ClaimCheck)[0-9A-F]{8}\.Arn>\/((ingestion|staging|error)\/)?\*$/`)
	if !f.base.ReserveConcurrency {
		accept(f.scope, "HIPAA.Security-LambdaConcurrency",
			"A new account may run ten functions at once and lets none of that be reserved; prod reserves for each function.")
	}
}

// reproducibleBuild makes the same source give the same binary on every machine, and
// names the asset after that binary. So a function is deployed again exactly when its
// code has changed, in its own folder or in a package that it imports.
func reproducibleBuild() *awscdklambdagoalpha.BundlingOptions {
	return &awscdklambdagoalpha.BundlingOptions{
		AssetHashType: awscdk.AssetHashType_OUTPUT,
		CgoEnabled:    new(false),
		GoBuildFlags: &[]*string{
			new("-trimpath"),                  // no path of the building machine
			new("-buildvcs=false"),            // no commit id
			new(`-ldflags="-s -w -buildid="`), // no symbols, and no build id, which is a hash of the inputs' paths
			new("-tags lambda.norpc"),         // without the RPC server of the retired go1.x runtime
		},
	}
}

// subscribe lets the function receive the events of a topic that pass the filter. What
// SNS cannot hand over, and what the function fails on after Lambda's two retries, each
// end in a queue of their own, because the two carry different envelopes: the SNS message
// as it was, or Lambda's record with the request and the error. The former is returned.
func (f Function) subscribe(topic awssns.ITopic, filter map[string]awssns.SubscriptionFilter) (undelivered awssqs.Queue) {
	undelivered = newDeadLetterQueue(f.scope, "Undelivered", f.base)
	topic.AddSubscription(awssnssubscriptions.NewLambdaSubscription(f.Lambda, &awssnssubscriptions.LambdaSubscriptionProps{
		FilterPolicy:    &filter,
		DeadLetterQueue: undelivered,
	}))
	failed := newDeadLetterQueue(f.scope, "Failed", f.base)
	grant(f.Lambda, []string{"sqs:SendMessage"}, failed.QueueArn())
	grantEncrypt(f.Lambda, f.base.Keys.Hub)
	f.base.alarm(f.scope, "Lost", alarmProps{
		Runbook: "lost-events",
		Subject: *f.scope.Node().Id(),
		Means:   "Lambda gave up on an event and could not put it in the queue of failed ones.",
		Metric:  f.Lambda.Metric(new("DestinationDeliveryFailures"), summed()),
		AtLeast: 1,
	})
	// Not ConfigureAsyncInvoke, which would also let the function ask for the queue's URL
	// and attributes.
	awslambda.NewCfnEventInvokeConfig(f.scope, new("OnFailure"), &awslambda.CfnEventInvokeConfigProps{
		FunctionName:             f.Lambda.FunctionName(),
		Qualifier:                new("$LATEST"),
		MaximumRetryAttempts:     new(2.0),
		MaximumEventAgeInSeconds: awscdk.Duration_Hours(new(6.0)).ToSeconds(nil),
		DestinationConfig: &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: failed.QueueArn()},
		},
	})
	return undelivered
}
