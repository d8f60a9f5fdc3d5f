package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"

	"hl7lake/internal/contract"
)

// StagingER7 is the stack that turns ingested ER7 messages into JSON. It knows the hub
// and nothing about who publishes there, so it can be deleted, or another format's
// staging added beside it, without a change elsewhere.
type StagingER7 struct {
	Connector
	// Workflow prepares and parses one message.
	Workflow awsstepfunctions.StateMachine
}

// StagingER7Props is what StagingER7 needs.
type StagingER7Props struct {
	// Core is the stack whose hub is used.
	Core Core
}

// The time limits, in seconds, contain each other: a step's function ends before the
// workflow, and the workflow before the trigger, which then still has time to publish the
// error event.
const (
	stepSeconds     = 20
	workflowSeconds = 60
	triggerSeconds  = 90
)

// NewStagingER7 defines the StagingER7 stack.
func NewStagingER7(scope constructs.Construct, id string, props StagingER7Props) StagingER7 {
	core := props.Core
	connector := NewConnector(scope, id, ConnectorProps{Core: core, Name: contract.ConnectorER7, Description: "turns ER7 messages into JSON"})
	prepare := connector.NewFunction("Prepare", FunctionProps{
		Package:     "lambdas/prepare",
		Description: "Makes a message's segment terminators uniform",
		Memory:      512,
		Timeout:     stepSeconds,
		Concurrency: 100,
	})
	core.LetRedeem(prepare)
	core.LetCheckIn(prepare)

	parse := connector.NewFunction("Parse", FunctionProps{
		Package:     "lambdas/parse",
		Description: "Turns ER7 into JSON and publishes it",
		Memory:      512, // the largest message, of 6 MB, becomes some 20 MB of JSON
		Timeout:     stepSeconds,
		Concurrency: 100,
		Environment: map[string]*string{
			contract.EnvLakeBucket: core.Lake.BucketName(), // named in the JSON's envelope, not opened
		},
		FailsOnMessages: true,
	})
	connector.LetPublish(parse)
	core.LetRedeem(parse)

	base := core.Foundation
	staging := StagingER7{Connector: connector, Workflow: newWorkflow(connector.Stack, base, prepare, parse)}
	staging.addTrigger(core)
	staging.watch(base)
	return staging
}

// watch makes the alarms of staging as a whole. A fault in a single step shows in its
// messages.
func (s StagingER7) watch(base Foundation) {
	base.alarm(s.Stack, "Failures", alarmProps{
		Runbook: "staging-failures",
		Means:   "More than 5 % of the messages could not be staged, for a quarter of an hour.",
		Metric: sum("100 * failed / (staged + failed)", map[string]awscloudwatch.IMetric{
			"failed": base.ownMetric(contract.MetricFailed, summed(), "connector", contract.ConnectorER7),
			"staged": base.ownMetric(contract.MetricStaged, summed(), "connector", contract.ConnectorER7),
		}),
		AtLeast: 5,
		Periods: 3,
	})
	base.alarm(s.Stack, "Latency", alarmProps{
		Runbook: "staging-latency",
		Means:   "One of a hundred messages took a minute or more from acceptance to JSON, for a quarter of an hour.",
		Metric:  base.ownMetric(contract.MetricStagingLatency, statistic("p99", 5)),
		AtLeast: 60_000,
		Periods: 3,
	})
	base.alarm(s.Stack, "WorkflowTimedOut", alarmProps{
		Runbook: "errors",
		Subject: "workflow",
		Means:   "Executions of the workflow took more than their time.",
		Metric:  s.Workflow.MetricTimedOut(summed()),
		AtLeast: 1,
	})
	base.alarm(s.Stack, "WorkflowThrottled", alarmProps{
		Runbook: "throttles",
		Subject: "workflow",
		Means:   "Step Functions refused to begin executions because there were too many at once.",
		Metric:  s.Workflow.MetricThrottled(summed()),
		AtLeast: 1,
	})
}

// addTrigger defines the function that runs the workflow for each ingested ER7 message.
func (s StagingER7) addTrigger(core Core) {
	trigger := s.NewFunction("Trigger", FunctionProps{
		Package:     "lambdas/trigger",
		Description: "Runs the workflow for an ingested message; publishes the error when it fails",
		Memory:      256, // it waits for the workflow; the largest body that it holds, after a failure, is 6 MB
		Timeout:     triggerSeconds,
		Concurrency: 100, // no more than each step, so that a step is never refused
		Environment: map[string]*string{
			contract.EnvStateMachineARN: s.Workflow.StateMachineArn(),
		},
	})
	undelivered := s.Subscribe(trigger, Events{
		Names:     []string{contract.EventIngested},
		Protocols: []string{contract.ProtocolHL7v2},
		Formats:   []string{contract.FormatER7},
	})
	s.addShares(core.Foundation, trigger)
	s.addDeferral(core.Foundation, trigger, undelivered)
	s.Workflow.GrantStartSyncExecution(trigger.Lambda)
	s.LetPublish(trigger)
}

