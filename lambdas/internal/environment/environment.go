// Package environment turns a function's environment variables into a typed
// value, once, in main: handlers never look at the environment themselves.
package environment

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// MissingError lists the variables that a function needs and was not given.
type MissingError struct {
	Names []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("environment: %s must be set", strings.Join(e.Names, ", "))
}

// NumberError says that a variable is not the whole number above zero that it
// has to be.
type NumberError struct {
	Name string
}

func (e *NumberError) Error() string {
	return fmt.Sprintf("environment: %s must be a whole number above zero", e.Name)
}

// Load fills a T, a struct of string and int fields that each carry the name of
// their variable as `env:"NAME"` and may carry what stands for an unset one as
// `default:"value"`. Without that, an unset or empty variable is missing; all
// missing ones are reported together in a *MissingError. An int is above zero; the
// first that is not so is reported in a *NumberError. lookup is os.LookupEnv
// outside of tests.
func Load[T any](lookup func(string) (string, bool)) (T, error) {
	var settings T
	value := reflect.ValueOf(&settings).Elem()
	var missing []string
	var wrong error
	for i := range value.NumField() {
		tag := value.Type().Field(i).Tag
		name := tag.Get("env")
		text, _ := lookup(name)
		if text = cmp.Or(text, tag.Get("default")); text == "" {
			missing = append(missing, name)
		}
		if field := value.Field(i); field.Kind() == reflect.String {
			field.SetString(text)
		} else if n, err := strconv.Atoi(text); err == nil && n > 0 {
			field.SetInt(int64(n))
		} else if wrong == nil {
			wrong = &NumberError{Name: name}
		}
	}
	if missing != nil {
		return settings, &MissingError{Names: missing}
	}
	return settings, wrong
}
