// Package environment reads a function's environment variables, once, in main. Handlers
// never look at the environment themselves. The variables' names are in package contract.
package environment

import (
	"fmt"
	"strconv"
)

// MissingError names a variable that a function needs and was not given.
type MissingError struct {
	Name string
}

func (e *MissingError) Error() string { return fmt.Sprintf("environment: %s must be set", e.Name) }

// NumberError says that a variable is not a whole number above zero, as it must be.
type NumberError struct {
	Name string
}

func (e *NumberError) Error() string {
	return fmt.Sprintf("environment: %s must be a whole number above zero", e.Name)
}

// Variables are a function's environment variables. A function cannot run without one of
// them: if one is missing or malformed, the process ends.
type Variables struct {
	lookup func(string) (string, bool)
	end    func(error)
}

// New returns the variables that lookup finds, which is os.LookupEnv outside tests. It
// calls end with a *MissingError or a *NumberError; end must not return.
func New(lookup func(string) (string, bool), end func(error)) Variables {
	return Variables{lookup: lookup, end: end}
}

// Text returns the value of the variable, which is not empty.
func (v Variables) Text(name string) string {
	text, _ := v.lookup(name)
	if text == "" {
		v.end(&MissingError{Name: name})
	}
	return text
}

// TextIfAny returns the value of the variable; empty if it is not set.
func (v Variables) TextIfAny(name string) string {
	text, _ := v.lookup(name)
	return text
}

// Number returns the value of the variable, a whole number above zero.
func (v Variables) Number(name string) int {
	n, err := strconv.Atoi(v.Text(name))
	if err != nil || n <= 0 {
		v.end(&NumberError{Name: name})
	}
	return n
}
