// Package wire has what the services of package local share of AWS's wire protocols: who
// is calling, whether the call is granted, and how requests and errors are written in the
// JSON and Query protocols. A service is an http.Handler made from its operations, so
// that the ordinary AWS SDKs and the AWS CLI can use it.
package wire

import (
	"context"
	"fmt"
	"net/http"
)

// Region and Account are in every ARN on this machine. Account is the one in the examples
// of AWS's own documentation.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

// Error is an answer that refuses a request, in AWS's words.
type Error struct {
	Status  int            // HTTP status
	Code    string         // AWS's name for the error, for example ConditionalCheckFailedException
	Message string         // for people; holds no message content
	Members map[string]any // further members of the error's shape; may be nil
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an Error with status 400, which most of AWS's refusals have.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unsupported refuses a request for a part of a service that is not run here. name is the
// name of the operation or member asked for.
func Unsupported(name string) *Error {
	return &Error{
		Status: http.StatusNotImplemented, Code: "NotImplemented",
		Message: name + " is not run by the local lake",
	}
}

// Authorize decides whether the caller in ctx may perform action (s3:PutObject) on the
// resource (an ARN). keys are the request's condition keys (aws:SecureTransport,
// s3:x-amz-server-side-encryption) and may be nil. A refusal is an *Error. Every service
// calls it before it acts, once for each resource that it touches.
type Authorize func(ctx context.Context, action, resource string, keys map[string]string) error

type callerKey struct{}

// Caller returns the signer of a request: the ARN of a role, or of the account's root for
// the person who runs the lake. It is empty for requests that need no signature, such as
// Cognito's InitiateAuth.
func Caller(ctx context.Context) string {
	arn, _ := ctx.Value(callerKey{}).(string)
	return arn
}

// WithCaller returns a context whose Caller is arn.
func WithCaller(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, callerKey{}, arn)
}

type tagsKey struct{}

// PrincipalTags returns the tags of the session that signed a request, for conditions on
// aws:PrincipalTag. Most sessions have none.
func PrincipalTags(ctx context.Context) map[string]string {
	tags, _ := ctx.Value(tagsKey{}).(map[string]string)
	return tags
}

// WithPrincipalTags returns a context whose PrincipalTags are tags.
func WithPrincipalTags(ctx context.Context, tags map[string]string) context.Context {
	return context.WithValue(ctx, tagsKey{}, tags)
}

// ARN names a resource of this machine's account and region.
func ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + Region + ":" + Account + ":" + resource
}
