package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// resourceError is a call's error together with the ARN that the call was about, so that
// a denial can name the permission as narrowly as IAM allows.
type resourceError struct {
	arn string
	err error
}

func (e *resourceError) Error() string { return e.err.Error() }

func (e *resourceError) Unwrap() error { return e.err }

// about adds the ARN to a call's error. It returns nil for nil.
func about(arn string, err error) error {
	if err == nil {
		return nil
	}
	return &resourceError{arn: arn, err: err}
}

// resourceOf returns the ARN that the call was about, or "*" if there is none. Some
// permissions cannot be limited to anything else (Service Authorization Reference:
// actions without a resource type).
func resourceOf(err error) string {
	if known, ok := errors.AsType[*resourceError](err); ok {
		return known.arn
	}
	return "*"
}

// denied reports whether the code says that the credentials lack a permission. Services
// use different codes for that.
func denied(code string) bool {
	return slices.Contains([]string{
		"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "UnauthorizedOperation",
	}, code)
}

// rejected reports whether the code says that AWS does not accept the credentials at all
// (AWS Security Token Service API reference, "Common Error Types").
func rejected(code string) bool {
	return slices.Contains([]string{
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch",
	}, code)
}

// nextAfter says what to do after a call that AWS refused. It returns "" if nothing but
// the code is known.
func nextAfter(call *smithy.OperationError, code, arn string) string {
	switch {
	case denied(code):
		// For each service that is called here, IAM's prefix is the SDK's name of the
		// service in lower case, and the action has the operation's name.
		action := strings.ToLower(call.Service()) + ":" + call.Operation()
		return fmt.Sprintf(`The credentials lack %s. This statement in a policy of theirs allows it: {"Effect":"Allow","Action":"%s","Resource":"%s"}`,
			action, action, arn)
	case strings.HasPrefix(code, "ExpiredToken"):
		return "The session is over: sign in again, or get new temporary credentials."
	case rejected(code):
		return "AWS does not know the access key, or its secret, session token or this machine's clock is wrong."
	}
	return ""
}
