package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Properties decodes a resource's properties (the JSON that CloudFormation would
// hand to the service, its intrinsics resolved) into the struct that into
// points to. A property that the struct has no field for is refused with its
// name, at any depth: a template must not ask for what is then not there. Only
// the ignored ones, which mean nothing on one machine, are passed over.
func Properties(data []byte, into any, ignored ...string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	maps.DeleteFunc(given, func(name string, _ json.RawMessage) bool { return slices.Contains(ignored, name) })
	kept, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(kept))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return propertyError(err)
	}
	return nil
}

// propertyError names the property that could not be decoded.
func propertyError(err error) error {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return fmt.Errorf("property %s: a %s cannot be used here", mistyped.Field, mistyped.Value)
	}
	// encoding/json has no type for this error.
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return Unsupported("property " + strings.Trim(name, `"`))
	}
	return fmt.Errorf("properties: %w", err)
}

// UnsupportedProperty refuses a property's value that is not run here, where
// other values of the same property are.
func UnsupportedProperty(name string, value any) *Error {
	return Unsupported(fmt.Sprintf("property %s with the value %v", name, value))
}

type sourceKey struct{}

// Source is the ARN of the resource on whose behalf a service calls another one
// (a topic that delivers, an API that invokes), for aws:SourceArn conditions.
// It is empty where a principal calls for itself.
func Source(ctx context.Context) string {
	arn, _ := ctx.Value(sourceKey{}).(string)
	return arn
}

// WithSource returns a context in which the service principal (such as
// apigateway.amazonaws.com) calls on behalf of the resource arn.
func WithSource(ctx context.Context, service, arn string) context.Context {
	return context.WithValue(WithCaller(ctx, service), sourceKey{}, arn)
}
