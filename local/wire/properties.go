package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Ignored are properties of a resource type that mean nothing on one machine, and why. One
// inside another is named with a dot, as Rules.Transitions; that Rules is a list is not
// written.
type Ignored map[string]string

// Properties decodes a resource's properties (the JSON that CloudFormation would hand to
// the service, its intrinsics resolved) into the struct that into points to. A property
// that the struct has no field for is refused with its name, at any depth: a template must
// not ask for what is then not there. Only the ignored ones are passed over.
func Properties(data []byte, into any, ignored Ignored) error {
	var given any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // so that none loses digits on its way through
	if err := decoder.Decode(&given); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	if _, isObject := given.(map[string]any); !isObject {
		return errors.New("properties: they must be an object")
	}
	for name := range ignored {
		remove(given, strings.Split(name, "."))
	}
	if name := unknownProperty(given, reflect.TypeOf(into), ""); name != "" {
		return Unsupported("property " + name)
	}
	kept, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	err = json.Unmarshal(kept, into)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return fmt.Errorf("property %s: a %s cannot be used here", mistyped.Field, mistyped.Value)
	}
	return err
}

// remove takes the property at the end of a path out of an object, or out of each object
// of a list.
func remove(value any, path []string) {
	switch value := value.(type) {
	case []any:
		for _, member := range value {
			remove(member, path)
		}
	case map[string]any:
		if len(path) == 1 {
			delete(value, path[0])
		} else {
			remove(value[path[0]], path[1:])
		}
	}
}

// unknownProperty returns the path of the first property, in the order of names, that the
// type t has no field for, or an empty one. A type that reads its JSON itself answers for it.
func unknownProperty(value any, t reflect.Type, path string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if path != "" && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return ""
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, member := range value {
				if name := unknownProperty(member, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); name != "" {
					return name
				}
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			at := strings.TrimPrefix(path+"."+name, ".")
			var of reflect.Type
			switch t.Kind() {
			case reflect.Struct:
				field, known := fieldOf(t, name)
				if !known {
					return at
				}
				of = field.Type
			case reflect.Map:
				of = t.Elem()
			default:
				return ""
			}
			if unknown := unknownProperty(value[name], of, at); unknown != "" {
				return unknown
			}
		}
	}
	return ""
}

// fieldOf finds the field that a property is decoded into, by its name or that of its tag.
// Unlike encoding/json, and like CloudFormation, it minds the case of letters.
func fieldOf(t reflect.Type, property string) (reflect.StructField, bool) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && cmp.Or(name, field.Name) == property {
			return field, true
		}
	}
	return reflect.StructField{}, false
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
