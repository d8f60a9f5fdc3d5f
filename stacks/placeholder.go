package stacks

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// AllowPlaceholders is the key in the app's context that allows an environment with
// placeholders to be synthesized, if its value is not empty: to look at its templates,
// not to deploy them.
const AllowPlaceholders = "placeholders"

// example matches a host that nobody owns (RFC 2606, 2 and 3), alone or within an
// address.
var example = regexp.MustCompile(`(?i)(^|[@/.])example(\.(com|net|org))?\.?($|[:/])`)

// PlaceholderError says that an environment cannot be deployed as it is.
type PlaceholderError struct {
	// Environment is the name of the environment.
	Environment string
	// Settings are the fields of [Environment] that hold an example, such as
	// Domain.Name or AlarmAddresses[0], in the order of their declaration.
	Settings []string
}

func (e *PlaceholderError) Error() string {
	return fmt.Sprintf("environment %s has placeholders in %s: put your own hosts and addresses in stacks/environments.go, "+
		"or only look at the templates with -c %s=allow", e.Environment, strings.Join(e.Settings, ", "), AllowPlaceholders)
}

// CheckPlaceholders reports settings that still hold their example values, as a
// [*PlaceholderError]. With them, the API would have a name that nobody owns, and alarms
// would reach nobody.
func (e Environment) CheckPlaceholders() error {
	if found := placeholders("", reflect.ValueOf(e)); len(found) > 0 {
		return &PlaceholderError{Environment: e.Name, Settings: found}
	}
	return nil
}

// placeholders returns the paths of the texts within a value that hold an example.
func placeholders(path string, value reflect.Value) []string {
	var found []string
	switch value.Kind() {
	case reflect.String:
		if example.MatchString(value.String()) {
			found = append(found, path)
		}
	case reflect.Pointer:
		if !value.IsNil() {
			return placeholders(path, value.Elem())
		}
	case reflect.Slice:
		for i := range value.Len() {
			found = append(found, placeholders(fmt.Sprintf("%s[%d]", path, i), value.Index(i))...)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			name := strings.TrimPrefix(path+"."+value.Type().Field(i).Name, ".")
			found = append(found, placeholders(name, value.Field(i))...)
		}
	}
	return found
}
