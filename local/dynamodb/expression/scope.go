// Package expression reads and applies DynamoDB's expressions: conditions, filters, key
// conditions, updates and projections. Refusals are ValidationExceptions in AWS's words,
// but without the values of the request, which may be about patients.
package expression

import (
	"maps"
	"slices"
	"strings"

	"hl7lake/local/dynamodb/attribute"
	"hl7lake/local/wire"
)

// maxLength is an expression's greatest length in bytes (Amazon DynamoDB
// Developer Guide, "Constraints", Expression parameters).
const maxLength = 4096

// Scope is what the expressions of one request share: the names that # placeholders stand
// for and the values that : placeholders stand for. Each must be used by one of the
// expressions.
type Scope struct {
	names      map[string]string
	values     map[string]attribute.Value
	unused     map[string]bool
	expression bool // whether any expression was read
}

// NewScope checks a request's ExpressionAttributeNames and ExpressionAttributeValues,
// either of which may be nil.
func NewScope(names map[string]string, values map[string]attribute.Value) (*Scope, error) {
	s := &Scope{names: names, values: values, unused: map[string]bool{}}
	for name := range names {
		if !isPlaceholder(name, '#') {
			return nil, invalid("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", name)
		}
		s.unused[name] = true
	}
	for name := range values {
		if !isPlaceholder(name, ':') {
			return nil, invalid("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", name)
		}
		s.unused[name] = true
	}
	if values != nil && len(values) == 0 {
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	return s, nil
}

func isPlaceholder(name string, mark byte) bool {
	return len(name) > 1 && name[0] == mark && lengthOf(name[1:], isName) == len(name)-1
}

// Done refuses placeholders that no expression used. It is called after all of the
// request's expressions have been read.
func (s *Scope) Done() error {
	if !s.expression && len(s.unused) > 0 {
		parameter := "ExpressionAttributeNames"
		if len(s.names) == 0 {
			parameter = "ExpressionAttributeValues"
		}
		return invalid("%s can only be specified when using expressions", parameter)
	}
	for _, parameter := range []struct{ name, mark string }{
		{"ExpressionAttributeValues", ":"}, {"ExpressionAttributeNames", "#"},
	} {
		var keys []string
		for _, key := range slices.Sorted(maps.Keys(s.unused)) {
			if strings.HasPrefix(key, parameter.mark) {
				keys = append(keys, key)
			}
		}
		if len(keys) > 0 {
			return invalid("Value provided in %s unused in expressions: keys: {%s}", parameter.name, strings.Join(keys, ", "))
		}
	}
	return nil
}

func (s *Scope) name(placeholder string) (string, error) {
	name, known := s.names[placeholder]
	if !known {
		return "", invalid("An expression attribute name used in the document path is not defined; attribute name: %s", placeholder)
	}
	delete(s.unused, placeholder)
	return name, nil
}

func (s *Scope) value(placeholder string) (attribute.Value, error) {
	value, known := s.values[placeholder]
	if !known {
		return value, invalid("An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
	}
	delete(s.unused, placeholder)
	return value, nil
}

// read runs a reader over the whole text of an expression. parameter is the request's
// name for it, with which its refusals begin.
func read[Parsed any](s *Scope, parameter, text string, reader func(*parser) (Parsed, error)) (Parsed, error) {
	s.expression = true
	parsed, err := func() (parsed Parsed, err error) {
		if strings.TrimSpace(text) == "" {
			return parsed, invalid("The expression can not be empty;")
		}
		if len(text) > maxLength {
			return parsed, invalid("Expression size has exceeded the maximum allowed size;")
		}
		p := &parser{scope: s, text: text}
		p.next()
		if parsed, err = reader(p); err == nil && p.token.kind != end {
			err = p.unexpected()
		}
		return parsed, err
	}()
	if err != nil {
		answer := wire.AsError(err)
		return parsed, invalid("Invalid %s: %s", parameter, answer.Message)
	}
	return parsed, nil
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}
