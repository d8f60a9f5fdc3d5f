package operate

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// NotRunLocally reports whether err is the answer of a lake on one machine to a call of a
// service or operation that it does not run. AWS never answers like that.
func NotRunLocally(err error) bool {
	problem, answered := errors.AsType[smithy.APIError](err)
	return answered && problem.ErrorCode() == "NotImplemented" && strings.HasSuffix(problem.ErrorMessage(), "is not run by the local lake")
}
