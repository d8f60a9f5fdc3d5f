// Package environment turns a function's environment variables into a typed
// value, once, in main: handlers never look at the environment themselves.
package environment

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
)

// MissingError lists the variables that a function needs and was not given.
type MissingError struct {
	Names []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("environment: %s must be set", strings.Join(e.Names, ", "))
}

// Load fills a T, a struct of string fields that each carry the name of their
// variable as `env:"NAME"` and may carry what stands for an unset one as
// `default:"value"`. Without that, an unset or empty variable is missing; all
// missing ones are reported together in a *MissingError. lookup is os.LookupEnv
// outside of tests.
func Load[T any](lookup func(string) (string, bool)) (T, error) {
	var settings T
	value := reflect.ValueOf(&settings).Elem()
	var missing []string
	for i := range value.NumField() {
		tag := value.Type().Field(i).Tag
		name := tag.Get("env")
		text, _ := lookup(name)
		if text = cmp.Or(text, tag.Get("default")); text == "" {
			missing = append(missing, name)
		}
		value.Field(i).SetString(text)
	}
	if missing != nil {
		return settings, &MissingError{Names: missing}
	}
	return settings, nil
}
