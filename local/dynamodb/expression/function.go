package expression

import (
	"fmt"
	"slices"
	"strings"

	"hl7lake/local/dynamodb/attribute"
)

// function is one of the functions that are a condition by themselves (Amazon DynamoDB
// Developer Guide, "Condition and filter expressions, operators, and functions").
type function struct {
	count int // of arguments
	check func(name string, arguments []operand) error
	test  func(attribute.Item, []operand) bool
}

// conditionFunction returns a function by its name. Case matters.
func conditionFunction(name string) (f function, known bool) {
	switch name {
	case "attribute_exists":
		f = function{1, checkPath, attributeExists}
	case "attribute_not_exists":
		f = function{1, checkPath, func(item attribute.Item, arguments []operand) bool {
			return !attributeExists(item, arguments)
		}}
	case "attribute_type":
		f = function{2, checkType, attributeType}
	case "begins_with":
		f = function{2, checkBeginning, beginsWith}
	case "contains":
		f = function{2, checkContained, contains}
	}
	return f, f.test != nil
}

// predicate reads a function that makes a condition.
func (p *parser) predicate() (test, error) {
	f, known := conditionFunction(p.token.text)
	if !known {
		return nil, checkFunction(p.token.text, "The function is not allowed in a condition expression")
	}
	name, arguments, err := call(p, p.operand)
	if err != nil {
		return nil, err
	}
	if err := checkCount(name, arguments, f.count); err != nil {
		return nil, err
	}
	return predicate{f, name, arguments}, f.check(name, arguments)
}

// checkFunction refuses a function: one of DynamoDB's because of its place, any other
// because it does not exist.
func checkFunction(name, misplaced string) error {
	_, known := conditionFunction(name)
	if known || slices.Contains([]string{"size", "if_not_exists", "list_append"}, name) {
		return invalid("%s; function: %s", misplaced, name)
	}
	return invalid("Invalid function name; function: %s", name)
}

func checkCount[Operand any](name string, arguments []Operand, count int) error {
	if len(arguments) != count {
		return invalid("Incorrect number of operands for operator or function;"+
			" operator or function: %s, number of operands: %d", name, len(arguments))
	}
	return nil
}

func checkPath(name string, arguments []operand) error {
	if _, isPath := arguments[0].(Path); !isPath {
		return errNeedsPath(name)
	}
	return nil
}

func checkType(name string, arguments []operand) error {
	kind, known := arguments[1].(constant)
	switch {
	case !known:
		return invalid("Incorrect operand type for operator or function; operator or function: %s", name)
	case kind.Kind != attribute.String:
		return errOperand(name, kind.Kind)
	case !slices.Contains(attribute.Kinds(), attribute.Kind(kind.Text)):
		return invalid("Invalid attribute type name found; valid types: %s", strings.Trim(fmt.Sprint(attribute.Kinds()), "[]"))
	}
	return checkPath(name, arguments)
}

func checkBeginning(name string, arguments []operand) error {
	for _, argument := range arguments {
		if value, known := argument.(constant); known && value.Kind != attribute.String && value.Kind != attribute.Binary {
			return errOperand(name, value.Kind)
		}
	}
	return checkDistinct(name, arguments[0], arguments[1])
}

func checkContained(name string, arguments []operand) error {
	return checkDistinct(name, arguments[0], arguments[1])
}

func attributeExists(item attribute.Item, arguments []operand) bool {
	_, there := arguments[0].value(item)
	return there
}

func attributeType(item attribute.Item, arguments []operand) bool {
	value, there := arguments[0].value(item)
	kind, _ := arguments[1].value(item)
	return there && string(value.Kind) == kind.Text
}

func beginsWith(item attribute.Item, arguments []operand) bool {
	value, there := arguments[0].value(item)
	start, known := arguments[1].value(item)
	return there && known && value.Kind == start.Kind &&
		(value.Kind == attribute.String || value.Kind == attribute.Binary) && strings.HasPrefix(value.Text, start.Text)
}

func contains(item attribute.Item, arguments []operand) bool {
	value, there := arguments[0].value(item)
	part, known := arguments[1].value(item)
	switch {
	case !there || !known:
		return false
	case value.Kind == attribute.List:
		return slices.ContainsFunc(value.List, func(element attribute.Value) bool { return attribute.Equal(element, part) })
	case value.Kind.IsSet():
		return value.Has(part)
	default:
		return value.Kind == part.Kind && (value.Kind == attribute.String || value.Kind == attribute.Binary) &&
			strings.Contains(value.Text, part.Text)
	}
}