// newWorkflow defines the Express workflow prepare → parse. It skips prepare for a
// message that trigger found to be in order already. A message that is not HL7 and a step
// that failed end in different Fail states, both with the error and cause of the step,
// which trigger reads.
func newWorkflow(stack awscdk.Stack, base Foundation, prepare, parse Function) awsstepfunctions.StateMachine {
	refused := newFail(stack, "MessageRefused", "The message cannot be parsed; trying again would not help")
	broken := newFail(stack, "StepBroken", "A step failed for a reason that is not the message's")
	parsing := newStep(stack, "Parse", parse, refused, broken)
	tidy := awsstepfunctions.NewChoice(stack, new("Tidy"), &awsstepfunctions.ChoiceProps{
		Comment: new("Whether the message has its line ends in order, as the trigger says"),
	})
	tidy.When(awsstepfunctions.Condition_And(
		awsstepfunctions.Condition_IsPresent(new("$.tidy")), // an input written by hand need not have it
		awsstepfunctions.Condition_BooleanEquals(new("$.tidy"), new(true)),
	), parsing, nil)
	tidy.Otherwise(newStep(stack, "Prepare", prepare, refused, broken).Next(parsing))
	workflow := awsstepfunctions.NewStateMachine(stack, new("Workflow"), &awsstepfunctions.StateMachineProps{
		StateMachineType: awsstepfunctions.StateMachineType_EXPRESS,
		Comment:          new("Turns one ER7 message into JSON"),
		DefinitionBody:   awsstepfunctions.DefinitionBody_FromChainable(tidy),
		Timeout:          awscdk.Duration_Seconds(new(float64(workflowSeconds))),
		TracingEnabled:   new(true),
		Logs: &awsstepfunctions.LogOptions{
			Destination: newVendedLogGroup(stack, "WorkflowLogs", "states", base),
			// Log failures only. Everything else would be a dozen lines for each message,
			// which cost more than the execution. Each execution is in trigger's audit
			// record.
			Level:                awsstepfunctions.LogLevel_ERROR,
			IncludeExecutionData: new(false), // it would contain the message
		},
	})
	grant(workflow, []string{"lambda:InvokeFunction"}, prepare.Lambda.FunctionArn(), parse.Lambda.FunctionArn())
	accept(workflow, "AwsSolutions-SF1",
		"What went wrong is logged; of what went well the start and the end of each execution are in the trigger's audit record, "+
			"and its steps in the trace.")
	accept(workflow, "HIPAA.Security-IAMNoInlinePolicy", "The policy is of this role and goes with it.")
	accept(workflow, "AwsSolutions-IAM5",
		"X-Ray's actions and those that set up the delivery of logs know no resource (Service Authorization Reference).",
		"Resource::*")
	return workflow
}

// newStep invokes a function with the state as its input; its answer is the next state. A
// fault of the message would repeat, so it ends the workflow at once. Everything else is
// tried again, whether Lambda failed or a service that the function calls. A step repeats
// the ids of what it publishes, so running it twice changes nothing, while giving up on a
// step that did publish would leave the message both staged and an error.
func newStep(
	stack awscdk.Stack, id string, fn Function, refused, broken awsstepfunctions.Fail,
) awsstepfunctions.CustomState {
	// Not the CDK's own LambdaInvoke, which would also let the workflow invoke every
	// version and alias of the function.
	step := awsstepfunctions.NewCustomState(stack, new("Step"+id), &awsstepfunctions.CustomStateProps{
		StateJson: &map[string]any{
			"Type":           "Task",
			"Resource":       "arn:" + *stack.Partition() + ":states:::lambda:invoke",
			"Parameters":     map[string]any{"FunctionName": fn.Lambda.FunctionArn(), "Payload.$": "$"},
			"OutputPath":     "$.Payload",
			"TimeoutSeconds": stepSeconds + 5,
		},
	})
	step.AddRetry(&awsstepfunctions.RetryProps{
		Errors:      &[]*string{new("ParseError"), new("PanicError")},
		MaxAttempts: new(0.0),
	})
	step.AddRetry(&awsstepfunctions.RetryProps{
		Errors:         &[]*string{new("States.ALL")},
		Interval:       awscdk.Duration_Seconds(new(1.0)),
		BackoffRate:    new(2.0),
		MaxAttempts:    new(3.0),
		MaxDelay:       awscdk.Duration_Seconds(new(5.0)),
		JitterStrategy: awsstepfunctions.JitterType_FULL,
	})
	step.AddCatch(refused, &awsstepfunctions.CatchProps{Errors: &[]*string{new("ParseError")}})
	step.AddCatch(broken, &awsstepfunctions.CatchProps{Errors: &[]*string{new("States.ALL")}})
	return step
}

// newFail ends the workflow with the error and cause that were caught.
func newFail(stack awscdk.Stack, id, comment string) awsstepfunctions.Fail {
	return awsstepfunctions.NewFail(stack, &id, &awsstepfunctions.FailProps{
		Comment:   &comment,
		ErrorPath: new("$.Error"),
		CausePath: new("$.Cause"),
	})
}
