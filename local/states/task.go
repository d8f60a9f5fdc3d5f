package states

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"

	"hl7lake/local/wire"
)

// Invoker runs a Lambda function for the caller in ctx and waits for its answer. If the
// function itself failed, functionError is "Unhandled" and output is {"errorMessage",
// "errorType"}. err is the service's.
type Invoker interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) (output []byte, functionError string, err error)
}

// task invokes the state's function. parameters is the task's whole input.
func (e *execution) task(ctx context.Context, state *State, parameters any) (result any, failure *Failure) {
	if failure := limit(parameters, "task's parameters"); failure != nil {
		return nil, failure
	}
	function, payload := state.Resource, parameters
	integrated := strings.HasSuffix(state.Resource, invokeResource)
	if integrated {
		members := parameters.(map[string]any) // the definition was checked for it
		function, _ = members["FunctionName"].(string)
		if payload = members["Payload"]; payload == nil {
			payload = map[string]any{}
		}
	}
	limited := ctx
	if state.TimeoutSeconds > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, e.seconds(state.TimeoutSeconds))
		defer cancel()
	}
	result, failure = e.invoke(limited, functionARN(function), payload)
	if limited.Err() != nil {
		return nil, &Failure{Error: errTimeout}
	}
	if failure == nil && integrated {
		result = invokeResult(result)
	}
	if failure == nil {
		failure = limit(result, "task")
	}
	return result, failure
}

func functionARN(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return wire.ARN("lambda", "function:"+nameOrARN)
}

func (e *execution) invoke(ctx context.Context, function string, payload any) (any, *Failure) {
	text, err := encode(payload)
	if err != nil {
		return nil, &Failure{errRuntime, "the payload is not JSON"}
	}
	output, functionError, err := e.invoker.Invoke(ctx, function, text)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused):
		return nil, &Failure{lambdaError(refused.Code), refused.Message}
	case err != nil:
		return nil, &Failure{"Lambda.SdkClientException", err.Error()}
	case functionError != "":
		return nil, functionFailure(output)
	}
	result, err := decode(output)
	if err != nil {
		return nil, &Failure{errRuntime, "the function's answer is not JSON"}
	}
	return result, nil
}

// functionFailure names a failure as the function did. If the runtime could not name it,
// it is Lambda.Unknown.
func functionFailure(output []byte) *Failure {
	var answer struct{ ErrorType string }
	if err := json.Unmarshal(output, &answer); err != nil || answer.ErrorType == "" {
		answer.ErrorType = "Lambda.Unknown"
	}
	return &Failure{Error: answer.ErrorType, Cause: string(output)}
}

// invokeResult wraps a function's answer as the optimized integration does
// (https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html).
func invokeResult(answer any) any {
	requestID := uuid.NewString()
	metadata := map[string]any{
		"HttpStatusCode": json.Number("200"),
		"HttpHeaders":    map[string]any{"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST", "x-amzn-RequestId": requestID},
	}
	return map[string]any{
		"ExecutedVersion": "$LATEST", "Payload": answer, "SdkHttpMetadata": metadata,
		"SdkResponseMetadata": map[string]any{"RequestId": requestID}, "StatusCode": json.Number("200"),
	}
}

// lambdaError returns the name with which retriers and catchers see an error of the
// Lambda service itself.
func lambdaError(code string) string {
	switch code {
	case "TooManyRequestsException", "ServiceException", "ResourceNotFoundException", "ResourceNotReadyException":
		return "Lambda." + code
	case "InternalFailure":
		return "Lambda.ServiceException"
	}
	if strings.HasPrefix(code, "Lambda.") {
		return code
	}
	return "Lambda.AWSLambdaException"
}
