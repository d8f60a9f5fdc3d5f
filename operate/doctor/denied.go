package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// resourceError is a call's error with the ARN of what the call was about, so
// that a denial can name the permission as narrowly as IAM takes it.
type resourceError struct {
	arn string
	err error
}

func (e *resourceError) Error() string { return e.err.Error() }

func (e *resourceError) Unwrap() error { return e.err }

// about adds the ARN to the error of a call; nil stays nil.
func about(arn string, err error) error {
	if err == nil {
		return nil
	}
	return &resourceError{arn: arn, err: err}
}

// resourceOf is the ARN of what the call was about; without one, "*", to which
// some permissions are limited (Service Authorization Reference: those without a
// resource type).
func resourceOf(err error) string {
	if known, ok := errors.AsType[*resourceError](err); ok {
		return known.arn
	}
	return "*"
}

// denied reports whether the code says that the credentials lack a permission.
// Services have different codes for it.
func denied(code string) bool {
	return slices.Contains([]string{
		"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "UnauthorizedOperation",
	}, code)
}

// rejected reports whether the code says that the credentials are not taken at
// all (AWS Security Token Service API reference, "Common Error Types").
func rejected(code string) bool {
	return slices.Contains([]string{
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch",
	}, code)
}

// nextAfter is what to do about a call that AWS refused; "" where the code is
// all that is known.
func nextAfter(call *smithy.OperationError, code, arn string) string {
	switch {
	case denied(code):
		// In each service that is called here, IAM's prefix is the SDK's name of the service in small letters, and the
		// action has the operation's name.
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
