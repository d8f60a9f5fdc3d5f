package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Ignored are the properties of a resource type that are not run here, with the reason. A
// key is a property's path, such as LifecycleConfiguration.Rules.Transitions. It does not
// say where in a list the property is, and it includes everything below. A value is a
// short sentence for the author of the template.
type Ignored map[string]string

// Properties decodes a resource's properties (the JSON that CloudFormation would pass to
// the service, with intrinsics resolved) into the struct that into points to. It refuses
// a property for which no struct has a field, at any depth, with its path, and also one
// in another case: a template must not ask for something that then does not exist. It
// skips only the ignored ones. A type with an UnmarshalJSON of its own is responsible for
// everything below it.
func Properties(data []byte, into any, ignored ...Ignored) error {
	all := Ignored{}
	for _, some := range ignored {
		maps.Copy(all, some)
	}
	var given any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&given); err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	given = all.without("", given)
	if err := known("", given, reflect.TypeOf(into)); err != nil {
		return err
	}
	kept, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("properties: %w", err)
	}
	return propertyError(json.Unmarshal(kept, into))
}

// Given returns the paths of the ignored properties that data holds, in order. It is
// empty if data is not JSON.
func (ignored Ignored) Given(data []byte) (paths []string) {
	var given any
	if json.Unmarshal(data, &given) != nil {
		return nil
	}
	for _, path := range slices.Sorted(maps.Keys(ignored)) {
		if holds(given, strings.Split(path, ".")) {
			paths = append(paths, path)
		}
	}
	return paths
}

// holds reports whether there is something at a path, in any item of a list.
func holds(value any, path []string) bool {
	if list, is := value.([]any); is {
		return slices.ContainsFunc(list, func(item any) bool { return holds(item, path) })
	}
	if len(path) == 0 {
		return true
	}
	object, _ := value.(map[string]any)
	below, has := object[path[0]]
	return has && holds(below, path[1:])
}

// without returns the value at a path without what is ignored in it.
func (ignored Ignored) without(path string, value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = ignored.without(path, value[i])
		}
	case map[string]any:
		for name := range value {
			if _, is := ignored[below(path, name)]; is {
				delete(value, name)
			} else {
				value[name] = ignored.without(below(path, name), value[name])
			}
		}
	}
	return value
}

func below(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// known refuses the first property, by name, for which the type that it would be decoded
// into has no field.
func known(path string, value any, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		if t.Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return nil
		}
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return nil // json reports that it does not fit
		}
		for _, item := range value {
			if err := known(path, item, t.Elem()); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			member, err := memberType(path, name, t)
			if err == nil && member != nil {
				err = known(below(path, name), value[name], member)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// memberType returns the type that a member of an object is decoded into, or nil if it
// may be anything.
func memberType(path, name string, t reflect.Type) (reflect.Type, error) {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), nil
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(t) {
			tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.IsExported() && tag != "-" && (tag == name || (tag == "" && field.Name == name)) {
				return field.Type, nil
			}
		}
		return nil, Unsupported("property " + below(path, name))
	}
	return nil, nil
}

// propertyError names the property that could not be decoded.
func propertyError(err error) error {
	if mistyped, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return fmt.Errorf("property %s: a JSON %s cannot be used here", mistyped.Field, mistyped.Value)
	}
	return err
}

// UnsupportedProperty refuses a property's value that is not run here, although other
// values of the property are.
func UnsupportedProperty(name string, value any) *Error {
	return Unsupported(fmt.Sprintf("property %s with the value %v", name, value))
}

type sourceKey struct{}

// Source is the ARN of the resource on whose behalf a service calls another one (a topic
// that delivers, an API that invokes), for aws:SourceArn conditions. It is empty if a
// principal calls for itself.
func Source(ctx context.Context) string {
	arn, _ := ctx.Value(sourceKey{}).(string)
	return arn
}

// WithSource returns a context in which the service principal (such as
// apigateway.amazonaws.com) calls on behalf of the resource arn.
func WithSource(ctx context.Context, service, arn string) context.Context {
	return context.WithValue(WithCaller(ctx, service), sourceKey{}, arn)
}
