// Package fake stands in for AWS in the handlers' tests, behind the interfaces that the
// handlers ask for. DynamoDB is local/dynamodb; S3 and SNS are what the functions need of
// them, with AWS's rules. Any call can be made to fail.
package fake

import "context"

// Faults decides what goes wrong with a call, by the name of its operation. A
// nil function lets everything succeed.
type Faults struct {
	Before func(ctx context.Context, operation string) error // fails the call without effect
	After  func(ctx context.Context, operation string) error // fails it after it took effect
	Repeat func(operation string) bool                       // the answer is lost and the SDK calls again
}

func call[T any](ctx context.Context, f *Faults, operation string, do func() (T, error)) (T, error) {
	var none T
	if f.Before != nil {
		if err := f.Before(ctx, operation); err != nil {
			return none, err
		}
	}
	out, err := do()
	if f.Repeat != nil && f.Repeat(operation) {
		out, err = do()
	}
	if err == nil && f.After != nil {
		if err := f.After(ctx, operation); err != nil {
			return none, err
		}
	}
	return out, err
}
