package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

// starter is the part of AWS Step Functions that trigger needs; *sfn.Client has it.
type starter interface {
	StartSyncExecution(context.Context, *sfn.StartSyncExecutionInput, ...func(*sfn.Options)) (*sfn.StartSyncExecutionOutput, error)
}

// workflow is the Express workflow that stages a message.
type workflow struct {
	arn     string
	starter starter
}

// run stages wire and waits for the outcome: nil if the message is staged, else the
// reason why it cannot be. StartSyncExecution answers 200 for an execution that failed,
// so its status decides (AWS Step Functions, StartSyncExecution).
//
// An error means that another try may succeed, and that the message may have been staged
// nevertheless: there was no answer, the start was throttled, or the execution ran out of
// time. None of this is the message's fault, so none is a reason.
func (w workflow) run(ctx context.Context, name string, wire hub.Wire) (*hub.Reason, error) {
	wire.Tidy = tidy(wire)
	input, err := wire.JSON()
	if err != nil {
		return nil, err
	}
	out, err := w.starter.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
		StateMachineArn: &w.arn,
		Name:            &name,
		Input:           new(string(input)),
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("start the workflow: %w", err)
	case out.Status == types.SyncExecutionStatusSucceeded:
		return nil, nil
	case out.Status == types.SyncExecutionStatusTimedOut:
		return nil, executionError(timeout)
	case unfinished(aws.ToString(out.Error)):
		return nil, executionError(*out.Error)
	}
	reason := reasonOf(aws.ToString(out.Error), aws.ToString(out.Cause))
	return &reason, nil
}

// timeout is Step Functions' name for an execution or a state that ran longer than it
// may.
const timeout = "States.Timeout"

// serviceError is the form of the names of Lambda's own failures: throttling, an internal
// error, a lost connection (AWS Step Functions Developer Guide, Handle transient Lambda
// service exceptions). A function's error has the name of its type, which contains no
// dot.
var serviceError = regexp.MustCompile(`^Lambda\.[A-Za-z]{1,64}$`)

// unfinished reports whether name, with which the workflow ended, means that a step was
// throttled, ran out of time or met a failure of Lambda itself.
func unfinished(name string) bool {
	return name == timeout || name == "Sandbox.Timedout" || serviceError.MatchString(name)
}

// executionError is an execution's failure in the form of a call's, so that logs and
// audit records name both in the same way.
func executionError(code string) error {
	return &smithy.OperationError{
		ServiceID:     sfn.ServiceID,
		OperationName: "StartSyncExecution",
		Err:           &smithy.GenericAPIError{Code: code, Message: "the execution did not finish"},
	}
}

// tidy reports whether the body of wire is in the event itself and prepare would leave it
// unchanged. Prepare uses the same function. Most engines send such messages.
func tidy(wire hub.Wire) bool {
	body, err := wire.Inline()
	return err == nil && bytes.Equal(hl7.Normalize(nil, body), body)
}

// reasonOf reads the error and cause with which the workflow ended. It trusts the cause
// only if it is a parse error's own text.
func reasonOf(name, cause string) hub.Reason {
	if name == "ParseError" {
		var failure struct {
			ErrorMessage string `json:"errorMessage"`
		}
		if err := json.Unmarshal([]byte(cause), &failure); err == nil {
			if reason, ok := hub.ParseReason(failure.ErrorMessage); ok {
				return reason
			}
		}
	}
	return hub.Reason{Code: hub.CodeWorkflow}
}
