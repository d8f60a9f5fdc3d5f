package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"hl7lake/hl7"
	"hl7lake/internal/hub"
)

// starter is what trigger needs of AWS Step Functions; *sfn.Client has it.
type starter interface {
	StartSyncExecution(context.Context, *sfn.StartSyncExecutionInput, ...func(*sfn.Options)) (*sfn.StartSyncExecutionOutput, error)
}

// workflow is the Express workflow that stages a message.
type workflow struct {
	arn     string
	starter starter
}

// run stages wire and waits for the outcome: nil when the message is staged,
// else why it is not. StartSyncExecution answers 200 for an execution that
// failed, so its status decides (AWS Step Functions, StartSyncExecution). No
// answer is an error: the workflow has its own, shorter, time-out, so what
// became of it is unknown, and it may have staged the message.
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
	case throttled(err):
		return &hub.Reason{Code: hub.CodeThrottled}, nil
	case err != nil:
		return nil, fmt.Errorf("start the workflow: %w", err)
	case out.Status == types.SyncExecutionStatusSucceeded:
		return nil, nil
	case out.Status == types.SyncExecutionStatusTimedOut:
		return &hub.Reason{Code: hub.CodeTimeout}, nil
	}
	reason := reasonOf(aws.ToString(out.Error), aws.ToString(out.Cause))
	return &reason, nil
}

// tidy reports whether the body of wire is at hand and such that prepare would
// leave it as it is, by the function that prepare itself uses. What most engines
// send is.
func tidy(wire hub.Wire) bool {
	body, err := wire.Inline()
	return err == nil && bytes.Equal(hl7.Normalize(nil, body), body)
}

// reasonOf reads the error and cause with which the workflow ended. Of the
// cause only a parse error's own words are believed.
func reasonOf(name, cause string) hub.Reason {
	switch name {
	case "ParseError":
		var failure struct {
			ErrorMessage string `json:"errorMessage"`
		}
		if err := json.Unmarshal([]byte(cause), &failure); err == nil {
			if reason, ok := hub.ParseReason(failure.ErrorMessage); ok {
				return reason
			}
		}
	case "States.Timeout", "Sandbox.Timedout":
		return hub.Reason{Code: hub.CodeTimeout}
	}
	return hub.Reason{Code: hub.CodeWorkflow}
}

// throttled reports whether AWS refused for load, by the SDK's own list.
func throttled(err error) bool {
	return err != nil && retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.IsErrorThrottle(err) == aws.TrueTernary
}
